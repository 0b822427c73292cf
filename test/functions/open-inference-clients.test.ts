import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession } from '../../shared/runtime/session.ts';
import { post } from '../contracts/exchanges.ts';
import { type ChildHost, openAzureBundle, openFunctionsFramework } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { readRecorded, sendRecorded } from '../support/hosts/recorded.ts';
import { PROJECT } from '../support/project.ts';
import { RUNNABLE } from '../support/targets.ts';
import { type Answer, readAnswer } from './read-answer.ts';

const environment = { ADMIN_ROUTES: 'true' };
const HOSTS: readonly (readonly [string, () => Promise<ChildHost>])[] = [
  ['local', () => openFunctionsFramework('local', environment)],
  ['aws-x64', () => openLambdaBundle('aws-x64', 'http-api', environment)],
  ['azure', () => openAzureBundle('azure', environment)],
];

const flowers = [5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5];
const garden = Array.from({ length: 60 }, () => flowers).flat();
const pixels = Array.from({ length: 64 }, (_, index) => index / 64);
const [two, many, digit] = await Promise.all([
  run('iris/2', 'features', [2, 4], flowers),
  run('iris/2', 'features', [120, 4], garden),
  run('digits/1', 'image', [1, 1, 8, 8], pixels),
]);
const labels = (position: number, text: string) => expect.stringMatching(new RegExp(`:${position}:${text}$`));
const probability = (value: number) => expect.closeTo(value, 5);
const FOREST = [[0.999999, 0, 0].map(probability), [0, 0.02, 0.979999].map(probability)];
const ready = (name: string) => isJson({ name, ready: true });
const IRIS = { name: 'features', datatype: 'FP32', shape: [-1, 4] };

/** The expected answer to each call. */
const CHECKS: Readonly<Record<string, (answer: Answer) => void>> = {
  is_server_live: isJson({ live: true, ready: true }),
  'aio is_server_live': isJson({ live: true, ready: true }),
  is_server_ready: isJson({ live: true, ready: true }),
  is_model_ready: ready('iris'),
  'is_model_ready of a version': ready('iris'),
  'is_model_ready of an unknown model': isRefused(404, /^There is no model "rose"/),
  get_server_metadata: isJson({
    name: 'ternion',
    extensions: expect.arrayContaining(['binary_tensor_data']),
  }),
  get_model_metadata: describesDigits,
  'aio get_model_metadata': describesDigits,
  'get_model_metadata of a version': isJson({
    name: 'iris',
    versions: ['1', '2'],
    inputs: [IRIS],
    outputs: [
      { name: 'output_label', datatype: 'BYTES', shape: [-1] },
      { name: 'output_probability', datatype: 'FP32', shape: [-1, 3] },
    ],
  }),
  get_model_config: isJson({
    max_batch_size: 1024,
    input: [{ name: 'features', data_type: 'TYPE_FP32', dims: [4] }],
    output: [{ name: 'logits', data_type: 'TYPE_FP32', dims: [3] }],
  }),
  get_inference_statistics: isJson({ model_stats: [{ name: 'digits' }, { name: 'iris' }, { name: 'iris' }] }),
  'get_inference_statistics of a model': isJson({ model_stats: [{ name: 'iris', version: '2' }] }),
  get_model_repository_index: ({ json }) =>
    expect(json).toEqual([
      { name: 'digits', version: '1', state: 'READY', reason: '' },
      { name: 'iris', version: '1', state: 'READY', reason: '' },
      { name: 'iris', version: '2', state: 'READY', reason: '' },
    ]),
  load_model: isJson({ name: 'iris', load: true }),
  'load_model with a config': isRefused(400, /^A load cannot be changed by "config"/),
  unload_model: isJson({ name: 'iris', unload: true }),
  get_log_settings: isRefused(501, /not supported/),
  register_system_shared_memory: isRefused(501, /not supported/),
  infer: gives({ logits: two }, 'iris'),
  'infer of an unknown model': isRefused(404, /^There is no model "rose"/),
  'infer with JSON': gives({ logits: two }, 'iris', { id: 'seven' }),
  'infer with a dict': gives({ logits: two }, 'iris'),
  'infer with JSON in, bytes out': gives({ logits: two }, 'iris'),
  'infer with bytes out': gives({ logits: two }, 'iris', { id: 'seven' }),
  'infer with one output as bytes': gives({ logits: two }, 'iris', { id: 'seven' }),
  'infer with all options': ({ response, json, tensors }) => {
    gives({ logits: two }, 'iris', { id: 'seven' })({ response, json, tensors });
    expect(response.headers['x-request-id']).toBe('seven');
  },
  'infer within a microsecond': isRefused(504, /^The answer was not ready within the timeout/),
  'infer of texts': gives({ output_label: ['setosa', 'virginica'], output_probability: FOREST }, 'iris', {
    model_version: '1',
  }),
  'infer with classification': gives(
    {
      output_probability: [
        [labels(0, 'setosa'), labels(1, 'versicolor')],
        [labels(2, 'virginica'), labels(1, 'versicolor')],
      ],
    },
    'iris',
  ),
  'infer with classification in JSON': gives(
    {
      logits: [
        [labels(0, 'setosa'), labels(1, 'versicolor'), labels(2, 'virginica')],
        [labels(2, 'virginica'), labels(1, 'versicolor'), labels(0, 'setosa')],
      ],
    },
    'iris',
  ),
  'infer of a tensor of pixels': gives({ logits: digit }, 'digits'),
  'infer of an image file': gives({ logits: [[labels(7, '7')]] }, 'digits'),
  'infer of an image file as base64': ({ tensors }) => {
    const [scores = []]: number[][] = JSON.parse(JSON.stringify(tensors.logits));
    expect(scores).toHaveLength(10);
    expect(scores.indexOf(Math.max(...scores))).toBe(7);
  },
  'infer compressed by gzip': gives({ logits: two }, 'iris'),
  'infer compressed by deflate': gives({ logits: two }, 'iris'),
  'infer compressed by gzip both ways': comes('gzip'),
  'infer compressed by deflate both ways': comes('deflate'),
  'aio infer': comes('gzip'),
  'aio infer compressed both ways': comes('gzip'),
  'infer of many rows': comes('gzip'),
  'infer compressed back by gzip, refused': isRefused(400, /^Input "features" has the shape \[1,1,8,8\]/),
  'infer of a wrong shape': isRefused(400, /^Input "features" has the shape \[1,1,8,8\]/),
};

