import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { ask, errorOf, jsonOf } from './ask.ts';

const ROW = '5.1,3.5,1.4,0.2';
const LOGITS = [[7.113542, -1.969219, -9.984419]];
const FOREST = [{ output_label: 'setosa', output_probability: [0.99999934, 0, 0] }];
const PREFIX = 'x-amzn-sagemaker-';

let host: TestHost;
beforeAll(() => {
  host = openApp({ ENDPOINT_MODELS: 'prod-flowers=iris, old-flowers=iris/1' });
});
afterAll(() => host.close());

const invoke = (endpoint: string, headers: Readonly<Record<string, string>> = {}, body = ROW) =>
  ask(host, `/endpoints/${endpoint}/invocations`, body, { 'content-type': 'text/csv', ...headers });

describe('an endpoint', () => {
  it.each<[string, string, Readonly<Record<string, string>>, unknown, string]>([
    ['the model of its name', 'iris', {}, LOGITS, '2'],
    ['the model that is set for it', 'prod-flowers', {}, LOGITS, '2'],
    ['the version that is set for it', 'old-flowers', {}, FOREST, '1'],
    ['another version by its variant', 'iris', { 'target-variant': '1' }, FOREST, '1'],
    ['another version than the one set', 'old-flowers', { 'target-variant': '2' }, LOGITS, '2'],
    [
      'the live version by the name that SageMaker gives it',
      'iris',
      { 'target-variant': 'AllTraffic' },
      LOGITS,
      '2',
    ],
    ['a target model', 'zoo', { 'target-model': 'iris.tar.gz' }, LOGITS, '2'],
    ['a target model in a folder', 'zoo', { 'target-model': 's/v1/iris.tar.gz' }, LOGITS, '2'],
    [
      'a target model without an ending',
      'old-flowers',
      { 'target-model': 'iris', 'target-variant': '1' },
      FOREST,
      '1',
    ],
    ['a component', 'zoo', { 'inference-component': 'iris' }, LOGITS, '2'],
    ['a container', 'zoo', { 'target-container-hostname': 'iris' }, LOGITS, '2'],
    [
      'a model of TensorFlow',
      'zoo',
      { 'custom-attributes': 'tfs-model-name=iris,tfs-model-version=1' },
      { predictions: FOREST },
      '1',
    ],
  ])('stands for %s', async (_, endpoint, given, answer, version) => {
    const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [PREFIX + name, value]));
    expect(await jsonOf(invoke(endpoint, headers))).toEqual(answer);
    expect((await invoke(endpoint, headers)).headers).toMatchObject({
      'x-amzn-invoked-production-variant': version,
      'x-amzn-requestid': 'host-id',
    });
  });

  it('does not echo the attributes of the client: a response has its own', async () => {
    const { headers } = await invoke('iris', { [`${PREFIX}custom-attributes`]: 'trace=1' });
    expect(headers).not.toHaveProperty(`${PREFIX}custom-attributes`);
  });
});

