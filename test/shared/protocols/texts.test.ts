import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../contracts/exchanges.ts';
import { ask } from '../../support/ask.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { extractor, idOf, pairClassifier, TOKENIZER, wordVectors } from '../../support/text-models.ts';

async function open(environment: Readonly<Record<string, string>> = {}): Promise<TestHost> {
  const config = { task: 'text-classification', labels: ['sum', 'second'] };
  const folder = await makeFolder({
    'pairs/1/model.onnx': pairClassifier,
    'pairs/1/model.json': JSON.stringify(config),
    'pairs/1/tokenizer.json': TOKENIZER['tokenizer.json'],
    'pairs/1/tokenizer_config.json': TOKENIZER['tokenizer_config.json'],
    'vectors/1/model.onnx': extractor,
    'vectors/1/model.json': JSON.stringify({ task: 'feature-extraction', pooling: 'mean' }),
    'vectors/1/tokenizer.json': TOKENIZER['tokenizer.json'],
    'vectors/1/tokenizer_config.json': TOKENIZER['tokenizer_config.json'],
  });
  const host = openApp({ MODEL_REPOSITORY: folder, DEFAULT_MODEL: 'pairs', ...environment });
  onTestFinished(() => host.close());
  return host;
}

const [CLS, SEP] = [2, 3];
const sumOf = (words: string) =>
  words === '' ? 0 : words.split(' ').reduce((sum, word) => sum + idOf(word), 0);
/** What the model gives for a text, or for a pair. */
const scores = (text: string, pair?: string) => {
  const second = pair === undefined ? 0 : sumOf(pair) + SEP;
  return [CLS + sumOf(text) + SEP + second, second];
};
const labels = (text: string, pair?: string) => {
  const [sum, second] = scores(text, pair);
  return [
    { label: 'sum', score: sum },
    { label: 'second', score: second },
  ];
};
const [A, B] = ['the dog', 'fox'];
const TEXTS = [scores(A), scores(B)];
const PAIRS = [scores(A, B), scores(B, A)];
const named = (rows: readonly unknown[]) => rows.map((logits) => ({ logits }));

const V1 = '/v1/models/pairs:predict';
const VERTEX = '/v1/projects/p/locations/l/endpoints/pairs:predict';
const ENDPOINT = '/endpoints/pairs/invocations';
const SERVING = '/serving-endpoints/pairs/invocations';
const UBIOPS = '/v2.1/projects/p/deployments/pairs/requests';
const PREDICT = '/models/pairs/predict';
const PAIR = { text: A, text_pair: B };
const OTHER = { text: B, text_pair: A };

