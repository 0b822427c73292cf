/** `3`, `1.10`, `v1.2.3-rc.1`: what counts as a version that can become live by being the highest. */
const VERSION = /^v?\d+(?:\.\d+)*(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** Whether a name is a version that can become live by being the highest. */
export function isVersion(name: string): boolean {
  return VERSION.test(name);
}

/**
 * Orders version names: numbers by value, so that 2 < 10; semantic versions by their precedence, with a pre-release
 * before its release (semver.org, item 11). Other names sort before all of these, as text: a folder `2.bak` must not
 * become live just because it exists.
 */
export function compareVersions(a: string, b: string): number {
  if (isVersion(a) !== isVersion(b)) return isVersion(a) ? 1 : -1;
  const [aCore, aPre] = splitPreRelease(a);
  const [bCore, bPre] = splitPreRelease(b);
  const core = compareParts(aCore.split('.'), bCore.split('.'));
  if (core !== 0) return core;
  if (aPre === undefined || bPre === undefined)
    return Number(bPre !== undefined) - Number(aPre !== undefined);
  return compareParts(aPre.split('.'), bPre.split('.')) || (a < b ? -1 : Number(a > b));
}

/** The whole number above the highest version, so that the new one becomes live. */
export function nextVersion(versions: readonly string[]): string {
  const highest = versions.filter(isVersion).sort(compareVersions).at(-1) ?? '0';
  return String(BigInt(/\d+/.exec(highest)?.[0] ?? '0') + 1n);
}

function splitPreRelease(version: string): [string, string | undefined] {
  const plain = version.replace(/^v(?=\d)/, '').replace(/\+.*$/, '');
  const dash = plain.indexOf('-');
  return dash === -1 ? [plain, undefined] : [plain.slice(0, dash), plain.slice(dash + 1)];
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = comparePart(a[i], b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** A missing part sorts first; numbers sort before words. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const aIsNumber = /^\d+$/.test(a);
  const bIsNumber = /^\d+$/.test(b);
  if (aIsNumber && bIsNumber) {
    const difference = BigInt(a) - BigInt(b);
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
