import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { dropImports } from '../../../infra/build/drop-imports.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** Three entry points. Two need a file that adds to a list, and with it another one that does so, which all need. */
const SOURCES = {
  'low.js': 'export const order = []; order.push("low");',
  'high.js': 'import { order } from "./low.js"; order.push("high"); export const copy = () => [...order];',
  'first.js': 'import { copy } from "./high.js";\nexport default [...copy(), "first"];',
  'second.js': 'import { copy } from "./high.js";\nexport default [...copy(), "second"];',
  'third.js': 'import { order } from "./low.js";\nexport default [...order, "third"];',
};

async function bundle() {
  const folder = await makeFolder(SOURCES);
  const output = join(folder, 'output');
  await build({
    entryPoints: ['first', 'second', 'third'].map((name) => join(folder, `${name}.js`)),
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    minify: true,
    sourcemap: true,
    logLevel: 'error',
  });
  return output;
}

/** Each file's text, and what its source map says of each of its columns. */
function read(folder: string) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const map = new SourceMap(JSON.parse(readFileSync(join(folder, `${name}.map`), 'utf8')));
      const [line = '', ...rest] = text.split('\n');
      expect(rest).toHaveLength(2);
      const places = Array.from(line, (character, column) => ({
        character,
        entry: map.findEntry(0, column),
      }));
      return {
        imports: [...text.matchAll(/import"/g)].length,
        mapped: places.flatMap(({ character, entry }, column) =>
          'originalSource' in entry && entry.generatedColumn === column
            ? [[character, entry.originalSource, entry.originalLine, entry.originalColumn].join(' ')]
            : [],
        ),
      };
    });
}

describe('dropImports', () => {
  it('keeps what a file is and where its code comes from, with fewer imports', async () => {
    const folder = await bundle();
    const before = read(folder);
    dropImports(folder);
    const after = read(folder);
    expect(after.map(({ mapped }) => mapped)).toEqual(before.map(({ mapped }) => mapped));
    expect(before.flatMap(({ mapped }) => mapped).length).toBeGreaterThan(10);
    const count = (files: typeof before) => files.reduce((sum, { imports }) => sum + imports, 0);
    expect([count(before), count(after)]).toEqual([2, 0]);
    for (const name of ['first', 'second']) {
      const { default: order } = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
      expect(order).toEqual(['low', 'high', name]);
    }
  });
});