describe('texts and pairs', () => {
  it.each<[string, string, unknown, unknown]>([
    ['TensorFlow Serving: texts', V1, { instances: [A, B] }, { predictions: TEXTS }],
    ['objects', V1, { instances: [{ text: A }, { text: B }] }, { predictions: TEXTS }],
    ['lists of one', V1, { instances: [[A], [B]] }, { predictions: TEXTS }],
    ['any name', V1, { instances: [{ review: A }, { review: [B] }] }, { predictions: TEXTS }],
    ['base64', V1, { instances: [{ b64: btoa(A) }, { b64: btoa(B) }] }, { predictions: TEXTS }],
    ['whole inputs', V1, { inputs: [A, B] }, { outputs: TEXTS }],
    ['one whole text', V1, { inputs: A }, { outputs: [scores(A)] }],
    ['whole inputs by name', V1, { inputs: { text: [A, B] } }, { outputs: TEXTS }],
    ['pairs', V1, { instances: [PAIR, OTHER] }, { predictions: PAIRS }],
    [
      'pairs in lists',
      V1,
      {
        instances: [
          [A, B],
          [B, A],
        ],
      },
      { predictions: PAIRS },
    ],
    ['premises', V1, { instances: [{ hypothesis: B, premise: A }] }, { predictions: [scores(A, B)] }],
    ['whole pairs', V1, { inputs: { text: [A, B], text_pair: [B, A] } }, { outputs: PAIRS }],
    ['one whole pair', V1, { inputs: PAIR }, { outputs: [scores(A, B)] }],
    [
      'tokens',
      V1,
      { instances: [{ input_ids: [5], attention_mask: [1], token_type_ids: [1] }] },
      { predictions: [[5, 5]] },
    ],
    ['Vertex AI: texts', VERTEX, { instances: [A, B] }, expect.objectContaining({ predictions: TEXTS })],
    ['objects', VERTEX, { instances: [{ text: A }] }, expect.objectContaining({ predictions: [scores(A)] })],
    [
      "AutoML's objects",
      VERTEX,
      { instances: [{ content: A, mimeType: 'text/plain' }], parameters: { maxPredictions: 1 } },
      expect.objectContaining({
        predictions: [{ ids: ['0'], displayNames: ['sum'], scores: [scores(A)[0]] }],
      }),
    ],
    ['pairs', VERTEX, { instances: [PAIR] }, expect.objectContaining({ predictions: [scores(A, B)] })],
    ['SageMaker: a list', ENDPOINT, { inputs: [A, B] }, [labels(A), labels(B)]],
    [
      'with parameters',
      ENDPOINT,
      { inputs: [A, B], parameters: { top_k: 1 } },
      [labels(A).slice(0, 1), labels(B).slice(0, 1)],
    ],
    ['one text', ENDPOINT, { inputs: A }, [labels(A)]],
    ['a pair', ENDPOINT, { inputs: PAIR }, [labels(A, B)]],
    [
      'pairs',
      ENDPOINT,
      {
        inputs: [
          [A, B],
          [B, A],
        ],
      },
      [labels(A, B), labels(B, A)],
    ],
    ['instances', ENDPOINT, { instances: [A, B] }, { predictions: TEXTS }],
    ['a bare list', ENDPOINT, [A, B], TEXTS],
    ['MLflow: whole inputs', SERVING, { inputs: [A, B] }, { predictions: TEXTS }],
    ["MLflow's server", '/invocations', { inputs: [A, B] }, { predictions: TEXTS }],
    ['instances', SERVING, { instances: [A, B] }, { predictions: TEXTS }],
    [
      'split',
      SERVING,
      { dataframe_split: { columns: ['review'], data: [[A], [B]] } },
      { predictions: TEXTS },
    ],
    [
      'records',
      SERVING,
      {
        dataframe_records: [
          { id: 1, text: A },
          { id: 2, text: B },
        ],
      },
      { predictions: TEXTS },
    ],
    ['columns', SERVING, { inputs: { text: [A, B] } }, { predictions: TEXTS }],
    [
      'pairs in columns',
      SERVING,
      {
        dataframe_split: {
          columns: ['id', 'text_pair', 'text'],
          data: [
            [1, B, A],
            [2, A, B],
          ],
        },
      },
      { predictions: PAIRS },
    ],
    [
      'pairs without names',
      SERVING,
      {
        dataframe_split: {
          data: [
            [A, B],
            [B, A],
          ],
        },
      },
      { predictions: PAIRS },
    ],
    [
      'tokens in columns',
      SERVING,
      { inputs: { input_ids: [[5]], attention_mask: [[1]], token_type_ids: [[1]] } },
      { predictions: [[5, 5]] },
    ],
    ['Azure ML: data', '/score', { data: [A, B] }, TEXTS],
    ['input_data', '/score', { input_data: [A, B] }, TEXTS],
    ['a table', '/score', { input_data: { columns: ['text'], index: [0, 1], data: [[A], [B]] } }, TEXTS],
    ['inputs', '/score', { inputs: [A, B] }, TEXTS],
    ['pairs', '/score', { data: [PAIR, OTHER] }, PAIRS],
    ['UbiOps: a field', UBIOPS, { text: A }, expect.objectContaining({ result: { logits: scores(A) } })],
    ['a field with a list', UBIOPS, { text: [A, B] }, expect.objectContaining({ result: { logits: TEXTS } })],
    ['a list', UBIOPS, [{ text: A }, { text: B }], expect.objectContaining({ result: named(TEXTS) })],
    ['a pair', UBIOPS, PAIR, expect.objectContaining({ result: { logits: scores(A, B) } })],
    ['Hugging Face: texts', '/hf/pairs', { inputs: [A, B] }, [labels(A), labels(B)]],
    ['a pair', '/hf/pairs', { inputs: PAIR }, [labels(A, B)]],
    ['pairs', '/hf/pairs', { inputs: [[A, B], OTHER] }, [labels(A, B), labels(B, A)]],
    ['texts and pairs', '/hf/pairs', { inputs: [[A], [A, B]] }, [labels(A), labels(A, B)]],
    ['texts on the route of Ternion', PREDICT, { inputs: [A, B] }, [labels(A), labels(B)]],
    ['pairs on the route of Ternion', '/predict', { inputs: [[A, B]] }, [labels(A, B)]],
    [
      'TorchServe: texts',
      '/predictions/pairs',
      [A, B],
      [A, B].map((text) => ({ sum: scores(text)[0], second: 0 })),
    ],
    ['a pair', '/predictions/pairs', { data: PAIR }, { sum: scores(A, B)[0], second: scores(A, B)[1] }],
    [
      'instances',
      '/predictions/pairs',
      { instances: [{ data: A }] },
      { predictions: [{ sum: scores(A)[0], second: 0 }] },
    ],
    [
      'Ternion: a text',
      PREDICT,
      { text: A },
      expect.objectContaining({ prediction: 'sum', scores: { sum: scores(A)[0], second: 0 } }),
    ],
    [
      'a pair',
      PREDICT,
      PAIR,
      expect.objectContaining({ scores: { sum: scores(A, B)[0], second: scores(A, B)[1] } }),
    ],
    [
      'instances',
      PREDICT,
      { instances: [A, { text: A }, PAIR] },
      expect.objectContaining({
        predictions: [scores(A), scores(A), scores(A, B)].map(([sum, second]) =>
          expect.objectContaining({ scores: { sum, second } }),
        ),
      }),
    ],
    [
      'TensorFlow Serving: classify',
      '/v1/models/pairs:classify',
      { examples: [{ text: A }, { text: [B] }] },
      {
        results: TEXTS.map(([sum, second]) => [
          ['sum', sum],
          ['second', second],
        ]),
      },
    ],
    [
      'classify pairs',
      '/v1/models/pairs:classify',
      { context: { text: A }, examples: [{ text_pair: B }] },
      {
        results: [
          [
            ['sum', scores(A, B)[0]],
            ['second', scores(A, B)[1]],
          ],
        ],
      },
    ],
  ])('%s (%s)', async (_, path, body, expected) => {
    const answer = await ask(await open(), post(path, body));
    expect(answer.json).toEqual(expected);
    expect(answer.status).toBe(200);
  });
});

