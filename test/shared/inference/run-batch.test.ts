import { describe, expect, it, onTestFinished } from 'vitest';
import { runBatch, type Watch } from '../../../shared/inference/run-batch.ts';
import { createSession, type Session, type TensorSpec } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inMemory } from '../../support/in-memory.ts';

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
    outputs: native.outputs.map((spec) => ({ ...spec, batchAxis: 0 })),
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
  return runBatch(session, feeds, { fetches: ['double', 'negative'], layout: 'batch' });
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
    'takes a graph for batches of %j, and sends it %i rows in portions of %j',
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

  it('lets other requests run between slow portions', async () => {
    const model = await open(1);
    let othersAtLastRun = 0;
    let others = 0;
    const session: Session = {
      ...model.session,
      run: (feeds, fetches) => {
        setImmediate(() => others++);
        othersAtLastRun = others;
        const endMs = performance.now() + 40;
        while (performance.now() < endMs);
        return model.session.run(feeds, fetches);
      },
    };
    await run({ ...model, session }, 3);
    expect(othersAtLastRun).toBe(2);
  });

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

/** Outputs whether numbers are even or odd, the numbers, and the kinds that occur. It counts its runs. */
async function openLabels(kinds: 'none' | 'by their number' | 'said to be by row' = 'none') {
  const claims = kinds === 'said to be by row';
  const labels = buildNode('LabelEncoder', ['x'], ['label'], {
    domain: 'ai.onnx.ml',
    attributes: [
      integersAttribute('keys_int64s', [0n, 1n]),
      stringsAttribute('values_strings', ['even', 'odd']),
    ],
  });
  const native = await createSession(
    inMemory(
      buildModel({
        nodes: [labels, buildNode('Identity', ['x'], ['same']), buildNode('Unique', ['x'], ['kinds'])],
        inputs: [tensorValue('x', INT64, ['n'])],
        outputs: [
          tensorValue('label', STRING, ['n']),
          tensorValue('same', INT64, ['n']),
          ...(kinds === 'none' ? [] : [tensorValue('kinds', INT64, [claims ? 'n' : 'k'])]),
        ],
        opsets: { '': 18, 'ai.onnx.ml': 2 },
      }),
    ),
    { intraOpThreads: 1 },
  );
  onTestFinished(() => native.release());
  const sizes: number[] = [];
  const mark = (spec: TensorSpec) => (spec.name === 'kinds' && !claims ? spec : { ...spec, batchAxis: 0 });
  const session: Session = {
    ...native,
    inputs: native.inputs.map(mark),
    outputs: native.outputs.map(mark),
    run: (feeds, fetches) => {
      sizes.push(feeds.get('x')?.shape[0] ?? -1);
      return native.run(feeds, fetches);
    },
  };
  return { session, sizes };
}

describe('runBatch of rows that give texts', () => {
  const ROWS = 150_000;
  const feeds = new Map([
    [
      'x',
      createTensor(
        'INT64',
        [ROWS],
        Array.from({ length: ROWS }, (_, index) => ((index * 7) % 3) % 2),
      ),
    ],
  ]);
  const label = (index: number) => (((index * 7) % 3) % 2 === 0 ? 'even' : 'odd');

  it('sends some rows at a time where the outputs are texts, and joins the outputs', async () => {
    const { session, sizes } = await openLabels();
    const outputs = await runBatch(session, feeds, { fetches: ['label', 'same'], layout: 'batch' });
    expect(sizes).toEqual([65_536, 65_536, 18_928]);
    expect([...outputs.keys()]).toEqual(['label', 'same']);
    expect(outputs.get('same')).toEqual(feeds.get('x'));
    expect(outputs.get('label')).toEqual({
      datatype: 'BYTES',
      shape: [ROWS],
      data: Array.from({ length: ROWS }, (_, index) => label(index)),
    });
  });

  it('runs all of them at once where no texts are asked for', async () => {
    const { session, sizes } = await openLabels();
    expect((await runBatch(session, feeds, { fetches: ['same'], layout: 'batch' })).get('same')).toEqual(
      feeds.get('x'),
    );
    expect(sizes).toEqual([ROWS]);
  });

  it.each([
    ['has not one thing a row', 'by their number', [ROWS]],
    ['turns out to have not one thing a row', 'said to be by row', [65_536, ROWS]],
  ] as const)('runs all of them at once where an output %s', async (_, kinds, expected) => {
    const { session, sizes } = await openLabels(kinds);
    const outputs = await runBatch(session, feeds, { fetches: ['label', 'kinds'], layout: 'batch' });
    expect(sizes).toEqual(expected);
    expect(outputs.get('kinds')).toEqual(createTensor('INT64', [2], [0, 1]));
    expect(outputs.get('label')?.shape).toEqual([ROWS]);
  });

  it('ends when nobody needs the rest', async () => {
    const { session, sizes } = await openLabels();
    const leave: Watch = async (run) => {
      if (sizes.length > 0) throw new Error('gone');
      return await run();
    };
    const result = runBatch(session, feeds, { fetches: ['label'], layout: 'batch' }, leave);
    await expect(result).rejects.toThrow('gone');
    expect(sizes).toEqual([65_536]);
  });
});

describe('a batch whose instances are not on the first axis of all tensors', () => {
  const spec = (name: string, shape: readonly number[], batchAxis: number) => ({
    name,
    datatype: 'FP32' as const,
    shape,
    batchAxis,
  });
  const session: Session = {
    inputs: [spec('x', [1, 2], 0), spec('state', [1, 1, 3], 1)],
    outputs: [spec('y', [1, 2], 0), spec('next', [1, 1, 3], 1)],
    run: async (feeds) => new Map([...feeds].map(([name, tensor]) => [name === 'x' ? 'y' : 'next', tensor])),
    release: async () => undefined,
  };
  const x = createTensor('FP32', [2, 2], [1, 2, 3, 4]);

  it('is not cut as it is', async () => {
    const feeds = new Map([
      ['x', x],
      ['state', createTensor('FP32', [1, 1, 3], [1, 2, 3])],
    ]);
    await expect(runBatch(session, feeds, { layout: 'batch' })).rejects.toThrow(
      'Tensor "state" has its instances on axis 1, and the model was exported for batches of exactly 1: send 1 at a time, or use "instances".',
    );
  });

  it('is cut where its instances are listed', async () => {
    const state = createTensor('FP32', [2, 1, 3], [1, 2, 3, 4, 5, 6]);
    const feeds = new Map([
      ['x', x],
      ['state', state],
    ]);
    expect(await runBatch(session, feeds, { layout: 'instances' })).toEqual(
      new Map([
        ['y', x],
        ['next', state],
      ]),
    );
  });
});
