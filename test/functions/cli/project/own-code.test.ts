import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../support/project.ts';
import { startCommand } from '../../../support/run-command.ts';
import { makeFolder, writeFiles } from '../../../support/temporary-folder.ts';

const GRAPH = readFileSync(join(PROJECT, 'models/iris/2/model.onnx'));
const CONFIG: object = JSON.parse(readFileSync(join(PROJECT, 'models/iris/2/model.json'), 'utf8'));
const OWN_CODE = `
import { defineConfig, defineProcessor } from 'ternion';
export default defineConfig({
  processors: [
    defineProcessor({
      name: 'sizes',
      takes: 'features',
      before: (rows) => rows.map((row) => (row as { sizes: string }).sizes.split('x').map(Number)),
      after: (results) => results.map((result) => ({ species: (result as { prediction: string }).prediction })),
    }),
  ],
});
`;

async function makeProject(files: Readonly<Record<string, string>> = { 'ternion.config.ts': OWN_CODE }) {
  const folder = await makeFolder({
    ...files,
    'models/iris/1/model.onnx': GRAPH,
    'models/iris/1/model.json': JSON.stringify({ ...CONFIG, processors: [{ step: 'sizes' }] }),
  });
  const run = async (...args: readonly string[]) => await startCommand(args, '', {}, folder).outcome;
  return { folder, run };
}

const ROW = '{"sizes": "5.1x3.5x1.4x0.2"}';

describe('own code of a project', () => {
  it('is used by predict', async () => {
    const { run } = await makeProject();
    const { code, stdout } = await run('predict', 'iris', ROW, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ species: 'setosa' })]);
  });

  it('is used by batch, with names of columns and with lines of JSON', async () => {
    const { folder, run } = await makeProject();
    await writeFiles(folder, { 'in.csv': 'sizes\n5.1x3.5x1.4x0.2\n6.7x3x5.2x2.3\n', 'in.jsonl': `${ROW}\n` });
    expect((await run('batch', 'iris', 'in.csv', 'out.jsonl')).code).toBe(0);
    expect(readFileSync(join(folder, 'out.jsonl'), 'utf8')).toBe(
      '{"row":1,"species":"setosa"}\n{"row":2,"species":"virginica"}\n',
    );
    expect((await run('batch', 'iris', 'in.jsonl', 'out.csv')).code).toBe(0);
    expect(readFileSync(join(folder, 'out.csv'), 'utf8')).toBe(
      'row,prediction,error\n1,"{""species"":""setosa""}",\n',
    );
  });

  it('is used by compare, add and inspect', async () => {
    const { folder, run } = await makeProject();
    await writeFiles(folder, { 'in.csv': 'sizes\n5.1x3.5x1.4x0.2\n' });
    const compared = await run('compare', 'iris', 'iris/1', '--data', 'in.csv');
    expect([compared.code, compared.stdout]).toEqual([0, expect.stringContaining('labels differ in 0')]);
    const added = await run('add', 'models/iris/1', '-n', 'copy');
    expect([added.code, added.stderr]).toEqual([0, expect.not.stringContaining('sizes')]);
    expect((await run('predict', 'copy', ROW)).stdout).toContain('setosa');
    expect((await run('inspect', 'iris')).stdout).toMatch(/^ {2}steps {6}sizes$/m);
  });

  it('is named with its place and reason when it fails', async () => {
    const failing = OWN_CODE.replace(
      'after: (',
      "after: () => { throw new Error('db down'); },\n      never: (",
    );
    const { run } = await makeProject({ 'ternion.config.ts': failing });
    const { code, stderr } = await run('predict', 'iris', ROW);
    expect([code, stderr]).toEqual([1, 'The step "sizes" failed: db down (ternion.config.ts:9:28)\n']);
  });

  it('can be at another path', async () => {
    const { run } = await makeProject({ 'code/mine.mts': OWN_CODE });
    expect((await run('predict', 'iris', ROW, '--config', 'code/mine.mts')).code).toBe(0);
    const without = await run('predict', 'iris', ROW);
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringContaining(
        'names the step "sizes", and this server has no own code; a ternion.config.ts has it',
      ),
    ]);
  });

  it('is never read from a repository of models', async () => {
    const { folder, run } = await makeProject({ 'models/ternion.config.ts': OWN_CODE });
    await writeFile(join(folder, 'models/iris/1/ternion.config.ts'), OWN_CODE);
    expect((await run('predict', 'iris', ROW)).stderr).toContain('this server has no own code');
  });

  it('is refused when two steps have one name', async () => {
    const twice = OWN_CODE.replace(/defineProcessor\(\{.*\}\),/s, (step) => `${step}${step}`);
    const { run } = await makeProject({ 'ternion.config.ts': twice });
    expect(await run('predict', 'iris', ROW)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ternion.config.ts defines the step "sizes" twice.'),
    });
  });

  it.each<[string, string, number, string]>([
    ['a mistake', 'export default {\n  processors: [,\n', 1, 'ternion.config.ts:3:1: Unexpected end of file'],
    ['no default export', 'export const a = 1;', 2, 'ternion.config.ts must have a default export'],
    [
      'an unknown member',
      'export default { procesors: [] };',
      2,
      'has the unknown member "procesors"; the members are',
    ],
    [
      'a step that does nothing',
      'export default { processors: [{ name: "a" }] };',
      2,
      'returns, and processors[0] with the name "a" has neither "before" nor "after"; it has "name".',
    ],
    [
      'a step that takes something unknown',
      'export default { processors: [{ name: "a", takes: "audio", before: () => [] }] };',
      2,
      'and processors[0] with the name "a" has another "takes" than "features", "image", "text".',
    ],
    [
      'a schema of another kind',
      'export default { processors: [{ name: "a", input: { parse: () => 1 }, before: () => [] }] };',
      2,
      'and processors[0] with the name "a" has "input", which is not a schema, such as z.object({...}).',
    ],
    [
      'a route without a function',
      'export default { routes: [{ method: "GET", path: "/a" }] };',
      2,
      'has the wrong member "routes"',
    ],
    [
      'a package that is missing',
      'import a from "not-there"; export default a;',
      1,
      'Could not resolve "not-there"',
    ],
  ])('with %s is reported in words', async (_, text, code, message) => {
    const { run } = await makeProject({ 'ternion.config.ts': text });
    const outcome = await run('predict', 'iris', ROW);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(outcome.stderr).not.toContain('    at ');
  });

  it('shows where it threw', async () => {
    const { run } = await makeProject({ 'ternion.config.ts': '\n\nthrow new Error("no such table");\n' });
    const { code, stderr } = await run('predict', 'iris', ROW);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no such table[\s\S]*ternion\.config\.ts:3/)]);
  });
});