const V2 = '/v2/models/pairs/infer';
const input = (name: string, shape: readonly number[], data: readonly unknown[]) => ({
  name,
  datatype: 'BYTES',
  shape,
  data,
});

describe('texts as BYTES of the Open Inference Protocol', () => {
  const expectLogits = async (inputs: readonly object[], rows: readonly (readonly number[])[]) => {
    const { json } = await ask(await open(), post(V2, { inputs }));
    expect(json.outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [rows.length, 2], data: rows.flat() },
    ]);
  };

  it.each([
    ['text', [2]],
    ['TEXT', [2, 1]],
    ['args', [2]],
  ])('are taken under the name %s in the shape %j', async (name, shape) => {
    await expectLogits([input(name, shape, [A, B])], TEXTS);
  });

  it('are pairs in the shape [N,2], or in two inputs', async () => {
    await expectLogits([input('text', [2, 2], [A, B, B, A])], PAIRS);
    await expectLogits([input('text_pair', [2], [B, A]), input('text', [2, 1], [A, B])], PAIRS);
  });

  it('can be binary', async () => {
    const host = await open();
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'text', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 11 } }],
      }),
    );
    const size = Buffer.alloc(4);
    size.writeUInt32LE(A.length);
    const answer = await ask(host, {
      method: 'POST',
      path: V2,
      headers: { 'inference-header-content-length': String(head.length) },
      body: Buffer.concat([head, size, Buffer.from(A)]),
    });
    expect(answer.json.outputs[0].data).toEqual(scores(A));
  });

  it.each([
    [
      [input('text', [1, 3], [A, B, A])],
      'Input "text" has the shape [1,3]; texts have the shape [N], and pairs of texts [N,2].',
    ],
    [[input('text', [1, 1, 1], [A])], expect.stringMatching(/^Input "text" has the shape \[1,1,1\]; /)],
    [
      [input('a', [1], [A]), input('b', [1], [B])],
      'The texts come in the inputs "a", "b"; expected one input, or "text" and "text_pair" for pairs.',
    ],
    [
      [input('text', [1], [A]), input('text_pair', [2], [A, B])],
      'Input "text_pair" has 2 texts; "text" has 1.',
    ],
  ])('%# are refused with a reason', async (inputs, error) => {
    expect(await ask(await open(), post(V2, { inputs }))).toMatchObject({ status: 400, json: { error } });
  });

  it('keep to the limit of instances', async () => {
    const host = await open({ MAX_BATCH_SIZE: '1' });
    const answer = await ask(host, post(V2, { inputs: [input('text', [2], [A, B])] }));
    expect(answer).toMatchObject({
      status: 413,
      json: { error: 'Field "text" has 2 instances; the limit is 1 (MAX_BATCH_SIZE).' },
    });
  });
});