describe.each(HOSTS.filter(([target]) => RUNNABLE.some(({ name }) => name === target)))('%s', (_, open) => {
  let host: ChildHost;
  beforeAll(async () => {
    host = await open();
  });
  afterAll(async () => {
    await host?.close();
  });
  const loadAgain = async () => {
    const { status } = await host.send(post('/v2/repository/models/iris/load', {}));
    expect(status).toBe(200);
  };

  describe.each(['tritonclient', 'kserve'])('answers %s', (client) => {
    it.each(readRecorded(client))('$call', async (recorded) => {
      const check = CHECKS[recorded.call];
      if (!check) throw new Error('this call is not known');
      check(readAnswer(recorded, await sendRecorded(host.port, recorded)));
      // The following calls ask for the model that this one unloaded.
      if (recorded.call === 'unload_model') await loadAgain();
    });
  });
});

function isJson(expected: object): (answer: Answer) => void {
  return ({ response, json }) => {
    expect([response.status, response.headers['content-type']]).toEqual([200, 'application/json']);
    expect(response.headers).not.toHaveProperty('inference-header-content-length');
    expect(json).toMatchObject(expected);
  };
}

function describesDigits(answer: Answer): void {
  isJson({
    name: 'digits',
    versions: ['1'],
    inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, 8, 8] }],
    outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
  })(answer);
}

/** The error paths of the clients accept only plain JSON, with a type without a charset. */
function isRefused(status: number, message: RegExp): (answer: Answer) => void {
  return ({ response, json }) => {
    expect([response.status, response.headers['content-type']]).toEqual([status, 'application/json']);
    expect(response.headers).not.toHaveProperty('content-encoding');
    expect(json.error).toMatch(message);
  };
}

/** An inference with exactly these values, compared as float32. */
function gives(
  expected: Readonly<Record<string, readonly unknown[]>>,
  model: string,
  members: object = {},
): (answer: Answer) => void {
  return ({ response, json, tensors }) => {
    const framed = response.headers['inference-header-content-length'] !== undefined;
    const type = framed ? 'application/octet-stream' : 'application/json';
    expect([response.status, response.headers['content-type']], json.error).toEqual([200, type]);
    expect(json).toMatchObject({ id: expect.stringMatching(/./), model_name: model, ...members });
    expect(tensors).toEqual(expected);
  };
}

function comes(coding: string): (answer: Answer) => void {
  return (answer) => {
    expect(answer.response.headers['content-encoding']).toBe(coding);
    gives({ logits: many }, 'iris')(answer);
  };
}

/** The answer of the runtime itself to an input, row by row. */
async function run(model: string, input: string, shape: number[], values: number[]): Promise<number[][]> {
  const session = await createSession(join(PROJECT, 'models', model, 'model.onnx'), { intraOpThreads: 1 });
  const data = Float32Array.from(values);
  const outputs = await session.run(new Map([[input, { datatype: 'FP32', shape, data }]]));
  await session.release();
  const { data: logits = [], shape: [rows = 0] = [] } = outputs.get('logits') ?? {};
  const width = logits.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    [...logits.slice(row * width, (row + 1) * width)].map(Number),
  );
}
