import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { shrink } from '../../../infra/build/shrink.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** Three entry points. Two need a file that adds to a list, and with it another one that does so, which all need. */
const SOURCES = {
  'low.js': 'export const order = []; order.push("low");',
  'high.js': 'import { order } from "./low.js"; order.push("high"); export const copy = () => [...order];',
  'lazy.js': 'export const trace = () => {\n  return new Error("lazy").stack;\n};',
  'first.js': 'import { copy } from "./high.js";\nexport default [...copy(), "first"];',
  'second.js':
    'import { copy } from "./high.js";\nexport default [...copy(), "second"];\nexport const load = () => import("./lazy.js");',
  'third.js': 'import { order } from "./low.js";\nexport default [...order, "third"];',
};

async function bundle() {
  const folder = await makeFolder(SOURCES);
  const output = join(folder, 'output');
  const { metafile } = await build({
    entryPoints: ['first', 'second', 'third'].map((name) => join(folder, `${name}.js`)),
    outdir: output,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    chunkNames: '[hash]',
    format: 'esm',
    minify: true,
    sourcemap: true,
    metafile: true,
    logLevel: 'error',
  });
  return { output, metafile };
}

const scriptsOf = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.mjs'));
const textOf = (folder: string) =>
  scriptsOf(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');

describe('shrink', () => {
  it('gives short names to the files that others import, in the metafile too', async () => {
    const { output, metafile } = await bundle();
    const { outputs } = shrink(output, 'node22', metafile);
    const names = ['0.mjs', '1.mjs', '2.mjs', 'first.mjs', 'second.mjs', 'third.mjs'];
    expect(scriptsOf(output)).toEqual(names);
    expect(
      Object.keys(outputs)
        .map((path) => basename(path))
        .sort(),
    ).toEqual(names.flatMap((name) => [name, `${name}.map`]));
    for (const name of names)
      expect(readFileSync(join(output, name), 'utf8')).toContain(`//# sourceMappingURL=${name}.map\n`);
  });

  it('removes imports of what is loaded anyway, and changes nothing that runs', async () => {
    const { output, metafile } = await bundle();
    expect(textOf(output).match(/import"/g)).toHaveLength(2);
    shrink(output, 'node22', metafile);
    expect(textOf(output).match(/import"/g)).toBeNull();
    for (const name of ['first', 'second']) {
      const { default: order } = await import(pathToFileURL(join(output, `${name}.mjs`)).href);
      expect(order).toEqual(['low', 'high', name]);
    }
  });

  it('keeps where code comes from', async () => {
    const { output, metafile } = await bundle();
    shrink(output, 'node22', metafile);
    const script = `
      const { load } = await import('./second.mjs');
      const { trace } = await load();
      console.log(trace());`;
    const stack = execFileSync(
      process.execPath,
      ['--enable-source-maps', '--input-type=module', '--eval', script],
      { cwd: output, encoding: 'utf8' },
    );
    expect(stack).toMatch(/^Error: lazy\n\s+at .*\/lazy\.js:2:14\b/);
  });
});
