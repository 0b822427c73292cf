import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod/mini';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  integerAttribute,
  integersAttribute,
  tensorValue,
} from '../../../support/build-model.ts';
import { openHttpServer } from '../../../support/hosts/http-server.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';

const FILES = ['tokenizer.json', 'tokenizer_config.json'];
const WORDS = 400;
const vectors = Array.from({ length: WORDS }, (_, id) => [id, 1]).flat();

/** The smallest vector over the tokens: two scores of a text. */
const classifier = buildModel({
  nodes: [
    buildNode('Gather', ['vectors', 'input_ids'], ['tokens']),
    buildNode('ReduceMin', ['tokens'], ['scores'], {
      attributes: [integersAttribute('axes', [1n]), integerAttribute('keepdims', 0)],
    }),
  ],
  inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
  outputs: [tensorValue('scores', FLOAT, ['n', 2])],
  initializers: [floatInitializer('vectors', [WORDS, 2], vectors)],
  opsets: { '': 11 },
});

/** A vector per token: its id, and 1. */
const extractor = buildModel({
  nodes: [buildNode('Gather', ['vectors', 'input_ids'], ['hidden'])],
  inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
  outputs: [tensorValue('hidden', FLOAT, ['n', 't', 2])],
  initializers: [floatInitializer('vectors', [WORDS, 2], vectors)],
});

async function openUrl(onnx: Uint8Array, config: object): Promise<string> {
  const folder = await makeRepository({ texts: { onnx, config } });
  for (const file of FILES) {
    const text = readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', file));
    await writeFile(join(folder, 'texts/1', file), text);
  }
  const server = await openHttpServer({ MODEL_REPOSITORY: folder });
  onTestFinished(() => server.close());
  return server.url;
}

async function open(onnx: Uint8Array, config: object): Promise<InferenceClient> {
  return new InferenceClient(undefined, { endpointUrl: await openUrl(onnx, config) });
}

describe("Hugging Face's client for JavaScript", () => {
  it('gets the labels of a text, best first', async () => {
    const config = { task: 'text-classification', labels: ['good', 'bad'] };
    const client = await open(classifier, config);
    const answer = await client.textClassification({ inputs: 'The dog' });
    expect(answer).toEqual([
      { label: 'good', score: 2 },
      { label: 'bad', score: 1 },
    ]);
    const best = await client.textClassification({ inputs: 'The dog', parameters: { top_k: 1 } });
    expect(best).toEqual([{ label: 'good', score: 2 }]);
  });

  it('gets a vector per text', async () => {
    const client = await open(extractor, { task: 'feature-extraction', pooling: 'cls' });
    expect(await client.featureExtraction({ inputs: 'The dog' })).toEqual([[2, 1]]);
    expect(await client.featureExtraction({ inputs: ['dog', 'The dog'] })).toEqual([
      [2, 1],
      [2, 1],
    ]);
  });

  it('gets a vector per token where the model does not pool', async () => {
    const client = await open(extractor, { task: 'feature-extraction' });
    expect(await client.featureExtraction({ inputs: 'dog' })).toEqual([
      [
        [2, 1],
        [expect.any(Number), 1],
        [3, 1],
      ],
    ]);
  });
});

/** A vector is the largest id of a token, and 1. */
const EMBEDDER = {
  task: 'feature-extraction',
  pooling: 'max',
  maxTokens: 8,
  prompts: { query: 'the ', none: '' },
};