describe('an error of the runtime', () => {
  it.each<[string, string, Readonly<Record<string, string>>, string, number, string, number | undefined]>([
    ['an unknown endpoint', 'tulips', {}, ROW, 400, 'ValidationError', undefined],
    ['an unknown variant', 'iris', { 'target-variant': '9' }, ROW, 400, 'ValidationError', undefined],
    [
      'an unknown target model',
      'iris',
      { 'target-model': 'x.tar.gz' },
      ROW,
      400,
      'ValidationError',
      undefined,
    ],
    ['an unknown component', 'iris', { 'inference-component': 'x' }, ROW, 400, 'ValidationError', undefined],
    ['a row that does not fit', 'iris', {}, '1,2', 424, 'ModelError', 400],
    ['an empty body', 'iris', {}, '', 424, 'ModelError', 400],
    [
      'explanations',
      'iris',
      { 'enable-explanations': '`true`' },
      ROW,
      501,
      'NotImplementedException',
      undefined,
    ],
  ])(
    'has its class, its status and what a container says: %s',
    async (_, endpoint, given, body, status, name, original) => {
      const headers = Object.fromEntries(Object.entries(given).map(([key, value]) => [PREFIX + key, value]));
      const answer = await invoke(endpoint, headers, body);
      expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([status, name]);
      const json = JSON.parse(answer.body.toString());
      expect(json).toMatchObject({
        code: status,
        Message: json.error,
        message: json.error,
        request_id: 'host-id',
      });
      expect([json.OriginalStatusCode, json.OriginalMessage]).toEqual(
        original === undefined ? [undefined, undefined] : [original, json.error],
      );
    },
  );

  it('has the statuses of the container inside for an error of types', async () => {
    const type = await invoke('iris', { 'content-type': 'application/x-recordio-protobuf' });
    const accept = await invoke('iris', { accept: 'image/png' });
    expect([type.status, JSON.parse(type.body.toString()).OriginalStatusCode]).toEqual([424, 415]);
    expect([accept.status, JSON.parse(accept.body.toString()).OriginalStatusCode]).toEqual([424, 406]);
  });

  it('asks to come back where a model cannot be loaded now', async () => {
    const app = await serveModels({ broken: Buffer.from('no model') });
    const answer = await ask(app, '/endpoints/broken/invocations', ROW, { 'content-type': 'text/csv' });
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([429, 'ModelNotReadyException']);
    expect(answer.headers).toHaveProperty('retry-after');
  });

  it('says that asynchronous calls are not there', async () => {
    const answer = await ask(host, '/endpoints/iris/async-invocations', ROW, {});
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([501, 'NotImplementedException']);
  });

  it.each([
    [
      'an endpoint that is not there',
      'tulips',
      '{"instances": [[5.1, 3.5, 1.4, 0.2]]}',
      404,
      'no model "tulips"',
    ],
    ['what the model does not take', 'iris', '{"instances": [[5.1]]}', 400, 'has the shape'],
    ['what Hugging Face refuses', 'iris', '{"inputs": "text", "parameters": {"a": 1}}', 400, 'none.'],
  ])("is MLflow's own to its client: %s", async (_, endpoint, body, status, message) => {
    const agents = { 'content-type': 'application/json', 'user-agent': 'mlflow-python-client/3.17.2' };
    const answer = await ask(host, `/endpoints/${endpoint}/invocations`, body, agents);
    const { error_code: code, message: text } = JSON.parse(answer.body.toString());
    expect([answer.status, code, text]).toEqual([
      status,
      expect.any(String),
      expect.stringContaining(message),
    ]);
    expect(answer.headers).not.toHaveProperty('x-amzn-errortype');
  });

  it('is the error object for all clients on the routes of containers', async () => {
    const answer = await ask(host, '/models/tulips/invoke', ROW, {});
    expect(answer.status).toBe(404);
    expect(answer.headers).not.toHaveProperty('x-amzn-errortype');
  });
});

