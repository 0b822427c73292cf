import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bindColumns } from '../../../shared/inference/bind-columns.ts';
import { checkExternalData } from '../../../shared/inference/check-external-data.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferOutput, rowsInput, serve } from '../../support/make-inference.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const MOST_CPU_SECONDS = 5;

async function cpuSecondsOf(action: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe('a model', () => {
  it('of 4,000 data files is checked in time that grows with their number', async () => {
    const names = Array.from({ length: 4000 }, (_, index) => `part-${index}`);
    const folder = await makeFolder({
      'model.onnx': '',
      ...Object.fromEntries(names.map((name) => [name, 'data'])),
    });
    const data = names.map((location) => ({ location, tensor: 'w', offset: undefined, length: '4' }));
    const path = join(folder, 'model.onnx');
    expect(await cpuSecondsOf(() => checkExternalData(path, data))).toBeLessThan(MOST_CPU_SECONDS);
  });

  it('of 20,000 inputs is bound in time that grows with their number', async () => {
    const specs = Array.from({ length: 20_000 }, (_, index) => ({
      name: `x${index}`,
      datatype: 'FP32' as const,
      shape: [-1, 1],
    }));
    expect(await cpuSecondsOf(() => bindColumns(specs, undefined))).toBeLessThan(MOST_CPU_SECONDS);
    expect(bindColumns(specs, undefined).inputs[19_999]?.places).toEqual([19_999]);
  });

  it('that says it takes two thousand million columns is refused', async () => {
    const model = buildModel({
      nodes: [buildNode('ReduceSum', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2 ** 31 - 1])],
      outputs: [tensorValue('y', FLOAT, [1, 1])],
    });
    const inference = await serve({ 'model.onnx': model, 'model.json': '{"task": "tabular-regression"}' });
    expect((await rejectionOf(inferOutput(inference, rowsInput([[1]])))).message).toBe(
      'Model "m" version "1" cannot be loaded: a tabular model takes at most 4194304 columns, but its graph takes 2147483647.',
    );
  });
});
