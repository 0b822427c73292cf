import { describe, expect, it, onTestFinished } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { splitSequences } from '../../../shared/onnx/sequences.ts';
import { createSession } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { buildModel, buildNode, FLOAT, sequenceValue, tensorValue } from '../../support/build-model.ts';
import { inMemory } from '../../support/in-memory.ts';

/** Two values in a sequence; one is a sigmoid. */
const model = buildModel({
  nodes: [
    buildNode('Sigmoid', ['x'], ['share']),
    buildNode('Neg', ['x'], ['all_0']),
    buildNode('SequenceConstruct', ['share', 'all_0', 'share'], ['all']),
  ],
  inputs: [tensorValue('x', FLOAT, ['n'])],
  outputs: [sequenceValue('all', FLOAT), tensorValue('share', FLOAT, ['n'])],
});

describe('an output that is a sequence of tensors', () => {
  it('is one output for each, under names that are not taken', async () => {
    const { outputs, sequences, probabilities } = await readGraph(bytesSource(model));
    expect(outputs.map(({ name, kind }) => [name, kind])).toEqual([
      ['all__0', 'tensor'],
      ['all__1', 'tensor'],
      ['all__2', 'tensor'],
      ['share', 'tensor'],
    ]);
    expect(sequences).toHaveLength(1);
    expect(probabilities).toEqual(new Set(['all__0', 'all__2', 'share']));
  });

  it('gives the values of each', async () => {
    const session = await createSession(inMemory(rewriteModel(bytesSource(model), [splitSequences])), {
      intraOpThreads: 1,
    });
    onTestFinished(() => session.release());
    const outputs = await session.run(
      new Map([['x', createTensor('FP32', [2], [0, 2])]]),
      session.outputs.map(({ name }) => name),
    );
    expect([...outputs].map(([name, { data }]) => [name, Array.from(data, Number)])).toEqual([
      ['all__0', [0.5, expect.closeTo(0.8808, 4)]],
      ['all__1', [-0, -2]],
      ['all__2', [0.5, expect.closeTo(0.8808, 4)]],
      ['share', [0.5, expect.closeTo(0.8808, 4)]],
    ]);
  });

  it('stays a sequence where no node of the graph itself makes it', async () => {
    const inner = buildModel({
      nodes: [buildNode('SequenceEmpty', [], ['none']), buildNode('SequenceInsert', ['none', 'x'], ['all'])],
      inputs: [tensorValue('x', FLOAT, ['n'])],
      outputs: [sequenceValue('all', FLOAT)],
    });
    const { outputs, sequences } = await readGraph(bytesSource(inner));
    expect([outputs.map(({ kind }) => kind), sequences]).toEqual([['sequence'], []]);
    expect(splitSequences(bytesSource(inner))).toEqual([]);
  });
});