describe('the shared routes', () => {
  const MLFLOW = JSON.stringify({ dataframe_split: { columns: [0, 1, 2, 3], data: [[5.1, 3.5, 1.4, 0.2]] } });
  const JSON_TYPE = { 'content-type': 'application/json' };
  const V2 = {
    inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
    outputs: [{ name: 'logits', parameters: { binary_data: true } }],
  };

  it.each(['/invocations', '/models/iris/invoke', '/endpoints/iris/invocations'])(
    '%s answers in the format of the request',
    async (path) => {
      expect(await jsonOf(ask(host, path, MLFLOW, JSON_TYPE))).toEqual({ predictions: LOGITS });
      expect(await jsonOf(ask(host, path, `[[${ROW}]]`, JSON_TYPE))).toEqual(LOGITS);
      expect(await jsonOf(ask(host, path, `{"instances": [[${ROW}]]}`, {}))).toEqual({ predictions: LOGITS });
    },
  );

  it.each(['/models/iris/invoke', '/endpoints/iris/invocations'])(
    '%s takes tensors in JSON',
    async (path) => {
      const tensor = { name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };
      const answer = ask(host, path, JSON.stringify({ id: 'a', inputs: [tensor] }), JSON_TYPE);
      expect(await jsonOf(answer)).toMatchObject({
        id: 'a',
        model_name: 'iris',
        outputs: [{ data: LOGITS[0] }],
      });
    },
  );

  it.each(['/models/iris/invoke', '/endpoints/iris/invocations'])(
    '%s takes tensors as Triton frames them for SageMaker',
    async (path) => {
      const json = Buffer.from(JSON.stringify(V2));
      const tail = Buffer.from(Float32Array.from([5.1, 3.5, 1.4, 0.2]).buffer);
      const type = `application/vnd.sagemaker-triton.binary+json;json-header-size=${json.length}`;
      const answer = await ask(host, path, Buffer.concat([json, tail]), { 'content-type': type });
      const [, size = ''] =
        /^application\/vnd\.sagemaker-triton\.binary\+json;json-header-size=(\d+)$/.exec(
          answer.headers['content-type'] ?? '',
        ) ?? [];
      expect(JSON.parse(answer.body.subarray(0, Number(size)).toString())).toMatchObject({
        model_name: 'iris',
        outputs: [{ name: 'logits', shape: [1, 3], parameters: { binary_data_size: 12 } }],
      });
      expect(answer.body.readFloatLE(Number(size))).toBeCloseTo(7.113542, 5);
    },
  );

  it('name a model as TorchServe does', async () => {
    expect(await jsonOf(ask(host, '/invocations?model_name=iris', `[${ROW}]`, JSON_TYPE))).toEqual(LOGITS);
    expect((await errorOf(ask(host, '/invocations?model_name=x', `[${ROW}]`, JSON_TYPE)))[0]).toBe(404);
  });

  it.each([
    ['sagemaker', ['/invocations', '/models/iris/invoke', '/endpoints/iris/invocations', '/ping']],
    ['mlflow', ['/invocations', '/serving-endpoints/iris/invocations', '/ping', '/version']],
    ['open-inference', []],
  ])('of %s alone are %j', async (protocol, paths) => {
    const app = openApp({ PROTOCOLS: protocol });
    const found: string[] = [];
    for (const path of [
      '/invocations',
      '/models/iris/invoke',
      '/endpoints/iris/invocations',
      '/serving-endpoints/iris/invocations',
      '/ping',
      '/version',
    ]) {
      const method = path === '/ping' || path === '/version' ? 'GET' : 'POST';
      const { status } = await app.send({ method, path, headers: {}, body: Buffer.from('{"instances":[]}') });
      if (status !== 404) found.push(path);
    }
    expect(found).toEqual(paths);
    await app.close();
  });

  it.each([
    ['sagemaker', '{"inputs": [[5.1,3.5,1.4,0.2]]}', LOGITS],
    ['mlflow', '{"inputs": [[5.1,3.5,1.4,0.2]]}', { predictions: LOGITS }],
    ['tensorflow-serving', '{"inputs": [[5.1,3.5,1.4,0.2]]}', { outputs: LOGITS }],
    ['kserve', '{"inputs": [[5.1,3.5,1.4,0.2]]}', { predictions: LOGITS }],
  ])('are all of one format with DIALECT=%s', async (dialect, body, answer) => {
    const app = openApp({ DIALECT: dialect });
    expect(await jsonOf(ask(app, '/models/iris/invoke', body, JSON_TYPE))).toEqual(answer);
    await app.close();
  });

  it('answer pings', async () => {
    const answer = await host.send({ method: 'GET', path: '/ping', headers: {}, body: Buffer.alloc(0) });
    expect([answer.status, answer.body.toString()]).toEqual([200, '{"status":"Healthy"}']);
  });
});
