import { globSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';
import type { Metafile } from 'esbuild';
import { minifySync } from 'rolldown/utils';

/**
 * Makes the files of a bundle smaller, and gives those that only other files import short names.
 *
 * - The bundler imports into each entry all files that it needs, also those that its other imports load: 7 kB.
 * - Names of eight characters take 4 kB, as files are named six hundred times.
 * - oxc finds 8 kB that esbuild leaves, without moving any function into another one.
 *
 * @param folder has the files and their source maps, which are kept right
 * @param target the oldest version of Node that runs them, such as `node22`
 * @returns the metafile with the new names
 */
export function shrink(folder: string, target: string, metafile: Metafile): Metafile {
  const texts = new Map(
    globSync('*.mjs', { cwd: folder })
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
  const names = new Map(
    [...texts.keys()]
      .filter((name) => HASH.test(name))
      .map((name, index) => [name, `${index.toString(36)}.mjs`]),
  );
  const rename = (text: string) => text.replaceAll(HASHES, (name) => names.get(name) ?? name);
  for (const [name, text] of withoutRepeatedImports(texts)) {
    const path = join(folder, name);
    const { code, map, errors } = minifySync(name, withSpaces(text, rename), {
      module: true,
      compress: { target },
      sourcemap: true,
      inputMap: JSON.parse(readFileSync(`${path}.map`, 'utf8')),
    });
    if (map === undefined || errors.length > 0) throw new Error(`${name}: ${JSON.stringify(errors)}`);
    const renamed = rename(path);
    if (renamed !== path) {
      renameSync(path, renamed);
      renameSync(`${path}.map`, `${renamed}.map`);
    }
    writeFileSync(renamed, `${quoteImports(code)}\n//# sourceMappingURL=${rename(name)}.map\n`);
    writeFileSync(`${renamed}.map`, JSON.stringify(withoutNames(map)));
  }
  return JSON.parse(rename(JSON.stringify(metafile)));
}

/** Places are exact without the names of what is there, which would be two fifths of the maps: 220 kB of an archive. */
function withoutNames<T extends { mappings: string }>(map: T) {
  const lines = decode(map.mappings).map((line) =>
    line.map(([column, ...place]): SourceMapSegment => {
      const [source, sourceLine, sourceColumn] = place;
      if (source === undefined || sourceLine === undefined || sourceColumn === undefined) return [column];
      return [column, source, sourceLine, sourceColumn];
    }),
  );
  return { ...map, names: [], mappings: encode(lines) };
}

/** Names of files that are made from what is in them. */
const HASH = /^[A-Z0-9]{8}\.mjs$/;
const HASHES = /\b[A-Z0-9]{8}\.mjs\b/g;

/** The line of imports, which the bundler writes before all other code. */
const IMPORTS = /^(?:import(?:[^"';]*\bfrom)?"[^"]+";)+/m;
const IMPORT = /import([^"';]*\bfrom)?"\.\/([^"]+)";/g;

/**
 * Puts spaces in place of imports for nothing but their effects, where another import of the file loads the same one.
 * Files that do not import each other, not even through others, may be evaluated in another order then.
 */
function withoutRepeatedImports(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const imports = new Map(
    [...texts].map(([name, text]) => {
      const [line = ''] = IMPORTS.exec(text) ?? [];
      return [
        name,
        [...line.matchAll(IMPORT)].map(([statement, names, path = '']) => ({ statement, names, path })),
      ];
    }),
  );

  function load(name: string, loaded: Set<string>): ReadonlySet<string> {
    if (!loaded.has(name)) {
      loaded.add(name);
      for (const { path } of imports.get(name) ?? []) load(path, loaded);
    }
    return loaded;
  }

  return new Map(
    [...texts].map(([name, text]) => {
      let kept = imports.get(name) ?? [];
      for (const each of kept.filter(({ names }) => names === undefined)) {
        const others = kept.filter((other) => other !== each);
        const loaded = new Set([name]);
        for (const { path } of others) load(path, loaded);
        if (!loaded.has(each.path)) continue;
        kept = others;
        text = text.replace(each.statement, ({ length }) => ' '.repeat(length));
      }
      return [name, text];
    }),
  );
}

/** Renames what is imported, with spaces so that all else stays in its column. */
function withSpaces(text: string, rename: (text: string) => string): string {
  return text.replaceAll(/"\.\/[A-Z0-9]{8}\.mjs"/g, (path) => rename(path).padEnd(path.length));
}

/** oxc writes all texts as templates. Tools that look for imports expect quotes. */
function quoteImports(code: string): string {
  return code.replaceAll(/\bimport\(`(\.\/[\w.]+)`\)/g, 'import("$1")');
}
