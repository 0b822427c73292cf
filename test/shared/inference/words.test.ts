import { describe, expect, it, onTestFinished } from 'vitest';
import { runBatch } from '../../../shared/inference/run-batch.ts';
import { createSession, type Session } from '../../../shared/runtime/session.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import type { Layout } from '../../../shared/values/named-inputs.ts';
import { buildModel, buildNode, INT64, STRING, tensorValue } from '../../support/build-model.ts';
import { readFormatFolder } from '../../support/format-folders.ts';
import { inMemory } from '../../support/in-memory.ts';
import { serveModels } from '../../support/serve-models.ts';
import { ask } from '../protocols/sagemaker/ask.ts';

/** Cuts texts at white space, and counts their words. It counts its runs, and the places that their words may take. */
async function openSplitter(count: 'n' | '' | 3 = 'n') {
  const native = await createSession(
    inMemory(
      buildModel({
        nodes: [buildNode('StringSplit', ['x'], ['words', 'counts'])],
        inputs: [tensorValue('x', STRING, [count])],
        outputs: [tensorValue('words', STRING, [count, 'm']), tensorValue('counts', INT64, [count])],
        opsets: { '': 20 },
      }),
    ),
    { intraOpThreads: 1 },
  );
  onTestFinished(() => native.release());
  const sizes: number[] = [];
  const places: number[] = [];
  const isOpen = count !== '';
  const session: Session = {
    ...native,
    cutsTexts: true,
    inputs: native.inputs.map((spec) => ({ ...spec, ...(isOpen && { batchAxis: 0 }) })),
    outputs: native.outputs.map((spec) => ({ ...spec, ...(isOpen && { batchAxis: 0 }) })),
    run: (feeds, fetches) => {
      const data = textsOf(feeds.get('x'));
      sizes.push(data.length);
      places.push(data.length * Math.max(...data.map(({ length }) => length)));
      return native.run(feeds, fetches);
    },
  };
  const send = (texts: readonly string[], layout: Layout, fetches: readonly string[] = ['counts']) =>
    runBatch(session, new Map([['x', { datatype: 'BYTES', shape: [texts.length], data: [...texts] }]]), {
      fetches,
      layout,
    });
  return { run: send, sizes, places };
}

function textsOf(tensor: Tensor | undefined): readonly string[] {
  return Array.isArray(tensor?.data) ? tensor.data : [];
}

const LONG = 'a '.repeat(200_000);

describe('a graph that cuts texts into words', () => {
  it.each(['instances', 'batch', 'whole'] as const)(
    'gets a long text apart from many short ones, in the layout %s',
    async (layout) => {
      const { run, sizes, places } = await openSplitter();
      const texts = [...new Array<string>(500).fill('a b c'), LONG, ...new Array<string>(500).fill('d e')];
      const outputs = await run(texts, layout);
      expect(outputs.get('counts')).toEqual(
        createTensor(
          'INT64',
          [1001],
          texts.map((text) => text.split(' ').filter((word) => word !== '').length),
        ),
      );
      expect(sizes).toEqual([500, 2, 499]);
      expect(Math.max(...places)).toBeLessThanOrEqual(2 ** 20);
    },
  );

  it('runs texts of usual lengths at once', async () => {
    const { run, sizes } = await openSplitter();
    await run(new Array<string>(1024).fill('a'.repeat(1024)), 'instances');
    expect(sizes).toEqual([1024]);
  });

  it('runs them at once where each part would have other axes', async () => {
    const { run, sizes } = await openSplitter();
    const texts = [
      ...new Array<string>(9).fill('a b'),
      `c ${'d'.repeat(200_000)}`,
      `e f${' '.repeat(200_000)}g`,
    ];
    const outputs = await run(texts, 'instances', ['words', 'counts']);
    expect(outputs.get('words')?.shape).toEqual([11, 3]);
    expect(outputs.get('counts')).toEqual(createTensor('INT64', [11], [...new Array<number>(10).fill(2), 3]));
    expect(sizes).toEqual([9, 2, 11]);
  });

  it.each([
    ['without an axis of instances', ''],
    ['of a fixed number of texts', 3],
  ] as const)('refuses texts that would take too much room together: one %s', async (_, count) => {
    const { run, sizes } = await openSplitter(count);
    const few = await run(['a', 'b', 'a '.repeat(600_000)], 'instances');
    expect(few.get('counts')).toEqual(createTensor('INT64', [3], [1, 1, 600_000]));
    await expect(run(['a', 'b', 'a '.repeat(700_000)], 'instances')).rejects.toThrow(
      'Input "x" has 3 texts, and the longest has 1400000 characters. The graph of this model gives all texts the room of the longest, which is more than the limit of 4194304 characters; send fewer or shorter texts at once.',
    );
    expect(sizes).toEqual([3]);
  });
});

describe('a served model of scikit-learn that cuts texts into words', () => {
  const model = readFormatFolder('tabular/sklearn-texts')['model.onnx'];
  const serve = async () => {
    if (!(model instanceof Uint8Array)) throw new Error('the fixture has no graph');
    return await serveModels({ words: model }, { MAX_BATCH_SIZE: '1024', MAX_TEXT_CHARACTERS: '300000' });
  };
  const json = { 'content-type': 'application/json' };

  it('answers each text as if it had come alone, among longer ones', async () => {
    const host = await serve();
    const texts = ['GUT gemacht', 'sehr schlecht', `${'sehr '.repeat(50_000)}schlecht`];
    const predict = async (some: readonly string[]) => {
      const body = JSON.stringify({ instances: some.map((text) => ({ text })) });
      const { body: answer } = await ask(host, '/models/words/predict', body, json);
      return JSON.parse(answer.toString()).predictions;
    };
    const alone = (await Promise.all(texts.map((text) => predict([text])))).flat();
    const many = Array.from({ length: 600 }, (_, index) => texts[index === 300 ? 2 : index % 2] ?? '');
    expect(await predict(many)).toEqual(many.map((text) => alone[texts.indexOf(text)]));
    expect(alone.map(({ prediction }: { prediction: string }) => prediction)).toEqual(['pos', 'neg', 'neg']);
  });

  it.each([
    ['/models/words/predict', 'text/plain', (text: string) => text],
    ['/models/words/predict', 'application/json', (text: string) => JSON.stringify({ instances: [[text]] })],
    ['/models/words/invoke', 'text/csv', (text: string) => text],
    ['/models/words/invoke', 'application/jsonlines', (text: string) => JSON.stringify([text])],
    [
      '/v2/models/words/infer',
      'application/json',
      (text: string) =>
        JSON.stringify({ inputs: [{ name: 'text', datatype: 'BYTES', shape: [1, 1], data: [text] }] }),
    ],
  ])('refuses a text beyond the limit for texts: %s, %s', async (path, type, write) => {
    const host = await serve();
    const send = async (length: number) => {
      const { status, body } = await ask(host, path, write('a'.repeat(length)), { 'content-type': type });
      return [status, body.toString()];
    };
    expect(await send(300_000)).toEqual([200, expect.anything()]);
    expect(await send(300_001)).toEqual([
      413,
      expect.stringMatching(
        /Element 0 of input \\"text\\" has 300001 characters; the limit is 300000 \(MAX_TEXT_CHARACTERS\) for texts that a graph cuts into words\./,
      ),
    ]);
  });
});