describe('what a request asks of vectors', () => {
  const ask = async (url: string, body: object, query = '') => {
    const response = await fetch(`${url}/hf/texts${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: 'dog', ...body }),
    });
    const json: unknown = await response.json();
    return { status: response.status, json };
  };
  const refusal = (message: string, status = 400) => ({
    status,
    json: expect.objectContaining({ error: message }),
  });

  it('applies next to the inputs, where the clients put it, and in parameters', async () => {
    const url = await openUrl(extractor, EMBEDDER);
    const client = new InferenceClient(undefined, { endpointUrl: url });
    const [[id = 0] = []] = z
      .array(z.array(z.number()))
      .parse(await client.featureExtraction({ inputs: 'dog' }));
    const unit = [id / Math.hypot(id, 1), 1 / Math.hypot(id, 1)].map((value) => expect.closeTo(value, 6));
    for (const [options, expected] of [
      [{ normalize: true }, [unit]],
      [{ normalize: true, dimensions: 1 }, [[1]]],
      [{ dimensions: 1 }, [[id]]],
      [{ prompt_name: 'none', truncate: true, truncation_direction: 'right' }, [[id, 1]]],
      [{ truncation_direction: 'Left', encoding_format: 'float' }, [[id, 1]]],
      [{ normalize: null, dimensions: null, model: 'any', options: { use_cache: false } }, [[id, 1]]],
    ] as const) {
      expect(await ask(url, options)).toEqual({ status: 200, json: expected });
      const { model: _, options: __, ...parameters } = { model: '', options: '', ...options };
      expect(await ask(url, { parameters })).toEqual({ status: 200, json: expected });
    }
    expect(await client.featureExtraction({ inputs: 'dog', dimensions: 1 })).toEqual([[id]]);
    expect(await ask(url, {}, '?dimensions=1')).toEqual({ status: 200, json: [[id]] });
  });

  it.each([
    [{ prompt_name: 'zzz' }, 'Field "prompt_name" is "zzz"; the prompts of this model are: "query", "none".'],
    [
      { parameters: { prompt_name: 'zzz' } },
      'Field "parameters.prompt_name" is "zzz"; the prompts of this model are: "query", "none".',
    ],
    [{ dimensions: 4 }, 'Field "dimensions" is 4; the vectors of this model have 2 numbers.'],
    [{ dimensions: 0 }, 'Field "dimensions" is the number 0; expected a whole number of at least 1.'],
    [{ normalize: 'yes' }, 'Field "normalize" is the string "yes"; expected a boolean.'],
    [
      { truncation_direction: 'up' },
      'Field "truncation_direction" is the string "up"; expected "left" or "right".',
    ],
    [{ encoding_format: 'base64' }, 'Field "encoding_format" is the string "base64"; expected "float".'],
    [
      { pooling: 'mean' },
      'The request has "pooling"; the parameters of feature-extraction are: prompt_name, normalize, truncate, truncation_direction, dimensions, encoding_format.',
    ],
    [
      { parameters: { top_k: 1 } },
      'Field "parameters" has "top_k"; the parameters of feature-extraction are: prompt_name, normalize, truncate, truncation_direction, dimensions, encoding_format.',
    ],
  ])('is refused by name: %j', async (body, message) => {
    const url = await openUrl(extractor, EMBEDDER);
    const { status, json } = await ask(url, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: message });
  });

  it('refuses texts that are too long where they must not be cut', async () => {
    const url = await openUrl(extractor, EMBEDDER);
    const long = { inputs: ['dog', 'the '.repeat(7)], truncate: false };
    expect(await ask(url, long)).toEqual(
      refusal(
        'Field "inputs[1]" has more than 8 tokens, the limit of this model, and "truncate" is false.',
        413,
      ),
    );
    expect((await ask(url, { ...long, inputs: 'the '.repeat(6) })).status).toBe(200);
    const prompted = { ...long, inputs: 'the '.repeat(6), prompt_name: 'query' };
    expect((await ask(url, prompted)).status).toBe(413);
  });

  it('of labels is refused by name as well', async () => {
    const url = await openUrl(classifier, { task: 'text-classification', labels: ['good', 'bad'] });
    expect(await ask(url, { top_k: 1 })).toMatchObject({ status: 200, json: [[{ label: 'good' }]] });
    expect(await ask(url, { normalize: true })).toEqual(
      refusal(
        'The request has "normalize"; the parameters of text-classification are: top_k, function_to_apply.',
      ),
    );
  });
});
