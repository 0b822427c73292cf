import { cp, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { create } from 'tar';
import { describe, expect, it } from 'vitest';
import { externalInitializer } from '../../support/build-model.ts';
import { sumModel } from '../../support/outside-weights.ts';
import { PROJECT } from '../../support/project.ts';
import { runCommand, temporaryFolder } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

const EMBEDDER = join(PROJECT, 'test/fixtures/formats/optimum/sentence-mean');
const floats = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);

async function outputOf(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('the only graph of a folder', () => {
  it.each(['model_quantized.onnx', 'onnx/model_q4f16.onnx'])(
    'is tried, published and served with all files beside it: %s',
    async (file) => {
      const folder = await temporaryFolder();
      const place = join(folder, 'export');
      await cp(EMBEDDER, place, { recursive: true });
      const text = 'The ship hung in the sky.';
      const vector = await outputOf(['predict', place, text]);
      await rename(join(place, 'onnx/model.onnx'), join(place, file));
      expect(await outputOf(['predict', place, text])).toBe(vector);
      const repository = join(folder, 'repository');
      const added = await outputOf(['add', place, '--name', 'e', '-r', repository]);
      expect(added).toContain('it answers its example');
      expect(await outputOf(['predict', 'e', text, '-r', repository])).toBe(vector);
      expect(await outputOf(['verify', '-r', repository])).toContain('no fault');
    },
  );
});

describe('several graphs of a folder', () => {
  const sum = (location: string) =>
    sumModel('none', 'initializer', (name) => externalInitializer(name, location));
  const X = '{"inputs": {"x": [[1, 2]]}}';

  async function makeExport(): Promise<string> {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'export/onnx/model_fp16.onnx': sum('model_fp16.onnx_data'),
      'export/onnx/model_fp16.onnx_data': floats(10, 20),
      'export/onnx/model_q4.onnx': sum('q4.weights'),
      'export/onnx/q4.weights': floats(30, 40),
      'export/labels.txt': 'a\nb\n',
    });
    return folder;
  }

  it('are listed if none is chosen', async () => {
    const folder = await makeExport();
    const sentence =
      'it has several graphs: onnx/model_fp16.onnx, onnx/model_q4.onnx; choose one with "file" in its model.json, or with ternion add --file onnx/model_fp16.onnx';
    await cp(join(folder, 'export'), join(folder, 'repository/m/1'), { recursive: true });
    for (const command of [
      ['inspect', join(folder, 'export')],
      ['predict', join(folder, 'export'), X],
      ['add', join(folder, 'export'), '-r', join(folder, 'repository')],
      ['predict', 'm', X, '-r', join(folder, 'repository')],
    ]) {
      const { code, stderr } = await runCommand(command);
      expect([code, stderr], command.join(' ')).toEqual([1, expect.stringContaining(sentence)]);
    }
  });

  it.each([
    ['onnx/model_fp16.onnx', 'model_fp16.onnx_data', '{"y":[[11,22]]}\n'],
    ['./onnx/model_q4.onnx', 'q4.weights', '{"y":[[31,42]]}\n'],
  ])('are left out except the one that --file names, with its weights: %s', async (file, weights, answer) => {
    const folder = await makeExport();
    const repository = join(folder, 'repository');
    const inspected = JSON.parse(
      await outputOf(['inspect', join(folder, 'export'), '--file', file, '--json']),
    );
    expect([inspected.file, inspected.files]).toEqual([join(file), 3]);
    await outputOf(['add', join(folder, 'export'), '--file', file, '--name', 'm', '-r', repository]);
    expect(await readdir(join(repository, 'm/1/onnx'))).toEqual([file.split('/').at(-1), weights]);
    expect(await outputOf(['predict', 'm', X, '-r', repository])).toBe(answer);
  });

  it('are left out except the one that model.json names, or the usual one', async () => {
    const folder = await makeExport();
    await writeFiles(folder, { 'export/model.json': '{"task": "tensor", "file": "onnx/model_q4.onnx"}' });
    const repository = join(folder, 'repository');
    expect(await outputOf(['predict', join(folder, 'export'), X])).toBe('{"y":[[31,42]]}\n');
    await outputOf(['add', join(folder, 'export'), '--name', 'm', '-r', repository]);
    expect(await readdir(join(repository, 'm/1/onnx'))).toEqual(['model_q4.onnx', 'q4.weights']);
    expect(await outputOf(['predict', 'm', X, '-r', repository])).toBe('{"y":[[31,42]]}\n');
    await writeFiles(folder, {
      'export/model.json': '{"task": "tensor"}',
      'export/model.onnx': sum('onnx/model_fp16.onnx_data'),
    });
    await outputOf(['add', join(folder, 'export'), '--name', 'm', '-r', repository]);
    expect(await readdir(join(repository, 'm/2/onnx'))).toEqual(['model_fp16.onnx_data']);
    expect(await outputOf(['predict', 'm', X, '-r', repository])).toBe('{"y":[[11,22]]}\n');
  });

  it('must include the one that --file names', async () => {
    const folder = await makeExport();
    const place = join(folder, 'export');
    const ask = async (path: string, file: string) => {
      const { code, stderr } = await runCommand([
        'add',
        path,
        '--file',
        file,
        '-r',
        join(folder, 'repository'),
      ]);
      return [code, stderr];
    };
    const graphs = 'onnx/model_fp16.onnx, onnx/model_q4.onnx';
    expect(await ask(place, 'labels.txt')).toEqual([
      2,
      `--file "labels.txt" is not a graph in "${place}"; its graphs are: ${graphs}.\n`,
    ]);
    const archive = join(folder, 'export.tar');
    await create({ file: archive, cwd: place }, ['.']);
    expect(await ask(archive, 'labels.txt')).toEqual([
      2,
      `--file "labels.txt" is not a graph in "${archive}"; its graphs are: ${graphs}.\n`,
    ]);
    // With a folder for each version, no graph of one of them can be chosen.
    await cp(join(PROJECT, 'models/iris/2'), join(folder, 'versions/2'), { recursive: true });
    await create({ file: archive, cwd: join(folder, 'versions') }, ['.']);
    expect(await ask(archive, 'other.onnx')).toEqual([
      2,
      `--file "other.onnx" is not a graph in "${archive}"; its graphs are: none.\n`,
    ]);
    expect(await ask(join(place, 'onnx/model_q4.onnx'), 'a')).toEqual([
      2,
      expect.stringMatching(/^--file names a graph in a folder, and ".*model_q4\.onnx" is not one\.\n/),
    ]);
  });
});
