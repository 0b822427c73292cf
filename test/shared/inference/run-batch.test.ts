import { describe, expect, it, onTestFinished } from 'vitest';
import { runBatch } from '../../../shared/inference/run-batch.ts';
import { createSession, type Session, type TensorSpec } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../error-of.ts';
import { inMemory } from '../in-memory.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../onnx/build-model.ts';

/** A graph for batches of a fixed size, or of any for ''. It counts its runs. */
async function open(batch: number | '') {
  const native = await createSession(
    inMemory(
      buildModel({
        nodes: [buildNode('Neg', ['x'], ['negative']), buildNode('Add', ['x', 'x'], ['double'])],
        inputs: [tensorValue('x', FLOAT, [batch, 2])],
        outputs: [tensorValue('negative', FLOAT, [batch, 2]), tensorValue('double', FLOAT, [batch, 2])],
      }),
    ),
    { intraOpThreads: 1 },
  );
  onTestFinished(() => native.release());
  const sizes: number[] = [];
  const session: Session = {
    ...native,
    inputs: native.inputs.map((spec) => ({ ...spec, batchAxis: 0 })),
    run: (feeds, fetches) => {
      sizes.push(feeds.get('x')?.shape[0] ?? -1);
      return native.run(feeds, fetches);
    },
  };
  const [input] = session.inputs;
  if (!input) throw new Error('the graph has no input');
  return { session, input, sizes };
}

function run({ session, input }: { session: Session; input: TensorSpec }, rows: number) {
  const values = Array.from({ length: rows * 2 }, (_, index) => index + 1);
  const feeds = new Map([[input.name, createTensor('FP32', [rows, 2], values)]]);
  return runBatch(session, feeds, { fetches: ['double', 'negative'], isBatch: true });
}

const rowsTimes = (rows: number, factor: number) =>
  createTensor(
    'FP32',
    [rows, 2],
    Array.from({ length: rows * 2 }, (_, index) => (index + 1) * factor),
  );

describe('runBatch', () => {
  it.each([
    ['', 5, [5]],
    [5, 5, [5]],
    [1, 3, [1, 1, 1]],
    [2, 6, [2, 2, 2]],
  ] as const)(
    'sends a graph for batches of %j the %i rows in portions of %j',
    async (batch, rows, portions) => {
      const model = await open(batch);
      const outputs = await run(model, rows);
      expect(model.sizes).toEqual(portions);
      expect([...outputs]).toEqual([
        ['double', rowsTimes(rows, 2)],
        ['negative', rowsTimes(rows, -1)],
      ]);
    },
  );

  it('refuses rows that do not make whole portions', async () => {
    const model = await open(4);
    const error = await rejectionOf(run(model, 6));
    expect(error.message).toBe(
      'The request has 6 instances; the model was exported for batches of exactly 4.',
    );
    expect(error.status).toBe(400);
    expect(model.sizes).toEqual([]);
  });
});
