import { describe, expect, it } from 'vitest';
import { buildModel, buildNode, FLOAT, identityModel, STRING, tensorValue } from '../support/build-model.ts';
import { serveModels } from '../support/serve-models.ts';
import { ask, errorOf } from './protocols/sagemaker/ask.ts';

const LIMIT = 2_000;
const REFUSED = `The answer has more than ${LIMIT} bytes, which is the limit (MAX_ANSWER_BYTES); send less at once, or ask for fewer outputs.`;
const matrix = identityModel(FLOAT, ['n', 4]);
const json = { 'content-type': 'application/json' };
const rows = (count: number) => Array.from({ length: count }, () => [0.1, 0.2, 0.3, 0.4]);
const text = (body: unknown) => JSON.stringify(body);
const v2 = (count: number, parameters = {}) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 4], data: rows(count) }],
  outputs: [{ name: 'y', parameters }],
});

/** Each way to ask for an answer, with a number of rows that fits into it and one that does not. */
const WAYS: readonly [string, string, (count: number) => string, Record<string, string>, number, number][] = [
  ['predict, tensors', '/models/m/predict', (n) => text({ inputs: { x: rows(n) } }), json, 90, 130],
  ['V2, JSON', '/v2/models/m/infer', (n) => text(v2(n)), json, 100, 130],
  ['V2, binary', '/v2/models/m/infer', (n) => text(v2(n, { binary_data: true })), json, 100, 130],
  ['V2, classes', '/v2/models/m/infer', (n) => text(v2(n, { classification: 3 })), json, 30, 60],
  ['TensorFlow, rows', '/v1/models/m:predict', (n) => text({ instances: rows(n) }), json, 90, 130],
  ['TensorFlow, columns', '/v1/models/m:predict', (n) => text({ inputs: rows(n) }), json, 90, 130],
  ['TorchServe', '/predictions/m', (n) => text({ data: rows(n) }), json, 90, 130],
  [
    'Vertex AI',
    '/v1/projects/p/locations/l/endpoints/m:predict',
    (n) => text({ instances: rows(n) }),
    json,
    80,
    130,
  ],
  ['MLflow', '/serving-endpoints/m/invocations', (n) => text({ instances: rows(n) }), json, 90, 130],
  ['Azure ML', '/score', (n) => text({ input_data: rows(n) }), json, 90, 130],
  ['UbiOps', '/v2.1/projects/p/deployments/m/requests', (n) => text({ x: rows(n) }), json, 70, 130],
  ['SageMaker, JSON', '/models/m/invoke', (n) => text(rows(n)), json, 100, 130],
  [
    'SageMaker, JSON lines',
    '/models/m/invoke',
    (n) => text(rows(n)),
    { ...json, accept: 'application/jsonlines' },
    100,
    130,
  ],
  [
    'SageMaker, CSV',
    '/models/m/invoke',
    (n) => '0.1,0.2,0.3,0.4\n'.repeat(n),
    { 'content-type': 'text/csv', accept: 'text/csv' },
    120,
    130,
  ],
  [
    'SageMaker, CSV as JSON',
    '/models/m/invoke',
    (n) => '0.1,0.2,0.3,0.4\n'.repeat(n),
    { 'content-type': 'text/csv' },
    100,
    130,
  ],
  [
    'SageMaker, npy',
    '/models/m/invoke',
    (n) => text(rows(n)),
    { ...json, accept: 'application/x-npy' },
    100,
    130,
  ],
  [
    'SageMaker, npz',
    '/models/m/invoke',
    (n) => text(rows(n)),
    { ...json, accept: 'application/x-npz' },
    90,
    130,
  ],
];

describe('an answer that would be larger than MAX_ANSWER_BYTES', () => {
  it.each(WAYS)('is refused: %s', async (_, path, body, headers, fits, isTooMuch) => {
    const host = await serveModels(
      { m: matrix },
      { MAX_ANSWER_BYTES: String(LIMIT), MAX_BATCH_SIZE: '1000', DEFAULT_MODEL: 'm' },
    );
    const answer = await ask(host, path, body(fits), headers);
    expect([answer.status, answer.body.length <= LIMIT]).toEqual([200, true]);
    const refused = await ask(host, path, body(isTooMuch), headers);
    expect(refused.body.toString()).toContain(REFUSED);
  });

  it('is refused where one long text makes an array of NumPy huge', async () => {
    const texts = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', STRING, ['n'])],
      outputs: [tensorValue('y', STRING, ['n'])],
    });
    const host = await serveModels({ m: texts }, { MAX_ANSWER_BYTES: '10000' });
    const send = (width: number) =>
      ask(host, '/models/m/invoke', text(['x'.repeat(width), ...new Array(20).fill('')]), {
        ...json,
        accept: 'application/x-npy',
      });
    expect((await send(100)).status).toBe(200);
    expect((await errorOf(send(200)))[0]).toBe(413);
  });

  it('counts what the examples of TensorFlow Serving share once for each example', async () => {
    const host = await serveModels({ m: matrix }, { MAX_VALUES: '100' });
    const context = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, 1]));
    const send = (count: number) =>
      errorOf(
        ask(host, '/v1/models/m:classify', text({ context, examples: new Array(count).fill({}) }), json),
      );
    expect((await send(2))[0]).toBe(400);
    expect(await send(9)).toEqual([
      413,
      expect.stringMatching(/^Field "context" .* more than 100 arrays, objects and texts.*\(MAX_VALUES\)\.$/),
    ]);
  });
});
