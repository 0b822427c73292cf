import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeNpy } from '../../shared/tensor/npy.ts';
import { writeNpz } from '../../shared/tensor/npz.ts';
import { createTensor } from '../../shared/tensor/tensor.ts';
import { form, post, raw } from '../contracts/exchanges.ts';
import type { TestHost, TestRequest } from '../support/hosts/test-host.ts';
import { PROJECT } from '../support/project.ts';
import { createRandom, mutate } from './mutate.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const HEAD = Buffer.from(
  JSON.stringify({
    inputs: [{ ...ROW, data: undefined, parameters: { binary_data_size: 16 } }],
    outputs: [{ name: 'logits', parameters: { binary_data: true, classification: 2 } }],
  }),
);
const UNSIZED = Buffer.from(JSON.stringify({ inputs: [{ ...ROW, data: undefined }] }));
const ELEMENT = Buffer.from(
  JSON.stringify({
    inputs: [{ name: 'image', shape: [1], datatype: 'BYTES', data: [PNG.toString('base64')] }],
  }),
);

const MATRIX = createTensor('FP32', [1, 4], [5.1, 3.5, 1.4, 0.2]);
const CSV = '5.1,3.5,1.4,0.2\n"6.3",3.3,6.0,2.5\n';
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Valid requests to begin with, one per way of asking. */
const SEEDS: readonly TestRequest[] = [
  post('/v2/models/iris/infer', {
    id: 'a',
    inputs: [ROW],
    outputs: [{ name: 'logits' }],
    parameters: { binary_data_output: false, timeout: 9_000_000 },
  }),
  raw('/v2/models/iris/infer', Buffer.concat([HEAD, Buffer.alloc(16)]), {
    'inference-header-content-length': String(HEAD.length),
  }),
  raw('/v2/models/iris/infer', Buffer.concat([UNSIZED, Buffer.alloc(16)]), {
    'inference-header-content-length': String(UNSIZED.length),
  }),
  raw('/v2/models/iris/infer', Buffer.alloc(16), { 'inference-header-content-length': '0' }),
  raw('/v2/models/digits/infer', ELEMENT, {}),
  post('/v2/repository/index', { ready: true }),
  post('/predict', { features: [5.1, 3.5, 1.4, 0.2] }),
  post('/predict', {
    instances: [{ features: { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 } }],
  }),
  post('/models/digits/predict', { image: PNG.toString('base64') }),
  raw('/models/digits/predict', PNG, { 'content-type': 'image/png' }),
  form('/models/digits/predict', 'file', PNG),
  raw('/models/iris/invoke', CSV, { 'content-type': 'text/csv', accept: 'text/csv' }),
  raw('/models/iris/invoke', `${Object.keys(NAMED)}\n${CSV}`, { 'content-type': 'text/csv' }),
  raw('/models/iris/invoke', '[5.1,3.5,1.4,0.2]\n{"features":[6.3,3.3,6.0,2.5]}', {
    'content-type': 'application/jsonlines',
    accept: 'application/jsonlines',
  }),
  raw('/models/iris/invoke', Buffer.from(writeNpy(MATRIX)), { accept: 'application/x-npy' }),
  raw('/models/iris/invoke', Buffer.from(await writeNpz(new Map([['features', MATRIX]]))), {
    'content-type': 'application/x-npz',
    accept: 'application/x-npz',
  }),
  post('/models/iris/invoke', [[5.1, 3.5, 1.4, 0.2]]),
  raw('/models/iris/invoke', JSON.stringify({ examples: [NAMED], context: {} }), {
    'x-amzn-sagemaker-custom-attributes': 'tfs-method=classify',
  }),
  post('/models/iris/invoke', { dataframe_records: [NAMED], params: {} }),
  post('/serving-endpoints/iris/invocations', {
    dataframe_split: { columns: Object.keys(NAMED), data: [Object.values(NAMED)] },
  }),
];

const EXPECTED = [200, 400, 413, 415, 504];

/**
 * Sends mutated requests and checks every answer: a status of those that clients can cause, and JSON unless bytes were
 * asked for.
 *
 * @throws Error with the seed and the body of the first that is not
 */
export async function sendMutated(host: TestHost, count: number, seed: number): Promise<Map<number, number>> {
  const random = createRandom(seed);
  const statuses = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    const original = SEEDS[random(SEEDS.length)];
    if (!original) continue;
    const request = { ...original, body: mutate(original.body, random) };
    const { status, headers, body } = await host.send(request);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const isJson =
      headers['content-type'] !== 'application/json' || typeof JSON.parse(body.toString()) === 'object';
    if (!EXPECTED.includes(status) || !isJson) {
      throw new Error(
        `seed ${seed}, request ${i} to ${request.path} got ${status} ${body}: ${request.body.toString('base64')}`,
      );
    }
  }
  return statuses;
}