describe('texts as lines and as bodies', () => {
  const send = async (path: string, type: string, body: string, accept = 'application/json') => {
    const headers = { 'content-type': type, accept };
    return await ask(await open(), { method: 'POST', path, headers, body: Buffer.from(body) });
  };

  it.each([
    ['without a header', 'text/csv', `${A}\n${B}`],
    ['that says so', 'text/csv; header=absent', `${A}\n${B}`],
  ])('CSV %s', async (_, type, body) => {
    expect((await send(ENDPOINT, type, body)).json).toEqual(TEXTS);
  });

  it('CSV with a header is a table of MLflow', async () => {
    const named = await send(ENDPOINT, 'text/csv; header=present', `review\n${A}\n${B}`);
    expect(named.json).toEqual({ predictions: TEXTS });
    expect((await send(ENDPOINT, 'text/csv', `inputs\n${A}\n${B}`)).json).toEqual({ predictions: TEXTS });
    expect((await send(SERVING, 'text/csv', `text\n${A}\n${B}`)).json).toEqual({ predictions: TEXTS });
  });

  it('CSV of two columns has pairs where they are named so', async () => {
    const table = `text_pair,text\n${B},${A}`;
    expect((await send(SERVING, 'text/csv', table)).json).toEqual({ predictions: [scores(A, B)] });
    expect((await send(ENDPOINT, 'text/csv', `"the, dog"`)).status).toBe(200);
    const answer = await send('/models/pairs/invoke', 'text/csv; header=absent', 'the, dog');
    expect(answer).toMatchObject({
      status: 400,
      json: {
        error:
          'Field "line 1" has 2 cells; put a text with a comma in quotes; pairs of texts need names in the first row.',
      },
    });
  });

  it('JSON lines have a text, an object or a pair each', async () => {
    const lines = [A, B].map((text) => JSON.stringify(text)).join('\n');
    expect((await send(ENDPOINT, 'application/jsonlines', lines)).json).toEqual(TEXTS);
    const pairs = [PAIR, OTHER].map((pair) => JSON.stringify(pair)).join('\n');
    expect((await send(ENDPOINT, 'application/jsonlines', pairs)).json).toEqual(PAIRS);
  });

  it('plain text has its labels', async () => {
    expect((await send(ENDPOINT, 'text/plain', A)).json).toEqual(labels(A));
    expect((await send(PREDICT, 'text/plain', A)).json).toMatchObject({ prediction: 'sum' });
    expect((await send('/predictions/pairs', 'text/plain', A)).json).toEqual({
      sum: scores(A)[0],
      second: 0,
    });
    expect((await send(UBIOPS, 'text/plain', A)).json).toMatchObject({ result: { logits: scores(A) } });
  });

  it('plain text has the outputs of the graph where CSV is asked for', async () => {
    const headers = { 'content-type': 'text/plain', accept: 'text/csv' };
    const request = { method: 'POST', path: ENDPOINT, headers, body: Buffer.from(A) };
    expect((await (await open()).send(request)).body.toString()).toBe(`${scores(A).join(',')}\n`);
  });
});

