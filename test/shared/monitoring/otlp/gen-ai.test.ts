import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  tensorValue,
} from '../../../support/build-model.ts';
import { openOtlpCollector, valuesOf } from '../../../support/otlp-collector.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';
import { openOtlpHost } from './open-host.ts';

const tokenizerFile = (name: string) =>
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', name), 'utf8');

/** A model that makes vectors of three numbers, the mean of those of all tokens. */
async function makeRepository(): Promise<string> {
  const graph = buildModel({
    nodes: [
      buildNode('Gather', ['vectors', 'input_ids'], ['last_hidden_state']),
      buildNode('Identity', ['attention_mask'], ['unused']),
    ],
    inputs: [tensorValue('input_ids', INT64, ['n', 't']), tensorValue('attention_mask', INT64, ['n', 't'])],
    outputs: [tensorValue('last_hidden_state', FLOAT, ['n', 't', 3])],
    initializers: [floatInitializer('vectors', [400, 3], new Array(1200).fill(1))],
  });
  return await makeFolder({
    'bert/2/model.onnx': graph,
    'bert/2/model.json': JSON.stringify({ task: 'feature-extraction', pooling: 'mean' }),
    'bert/2/tokenizer.json': tokenizerFile('tokenizer.json'),
    'bert/2/tokenizer_config.json': tokenizerFile('tokenizer_config.json'),
  });
}

const NAMES = {
  'gen_ai.operation.name': 'embeddings',
  'gen_ai.provider.name': 'ternion',
  'gen_ai.request.model': 'bert',
  'gen_ai.response.model': 'bert/2',
};

it('names requests for the vectors of texts as the conventions for generative AI do', async () => {
  const collector = await openOtlpCollector();
  const { send } = await openOtlpHost({
    url: collector.url,
    environment: { MODEL_REPOSITORY: await makeRepository(), PRELOAD_MODELS: '' },
  });
  const texts = { instances: [{ text: 'The dog' }, { text: 'dog' }] };
  expect((await send(texts, {}, '/models/bert/predict')).status).toBe(200);
  expect((await send({ inputs: 'dog' }, {}, '/models/bert')).status).toBe(200);
  // A mistake of a client, on a route that takes tokens.
  const input = { name: 'input_ids', datatype: 'FP32', shape: [1, 1], data: [1] };
  expect((await send({ inputs: [input] }, {}, '/v2/models/bert/infer')).status).toBe(400);
  // A request that only asks what the model is like.
  expect((await send(undefined, {}, '/v2/models/bert')).status).toBe(200);
  const spans = collector.spans().filter(({ kind }) => kind === 2);
  expect(spans.map(({ attributes }) => valuesOf(attributes))).toMatchObject([
    // [CLS], [SEP], and a token for each word.
    { ...NAMES, 'gen_ai.usage.input_tokens': '7', 'gen_ai.embeddings.dimension.count': '3' },
    { ...NAMES, 'gen_ai.usage.input_tokens': '3', 'gen_ai.embeddings.dimension.count': '3' },
    { ...NAMES, 'error.type': 'INVALID_PARAMETER_VALUE' },
    { 'ternion.model': 'bert', 'http.response.status_code': '200' },
  ]);
  expect(JSON.stringify(spans[3])).not.toContain('gen_ai');
  const durations = collector.points('gen_ai.server.request.duration');
  expect(durations.map(({ attributes, count, unit }) => [attributes, count, unit])).toEqual([
    [NAMES, 1, 's'],
    [NAMES, 1, 's'],
    [{ ...NAMES, 'error.type': 'INVALID_PARAMETER_VALUE' }, 1, 's'],
  ]);
  expect(durations[0]?.bounds).toEqual([
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
  ]);
  const tokens = collector.points('ternion.token.usage');
  expect(tokens.map(({ attributes, count, sum }) => [attributes, count, sum])).toEqual([
    [{ ...NAMES, 'gen_ai.token.type': 'input' }, 1, 7],
    [{ ...NAMES, 'gen_ai.token.type': 'input' }, 1, 3],
  ]);
  expect(tokens[0]?.buckets?.indexOf(1)).toBe(2);
  expect(collector.requests.map(({ text }) => text).join()).not.toMatch(/\bdog\b/i);
});

it('uses no such names for other models', async () => {
  const collector = await openOtlpCollector();
  const { send } = await openOtlpHost({ url: collector.url });
  await send({ features: [5.1, 3.5, 1.4, 0.2] });
  expect(collector.requests.map(({ text }) => text).join()).not.toContain('gen_ai');
});
