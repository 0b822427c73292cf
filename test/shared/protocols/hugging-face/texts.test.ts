import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import { describe, expect, it, onTestFinished } from 'vitest';
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

async function open(onnx: Uint8Array, config: object): Promise<InferenceClient> {
  const folder = await makeRepository({ texts: { onnx, config } });
  for (const file of FILES) {
    const text = readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', file));
    await writeFile(join(folder, 'texts/1', file), text);
  }
  const server = await openHttpServer({ MODEL_REPOSITORY: folder });
  onTestFinished(() => server.close());
  return new InferenceClient(undefined, { endpointUrl: server.url });
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
