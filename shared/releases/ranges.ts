import { PARTS, type Range } from '../models/serving.ts';

/** The owner of what no range covers: it goes to the live version. */
const CHAMPION = 0;

/**
 * The ranges for new shares of the requests. A target whose share grows takes parts from the champion, the lowest first;
 * one whose share shrinks gives its highest back to the champion. So nobody moves between two targets, unless the champion
 * had too little for one that grows while another shrinks. The first target has the parts from 0 on.
 *
 * @param ranges the ranges now
 * @param wanted the share of each target in percent, with at most two decimals; a target that is left out has none
 * @throws RangeError for a share that cannot be, and if all together are more than 100
 */
export function reallocate(ranges: readonly Range[], wanted: ReadonlyMap<string, number>): readonly Range[] {
  const shares = new Map([...wanted].map(([target, percent]) => [target, partsIn(target, percent)]));
  const sum = [...shares.values()].reduce((total, parts) => total + parts, 0);
  if (sum > PARTS) {
    throw new RangeError(`The shares are ${sum / 100} % together; expected at most 100.`);
  }
  /** Numbers stand for targets; that of the champion has no name. */
  const names = ['', ...new Set([...ranges.map(({ target }) => target), ...shares.keys()])];
  const owners = new Uint16Array(PARTS);
  for (const { target, start, end } of ranges) owners.fill(names.indexOf(target), start, end);
  const before = owners.slice();
  /** How many parts each still has to get; negative: to give back. */
  const missing = names.map((name) => shares.get(name) ?? 0);
  for (const { target, start, end } of ranges) {
    const owner = names.indexOf(target);
    missing[owner] = (missing[owner] ?? 0) - (end - start);
  }

  for (const [owner, parts] of missing.entries()) {
    if (owner !== CHAMPION) giveBack(owners, owner, -parts);
  }
  // What another target gave back is taken only if the champion had too little, so that few people move twice.
  for (const [owner, parts] of missing.entries()) {
    missing[owner] = take(owners, owner, parts, before);
  }
  for (const [owner, parts] of missing.entries()) take(owners, owner, parts, owners);
  return compress(owners, names);
}

function giveBack(owners: Uint16Array, owner: number, parts: number): void {
  let left = parts;
  for (let part = PARTS - 1; part >= 0 && left > 0; part--) {
    if (owners[part] !== owner) continue;
    owners[part] = CHAMPION;
    left--;
  }
}

/**
 * Takes the lowest parts that the champion has, and had.
 *
 * @returns how many are still missing
 */
function take(owners: Uint16Array, owner: number, parts: number, before: Uint16Array): number {
  let left = parts;
  for (let part = 0; part < PARTS && left > 0; part++) {
    if (owners[part] !== CHAMPION || before[part] !== CHAMPION) continue;
    owners[part] = owner;
    left--;
  }
  return left;
}

/** @throws RangeError for a share that is not between 0 and 100, or that has more than two decimals */
function partsIn(target: string, percent: number): number {
  const parts = Math.round(percent * 100);
  if (percent >= 0 && percent <= 100 && Math.abs(percent * 100 - parts) < 1e-6) return parts;
  throw new RangeError(
    `The share of ${JSON.stringify(target)} is ${percent} %; expected 0 to 100 with at most two decimals.`,
  );
}

function compress(owners: Uint16Array, names: readonly string[]): readonly Range[] {
  const ranges: Range[] = [];
  for (let start = 0, end = 1; end <= PARTS; end++) {
    if (end < PARTS && owners[end] === owners[start]) continue;
    const target = names[owners[start] ?? CHAMPION] ?? '';
    if (target !== '') ranges.push({ target, start, end });
    start = end;
  }
  return ranges;
}
