import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../../support/project.ts';
import { startCommand } from '../../../support/run-command.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const FORMATS = join(PROJECT, 'test/fixtures/formats');

async function typesOf(models: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const folder = await makeFolder({});
  for (const [name, source] of Object.entries(models)) {
    await cp(source, join(folder, 'models', name), { recursive: true });
  }
  const outcome = await startCommand(['types', ...args], '', {}, folder).outcome;
  return { ...outcome, folder };
}

/** The lines of the models in a written file. */
function membersIn(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.startsWith('    '));
}

describe('ternion types', () => {
  it('writes what models take and give, under their names and paths', async () => {
    const { code, stdout, folder } = await typesOf({
      iris: join(PROJECT, 'models/iris'),
      digits: join(PROJECT, 'models/digits'),
    });
    expect([code, stdout]).toEqual([0, 'ternion.models.d.ts: 2 models\n']);
    const text = readFileSync(join(folder, 'ternion.models.d.ts'), 'utf8');
    expect(text).toContain("declare module 'ternion' {\n  interface Models {\n");
    const iris =
      '{ input: readonly [number, number, number, number] | { readonly sepal_length: number; readonly sepal_width: number; readonly petal_length: number; readonly petal_width: number }; ' +
      'prediction: { readonly prediction: "setosa" | "versicolor" | "virginica"; readonly class_id: number; readonly confidence: number; ' +
      'readonly probabilities: { readonly setosa: number; readonly versicolor: number; readonly virginica: number } } };';
    const members = membersIn(text);
    expect(members).toHaveLength(4);
    expect(members).toEqual(expect.arrayContaining([`    "iris": ${iris}`, `    "models/iris": ${iris}`]));
    expect(members[0]).toMatch(
      /^ {4}"digits": \{ input: Uint8Array; prediction: \{ readonly prediction: "0" \| "1" .* readonly top_5: \{ readonly \[label: string\]: number \} \} \};$/,
    );
  });

  it('knows texts, missing values and columns of texts', async () => {
    const { folder } = await typesOf({ 'house/1': join(FORMATS, 'tabular/sklearn-columns') });
    const [line] = membersIn(readFileSync(join(folder, 'ternion.models.d.ts'), 'utf8'));
    expect(line).toMatch(/readonly city: string; readonly area: number/);
    expect(line).toContain('readonly prediction: "cheap" | "dear"');
  });

  it('leaves out a model that cannot be loaded, and says why', async () => {
    const broken = await makeFolder({ 'model.onnx': 'no graph' });
    const { code, stderr, folder } = await typesOf(
      { 'bad/1': broken, iris: join(PROJECT, 'models/iris') },
      '-o',
      'my.d.ts',
    );
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^bad is left out: .*not an ONNX file/)]);
    expect(membersIn(readFileSync(join(folder, 'my.d.ts'), 'utf8'))).toHaveLength(2);
  });
});

describe('ternion export-helper', () => {
  it('copies the helper once, and again only with --force', async () => {
    const folder = await makeFolder({ 'training/keep.txt': '' });
    const run = async (...args: readonly string[]) =>
      await startCommand(['export-helper', ...args], '', {}, folder).outcome;
    expect(await run('training')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('from ternion_export import export'),
    });
    const helper = readFileSync(join(PROJECT, 'python/ternion_export.py'));
    expect(readFileSync(join(folder, 'training/ternion_export.py'))).toEqual(helper);
    expect(await run('training')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('training/ternion_export.py exists already; --force replaces it.'),
    });
    expect((await run('training', '--force')).code).toBe(0);
    expect((await run()).code).toBe(0);
    expect(readFileSync(join(folder, 'ternion_export.py'))).toEqual(helper);
  });
});
