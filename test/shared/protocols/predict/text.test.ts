import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { get, post } from '../../../contracts/exchanges.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestRequest } from '../../../support/hosts/test-host.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const tokenizer = (name: string) =>
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', name), 'utf8');

/** The vector of each token is its id and half of it. */
const tokens = buildModel({
  nodes: [buildNode('Gather', ['vectors', 'input_ids'], ['last_hidden_state'])],
  inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
  outputs: [tensorValue('last_hidden_state', FLOAT, ['n', 't', 2])],
  initializers: [
    floatInitializer(
      'vectors',
      [400, 2],
      Array.from({ length: 800 }, (_, i) => Math.floor(i / 2) / (1 + (i % 2))),
    ),
  ],
});

async function open() {
  const folder = await makeFolder({
    'vectors/1/model.onnx': tokens,
    'vectors/1/model.json': JSON.stringify({ task: 'feature-extraction', pooling: 'cls' }),
    'vectors/1/tokenizer.json': tokenizer('tokenizer.json'),
    'vectors/1/tokenizer_config.json': tokenizer('tokenizer_config.json'),
    'rows/1/model.onnx': tokens,
  });
  const host = openApp({ MODEL_REPOSITORY: folder });
  onTestFinished(() => host.close());
  return async (request: TestRequest) => {
    const { status, body } = await host.send(request);
    return { status, ...JSON.parse(body.toString()) };
  };
}

it('a text is answered with its vector, by the only model that takes texts', async () => {
  const ask = await open();
  expect(await ask(post('/predict', { text: 'a fox' }))).toEqual({
    status: 200,
    embedding: [2, 1],
    dimensions: 2,
    model: 'vectors',
    model_version: '1',
    inference_time_ms: expect.any(Number),
  });
});

it('a batch of texts is answered with a vector each', async () => {
  const ask = await open();
  const instances = [{ text: 'a' }, { text: '' }];
  expect((await ask(post('/models/vectors/predict', { instances }))).predictions).toEqual([
    { embedding: [2, 1], dimensions: 2 },
    { embedding: [2, 1], dimensions: 2 },
  ]);
});

it.each([
  [{ text: 5 }, 'Field "text" is the number 5; expected text.'],
  [{ text: 'a', features: [1] }, expect.stringMatching(/^The JSON body .*"features" and "text"/)],
  [
    { instances: [{ text: 'a' }, 5] },
    'Field "instances[1]" is the number 5; expected {"text": "..."}, as the first one.',
  ],
  [{ instances: [{ text: 'a' }, { text: null }] }, 'Field "instances[1].text" is null; expected text.'],
  [
    { features: [1] },
    'The request brings features, as {"features": [...]}; this model takes text, as {"text": "..."}.',
  ],
])('%j is refused', async (body, error) => {
  const ask = await open();
  expect(await ask(post('/models/vectors/predict', body))).toMatchObject({ status: 400, error });
});

it('a text model is described with an example', async () => {
  const ask = await open();
  expect(await ask(get('/models/vectors'))).toMatchObject({
    task: 'feature-extraction',
    inputs: [{ name: 'input_ids', datatype: 'INT64', shape: [-1, -1] }],
    example: { text: 'An example of a text.' },
  });
});

it.each(['predict', 'invoke'])('a list of texts with an option is for Hugging Face at %s', async (verb) => {
  const ask = await open();
  const path = `/models/vectors/${verb}`;
  const answer = await ask(post(path, { inputs: ['a fox', 'fox'], dimensions: 1 }));
  expect(answer).toEqual({ status: 200, '0': [2], '1': [2] });
});

it.each([
  [{ text: 'a fox', prompt_name: 'query' }, 'prompt_name'],
  [{ instances: [{ text: 'a fox' }], normalize: true }, 'normalize'],
  [{ text: 'a fox', parameters: { dimensions: 1 } }, 'parameters'],
  [{ text: 'a fox', parameters: 7 }, 'parameters'],
])('an option with a text is refused by name: %j', async (body, name) => {
  const ask = await open();
  expect(await ask(post('/models/vectors/predict', body))).toMatchObject({
    status: 400,
    error: `The JSON body has "${name}", which only Hugging Face's form takes: {"inputs": ..., "${name}": ...}.`,
  });
  const without = { ...body, [name]: null };
  expect((await ask(post('/models/vectors/predict', without))).status).toBe(200);
});