const IS_PAIR = 'is a pair of texts; this model takes one text at a time.';

describe('a model that takes no pairs', () => {
  it.each([
    ['/v1/models/vectors:predict', { instances: [[A, B]] }, `Field "instances[0]" ${IS_PAIR}`],
    ['/v1/models/vectors:predict', { inputs: PAIR }, `Field "inputs" ${IS_PAIR}`],
    ['/hf/vectors', { inputs: [PAIR] }, `Field "inputs[0]" ${IS_PAIR}`],
    ['/models/vectors/predict', PAIR, `Field "text" ${IS_PAIR}`],
    ['/predictions/vectors', { data: PAIR }, `Field "data" ${IS_PAIR}`],
    ['/v2/models/vectors/infer', { inputs: [input('text', [1, 2], [A, B])] }, `Field "text" ${IS_PAIR}`],
  ])('refuses them: %s', async (path, body, error) => {
    expect(await ask(await open(), post(path, body))).toMatchObject({ status: 400, json: { error } });
  });
});

describe('an embedding model', () => {
  const mean = (...words: readonly string[]) => {
    const ids = [CLS, ...words.map(idOf), SEP];
    return [ids.reduce((sum, id) => sum + id, 0) / ids.length, 1];
  };
  const [FIRST, SECOND] = ['the dog', 'the quick lazy brown fox dog'];
  const [ONE, OTHER_ONE] = [mean('the', 'dog'), mean(...SECOND.split(' '))];

  it('gives its vectors for texts, not the outputs of its graph for each token', async () => {
    const host = await open();
    const answer = async (path: string, body: object) => (await ask(host, post(path, body))).json;
    const predictions = [ONE, OTHER_ONE];
    expect(await answer('/v1/models/vectors:predict', { instances: [FIRST, SECOND] })).toEqual({
      predictions,
    });
    expect(await answer('/serving-endpoints/vectors/invocations', { inputs: [FIRST, SECOND] })).toEqual({
      predictions,
    });
    expect(await answer('/score?model_name=vectors', { data: [FIRST, SECOND] })).toEqual(predictions);
    expect(await answer('/v2.1/projects/p/deployments/vectors/requests', { text: SECOND })).toMatchObject({
      result: { sentence_embedding: OTHER_ONE },
    });
  });

  it('gives them and the outputs of the graph by their names in V2', async () => {
    const host = await open();
    const inputs = [input('text', [2], [FIRST, SECOND])];
    const outputsOf = async (outputs?: readonly string[]) => {
      const body = { inputs, outputs: outputs?.map((name) => ({ name })) };
      const { json } = await ask(host, post('/v2/models/vectors/infer', body));
      return json.outputs ?? json.error;
    };
    const vectors = {
      name: 'sentence_embedding',
      datatype: 'FP32',
      shape: [2, 2],
      data: [...ONE, ...OTHER_ONE],
    };
    const tokens = { name: 'last_hidden_state', shape: [2, 8, 2] };
    expect(await outputsOf()).toEqual([vectors]);
    expect(await outputsOf(['last_hidden_state'])).toMatchObject([tokens]);
    expect(await outputsOf(['last_hidden_state', 'sentence_embedding'])).toMatchObject([tokens, vectors]);
    expect(await outputsOf(['logits'])).toBe(
      'There is no output "logits"; the model has "last_hidden_state", "sentence_embedding".',
    );
  });

  it('gives the outputs of its graph for tokens', async () => {
    const { json } = await ask(await open(), post('/v1/models/vectors:predict', { instances: [[2, 5, 3]] }));
    expect(json).toEqual({
      predictions: [
        [
          [2, 1],
          [5, 1],
          [3, 1],
        ],
      ],
    });
  });
});

