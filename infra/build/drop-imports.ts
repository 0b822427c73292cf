import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Removes imports for nothing but their effects from the files of a bundle, where an import before them has already
 * loaded the same file. The bundler writes one for each file that an entry point needs, also if those that it needs
 * import it: 7 kB in 300 statements. What is evaluated, and in which order, stays the same.
 *
 * @param folder has the files and their source maps, which are kept right
 */
export function dropImports(folder: string): void {
  const texts = new Map(
    globSync('*.mjs', { cwd: folder }).map((name) => [`./${name}`, readFileSync(join(folder, name), 'utf8')]),
  );
  const imports = new Map([...texts].map(([name, text]) => [name, listImports(text)]));

  function load(name: string, loaded: Set<string>) {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const { path } of imports.get(name) ?? []) load(path, loaded);
  }

  for (const [name, text] of texts) {
    const loaded = new Set<string>();
    const kept = (imports.get(name) ?? []).filter(({ path, isBare }) => {
      const isRepeated = isBare && loaded.has(path);
      load(path, loaded);
      return !isRepeated;
    });
    const before = (imports.get(name) ?? []).map(({ statement }) => statement).join('');
    const after = kept.map(({ statement }) => statement).join('');
    if (before === after) continue;
    const start = text.indexOf(before);
    writeFileSync(join(folder, name), text.slice(0, start) + after + text.slice(start + before.length));
    const line = text.slice(0, start).split('\n').length - 1;
    moveLine(join(folder, `${name}.map`), line, after.length - before.length);
  }
}

/** The line of imports, which the bundler writes before all other code. */
const IMPORTS = /^(?:import(?:[^"';]*\bfrom)?"[^"]+";)+/m;
const IMPORT = /import([^"';]*\bfrom)?"([^"]+)";/g;

function listImports(text: string) {
  const [line = ''] = IMPORTS.exec(text) ?? [];
  return [...line.matchAll(IMPORT)].map(([statement, names, path = '']) => ({
    statement,
    path,
    isBare: names === undefined,
  }));
}

/** Moves all that a source map has for a line. Each place counts from the one before it, so the first moves all. */
function moveLine(path: string, line: number, columns: number): void {
  const map: { mappings: string } = JSON.parse(readFileSync(path, 'utf8'));
  const lines = map.mappings.split(';');
  const places = lines[line];
  // Files that only export what others have map nothing.
  if (places === undefined || places === '') return;
  const [digits = ''] = /^[g-z0-9+/]*[A-Za-f]/.exec(places) ?? [];
  lines[line] = encode(decode(digits) + columns) + places.slice(digits.length);
  writeFileSync(path, JSON.stringify({ ...map, mappings: lines.join(';') }));
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** A column: base 64, of which each digit has five bits, the lowest first. The lowest bit of all is for a sign. */
function decode(digits: string): number {
  return [...digits].reduceRight((sum, digit) => sum * 32 + (DIGITS.indexOf(digit) & 31), 0) >> 1;
}

function encode(column: number): string {
  let digits = '';
  let rest = column << 1;
  for (; rest > 31; rest >>= 5) digits += DIGITS[(rest & 31) | 32];
  return digits + DIGITS[rest];
}
