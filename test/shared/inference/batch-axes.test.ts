import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { markBatchAxes } from '../../../shared/inference/batch-axes.ts';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import { batchSizeOf, takesAnyBatch } from '../../../shared/inference/run-batch.ts';
import { createSession } from '../../../shared/runtime/session.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

type Shape = readonly (number | string)[];

/** A session of a graph with inputs and outputs of these shapes, which copies inputs to outputs. */
async function mark(inputs: readonly Shape[], outputs: readonly Shape[]) {
  const graph = buildModel({
    nodes: outputs.map((_, index) =>
      buildNode('Identity', [`x${Math.min(index, inputs.length - 1)}`], [`y${index}`]),
    ),
    inputs: inputs.map((shape, index) => tensorValue(`x${index}`, FLOAT, shape)),
    outputs: outputs.map((shape, index) => tensorValue(`y${index}`, FLOAT, shape)),
  });
  const path = join(await makeFolder({ 'model.onnx': graph }), 'model.onnx');
  const session = await createSession(path, { intraOpThreads: 1 });
  onTestFinished(() => session.release());
  return markBatchAxes(session, await readModelFile(path));
}

describe('the axis that counts instances', () => {
  it.each<[string, readonly Shape[], readonly Shape[], (number | undefined)[], (number | undefined)[]]>([
    ['the first, by its name', [['n', 4]], [['n', 4]], [0], [0]],
    [
      'the first of several inputs',
      [
        ['n', 4],
        ['n', 2],
      ],
      [['n', 4]],
      [0, 0],
      [0],
    ],
    ['the second, by its customary name', [['time', 'batch', 8]], [['time', 'batch', 8]], [1], [1]],
    ['the first, where a later one is called N', [['M', 'N']], [['M', 'N']], [0], [0]],
    ['the first, of clouds of n points', [['clouds', 'n', 3]], [['clouds', 'n', 3]], [0], [0]],
    ['the second by a short name that alone is shared', [['t', 'n', 8]], [['u', 'n', 8]], [1], [1]],
    ['the first by any shared name', [['rows', 8]], [['rows', 2]], [0], [0]],
    ['the second where only it is shared', [['t', 'batch', 8]], [['u', 'batch', 8]], [1], [1]],
    [
      'none of an input that all instances share',
      [
        ['n', 4],
        [4, 4],
      ],
      [['n', 4]],
      [0, undefined],
      [0],
    ],
    [
      'none of an input of another name',
      [
        ['n', 4],
        ['m', 4],
      ],
      [['n', 4]],
      [0, undefined],
      [0],
    ],
    [
      'the first without a name, with another one that has one',
      [
        ['n', 4],
        ['', 4],
      ],
      [['n', 4]],
      [0, 0],
      [0],
    ],
    ['the first without names', [['', 4]], [['', 4]], [0], [0]],
    ['the first of an output that was traced with one row', [['n', 4]], [[1, 4]], [0], [0]],
    ['the first of one size', [[2, 4]], [[2, 4]], [0], [0]],
    [
      'that of the size that outputs share',
      [
        [4, 4],
        [2, 4],
      ],
      [
        [4, 4],
        [2, 4],
      ],
      [0, undefined],
      [0, undefined],
    ],
    ['none of a scalar', [['n', 4], []], [['n', 4]], [0, undefined], [0]],
  ])('is %s', async (_, inputs, outputs, ofInputs, ofOutputs) => {
    const session = await mark(inputs, outputs);
    expect(session.inputs.map(({ batchAxis }) => batchAxis)).toEqual(ofInputs);
    expect(session.outputs.map(({ batchAxis }) => batchAxis)).toEqual(ofOutputs);
  });

  it('says how many instances a graph takes at once', async () => {
    const any = await mark(
      [
        ['n', 4],
        ['n', 2],
      ],
      [['n', 4]],
    );
    expect([batchSizeOf(any), takesAnyBatch(any)]).toEqual([-1, true]);
    const fixed = await mark([[3, 4]], [[3, 4]]);
    expect([batchSizeOf(fixed), takesAnyBatch(fixed)]).toEqual([3, false]);
    const shared = await mark(
      [
        ['n', 4],
        [4, 4],
      ],
      [['n', 4]],
    );
    expect([batchSizeOf(shared), takesAnyBatch(shared)]).toEqual([-1, false]);
  });
});