describe('packages of own code', () => {
  const withPackage = async (files: Readonly<Record<string, string>>) => {
    const project = await makeProject({
      'ternion.config.ts': `import { sizes } from 'shapes';\n${OWN_CODE.replace(/\(row as .*\)\.sizes/, 'sizes(row)')}`,
      ...Object.fromEntries(
        Object.entries(files).map(([path, content]) => [`node_modules/shapes/${path}`, content]),
      ),
    });
    return await project.run('predict', 'iris', ROW);
  };
  const manifest = (members: object = {}) =>
    JSON.stringify({ name: 'shapes', version: '1.0.0', main: 'index.js', ...members });
  const CODE = 'exports.sizes = (row) => row.sizes;';

  it('are compiled into it, also those of CommonJS', async () => {
    const { code, stdout } = await withPackage({
      'package.json': manifest(),
      'index.js': `const { sep } = require('node:path'); ${CODE} exports.sep = sep;`,
    });
    expect([code, stdout]).toEqual([0, expect.stringContaining('setosa')]);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    [
      'has an addon',
      { 'package.json': manifest(), 'index.js': `exports.a = require('./a.node'); ${CODE}`, 'a.node': '' },
    ],
    ['is built by node-gyp', { 'package.json': manifest({ gypfile: true }), 'index.js': CODE }],
    ['has a binding.gyp', { 'package.json': manifest(), 'index.js': CODE, 'binding.gyp': '' }],
    [
      'has one package for each platform',
      { 'package.json': manifest({ optionalDependencies: { 'shapes-linux-x64': '1' } }), 'index.js': CODE },
    ],
    [
      'loads an addon',
      { 'package.json': manifest(), 'index.js': `exports.a = require('bindings'); ${CODE}` },
    ],
  ])('are refused when one %s', async (_, files) => {
    const { code, stderr } = await withPackage(files);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('is a native addon, or loads one, which own code cannot have'),
    ]);
  });
});