describe('a graph that takes texts as they are', () => {
  const openWords = async (config: object) => {
    const folder = await makeFolder({
      'words/1/model.onnx': wordVectors,
      'words/1/model.json': JSON.stringify({ task: 'feature-extraction', ...config }),
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    onTestFinished(() => host.close());
    return async (path: string, body: object) => (await ask(host, post(path, body))).json;
  };

  it.each([
    ['/v1/models/words:predict', { instances: ['dog', [A]] }, { predictions: [[2], [1]] }],
    [
      '/v1/models/words:predict',
      { instances: [{ words: 'dog' }, { words: [A] }] },
      { predictions: [[2], [1]] },
    ],
    ['/v1/models/words:predict', { inputs: { text: ['dog', A] } }, { outputs: [[2], [1]] }],
    ['/v2/models/words/infer', { inputs: [input('text', [2], ['dog', A])] }, undefined],
    ['/v2/models/words/infer', { inputs: [input('words', [2, 1], ['dog', A])] }, undefined],
    ['/score', { input_data: { columns: ['review'], data: [['dog'], [A]] } }, [[2], [1]]],
    ['/hf/words', { inputs: ['dog', A] }, [[2], [1]]],
  ])('takes them: %s %j', async (path, body, expected) => {
    const answer = await (await openWords({}))(path, body);
    if (expected === undefined) expect(answer.outputs[0].data).toEqual([2, 1]);
    else expect(answer).toEqual(expected);
  });

  it('gets the default prompt before each text, on every route', async () => {
    const send = await openWords({ prompts: { usual: 'the ' }, defaultPrompt: 'usual' });
    expect(await send('/v1/models/words:predict', { instances: ['dog'] })).toEqual({ predictions: [[1]] });
    const { outputs } = await send('/v2/models/words/infer', { inputs: [input('words', [1], ['dog'])] });
    expect(outputs).toEqual([{ name: 'sentence_embedding', datatype: 'FP32', shape: [1, 1], data: [1] }]);
  });

  it('refuses pairs by name', async () => {
    const send = await openWords({});
    const { error } = await send('/v1/models/words:predict', { instances: [PAIR] });
    expect(error).toBe(`Field "instances[0]" ${IS_PAIR}`);
  });
});

describe('an array of NumPy', () => {
  const header = "{'descr': '<U7', 'fortran_order': False, 'shape': (2,), }";
  const elements = Buffer.alloc(2 * 7 * 4);
  for (const [row, text] of [A, B].entries()) {
    for (const [index, character] of [...text].entries()) {
      elements.writeUInt32LE(character.codePointAt(0) ?? 0, (row * 7 + index) * 4);
    }
  }
  const padded = header.padEnd(117);
  const body = Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    Buffer.from([118, 0]),
    Buffer.from(`${padded}\n`),
    elements,
  ]);

  it('has texts as its elements', async () => {
    const headers = { 'content-type': 'application/x-npy' };
    const answer = await ask(await open(), { method: 'POST', path: ENDPOINT, headers, body });
    expect(answer.json).toEqual(TEXTS);
  });
});

describe('what is neither text nor tokens', () => {
  it.each([
    [
      V1,
      { instances: [A, 3] },
      'Field "instances[1]" is the number 3; expected a text, or a pair as {"text": "…", "text_pair": "…"}.',
    ],
    [
      V1,
      { instances: [{ id: '1', text: A }] },
      'Field "instances[0]" is an object with the keys "id", "text"; expected a text, or a pair as {"text": "…", "text_pair": "…"}.',
    ],
    [
      V1,
      { inputs: { text: [A], text_pair: [A, B] } },
      'Field "inputs.text_pair" is an array of 2; "text" has 1 texts.',
    ],
    [
      V1,
      { instances: [A, [A, B]] },
      'Field "instances" has texts and pairs of texts; expected one or the other.',
    ],
    [SERVING, { dataframe_split: { columns: ['id', 'name'], data: [['1', A]] } }, 'or texts alone'],
    [V1, { instances: [5] }, 'Field "instances[0]" is the number 5; expected a text, or a pair'],
    [
      SERVING,
      { dataframe_split: { columns: ['text'], data: [[null]] } },
      'Field "dataframe_split[0]" is null; expected a text, or a pair',
    ],
    [
      V1,
      { instances: [{ input_ids: [5], text: A }] },
      'is an object with the keys "input_ids", "text": it lacks "attention_mask"',
    ],
  ])('%s %j is refused', async (path, body, error) => {
    const answer = await ask(await open(), post(path, body));
    expect(answer.status).toBe(400);
    expect(answer.text.replaceAll('\\"', '"')).toContain(error);
  });
});
