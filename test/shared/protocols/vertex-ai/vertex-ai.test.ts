import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  identityModel,
  tensorValue,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestRequest } from '../../../support/hosts/test-host.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';
import { replay } from '../../../support/recorded-requests.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const LOGITS = [7.113542, -1.969219, -9.984419];
const ENDPOINTS = '/v1/projects/p/locations/us-central1/endpoints';

const app = openApp();
afterAll(() => app.close());

async function ask(request: TestRequest, host = app) {
  const { status, headers, body } = await host.send(request);
  return { status, headers, json: JSON.parse(body.toString()) };
}

describe('predict on an endpoint', () => {
  it('answers one prediction per instance, in order, and names the model', async () => {
    const instances = [{ features: SETOSA }, { features: [6.3, 3.3, 6.0, 2.5] }];
    const { json } = await ask(post(`${ENDPOINTS}/iris:predict`, { instances }));
    expect(json).toEqual({
      predictions: [LOGITS, [-8.38984, -2.580314, 9.099979]],
      deployedModelId: '2',
      model: 'projects/p/locations/us-central1/models/iris',
      modelDisplayName: 'iris',
      modelVersionId: '2',
    });
  });

  it('takes the only model that fits where no model has the name of the endpoint', async () => {
    const rows = await ask(post(`${ENDPOINTS}/123:predict`, { instances: [SETOSA], parameters: { x: 1 } }));
    expect(rows.json).toMatchObject({ predictions: [LOGITS], modelDisplayName: 'iris' });
    const images = await ask(post(`${ENDPOINTS}/123:predict`, { instances: [{ b64: B64 }] }));
    expect(images.json.modelDisplayName).toBe('digits');
    expect(images.json.predictions[0]).toHaveLength(10);
  });

  it('writes several outputs as an object per instance', async () => {
    const { json } = await ask(
      post('/v1/endpoints/iris/deployedModels/1:predict', { instances: [SETOSA, SETOSA] }),
    );
    const prediction = {
      output_label: 'setosa',
      output_probability: [expect.closeTo(1, 4), expect.closeTo(0, 4), 0],
    };
    expect(json).toEqual({ predictions: [prediction, prediction] });
  });

  it('keeps the digits of 64-bit numbers', async () => {
    const folder = await makeRepository({ whole: { onnx: identityModel(INT64, ['n', 1]) } });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const response = await host.send(
      raw(`${ENDPOINTS}/1:predict`, '{"instances": [[9007199254740993]]}', {}),
    );
    expect(response.body.toString()).toContain('"predictions":[[9007199254740993]]');
    await host.close();
  });
});

describe('an endpoint as a resource', () => {
  it('has the versions of its model, with all traffic to the live one', async () => {
    const { json } = await ask(get(`${ENDPOINTS}/iris`));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const model = 'projects/p/locations/us-central1/models/iris';
    const deployed = (id: string) => ({
      id,
      displayName: 'iris',
      model,
      modelVersionId: id,
      createTime: time,
    });
    expect(json).toEqual({
      name: 'projects/p/locations/us-central1/endpoints/iris',
      displayName: 'iris',
      deployedModels: [deployed('1'), deployed('2')],
      trafficSplit: { 2: 100 },
      createTime: time,
      updateTime: time,
    });
  });

  it('has those of the default model, or none, where no model has its name', async () => {
    const { json } = await ask(get(`${ENDPOINTS}/123`));
    expect(json).toMatchObject({ displayName: '123', deployedModels: [], trafficSplit: {} });
    const host = openApp({ DEFAULT_MODEL: 'digits' });
    const { json: own } = await ask(get(`${ENDPOINTS}/123`), host);
    expect(own).toMatchObject({ deployedModels: [{ id: '1', displayName: 'digits' }] });
    await host.close();
  });
});

describe('labels of images', () => {
  const label = async (request: unknown) => await ask(post(`${ENDPOINTS}/digits:predict`, request));
  const best = { ids: ['7'], displayNames: ['7'], confidences: [expect.closeTo(0.7923, 4)] };

  it('come for instances with the key of AutoML, ten at most', async () => {
    const { json } = await label({ instances: [{ content: B64, mimeType: 'image/png' }] });
    const [{ ids, displayNames, confidences }] = json.predictions;
    expect(ids.slice(0, 3)).toEqual(['7', '2', '0']);
    expect([ids, displayNames, confidences].map(({ length }) => length)).toEqual([10, 10, 10]);
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
  });

  it.each([
    ['how many are wanted', { maxPredictions: 1 }],
    ['how sure they must be', { confidenceThreshold: 0.5 }],
  ])('come where the parameters say %s', async (_, parameters) => {
    const { json } = await label({ instances: [{ b64: B64 }, B64], parameters });
    expect(json.predictions).toEqual([best, best]);
  });

  it.each([
    [
      { maxPredictions: 0 },
      'Field "parameters.maxPredictions" is the number 0; expected a whole number of at least 1.',
    ],
    [
      { confidenceThreshold: '1' },
      'Field "parameters.confidenceThreshold" is the string "1"; expected a number.',
    ],
  ])('cannot be asked for with %j', async (parameters, message) => {
    const { status, json } = await label({ instances: [B64], parameters });
    expect({ status, message: json.error.message }).toEqual({ status: 400, message });
  });

  it('are not confused with parameters of a model of rows', async () => {
    const request = { instances: [SETOSA], parameters: { confidenceThreshold: 0.5 } };
    expect((await ask(post(`${ENDPOINTS}/iris:predict`, request))).json.predictions).toEqual([LOGITS]);
  });
});

describe('errors', () => {
  it.each([
    [post(`${ENDPOINTS}/iris:predict`, { instances: [[1]] }), 400, 'INVALID_ARGUMENT', /shape \[1,1\]/],
    [post(`${ENDPOINTS}/iris:predict`, { inputs: 1 }), 400, 'INVALID_ARGUMENT', /"instances" is nothing/],
    [post(`${ENDPOINTS}/iris:rawPredict`, { x: 1 }), 400, 'INVALID_ARGUMENT', /expected one of "instances"/],
    [raw(`${ENDPOINTS}/iris:predict`, 'x'.repeat(300_000), {}), 413, 'INVALID_ARGUMENT', /larger than/],
    [post(`${ENDPOINTS}/iris:explain`, {}), 501, 'UNIMPLEMENTED', /explain is not supported/],
    [post(ENDPOINTS, {}), 405, 'UNIMPLEMENTED', /not be created or changed/],
    [{ ...get(`${ENDPOINTS}/iris`), method: 'DELETE' }, 405, 'UNIMPLEMENTED', /not be created or changed/],
    [post(ENDPOINTS.replace(/endpoints$/, 'models'), {}), 501, 'UNIMPLEMENTED', /^Below a location/],
    [get(`${ENDPOINTS}/iris:streamRawPredict`), 501, 'UNIMPLEMENTED', /streamRawPredict/],
  ])('are objects of Google on an endpoint: %#', async (request, code, status, message) => {
    const { json, ...response } = await ask(request);
    expect(response.status).toBe(code);
    expect(json).toEqual({
      error: { code, status, message: expect.stringMatching(message) },
      request_id: response.headers['x-request-id'],
    });
  });

  it('are the object for all clients on a container', async () => {
    const { json } = await ask(post('/v1/endpoints/1/deployedModels/2:predict', { instances: [[1]] }));
    expect(json.error).toMatch(/has the shape/);
  });
});

describe('rawPredict', () => {
  const headersOf = ({ headers }: { headers: Readonly<Record<string, string>> }) => [
    headers['x-vertex-ai-endpoint-id'],
    headers['x-vertex-ai-deployed-model-id'],
  ];

  it('answers instances, tensors of V2 and images in their own formats', async () => {
    const rows = await ask(post(`${ENDPOINTS}/iris:rawPredict`, { instances: [SETOSA] }));
    expect(rows.json).toEqual({ predictions: [LOGITS] });
    expect(headersOf(rows)).toEqual(['iris', '2']);
    const inputs = [{ name: 'features', shape: [1, 4], datatype: 'FP32', data: SETOSA }];
    const tensors = await ask(post(`${ENDPOINTS}/iris:rawPredict`, { inputs }));
    expect(tensors.json.outputs).toEqual([{ name: 'logits', datatype: 'FP32', shape: [1, 3], data: LOGITS }]);
    const image = await app.send(raw(`${ENDPOINTS}/7:rawPredict`, PNG, { 'content-type': 'image/png' }));
    expect(image.status).toBe(200);
    expect(headersOf(image)).toEqual(['7', '1']);
  });

  it.each([
    ['%00', '\0', '%00'],
    ['a%7f', 'a\x7f', 'a%7F'],
    ['%1b[31m', '\x1b[31m', '%1B%5B31m'],
    ['a%e2%80%a8b', 'a\u2028b', 'a%E2%80%A8b'],
    ['%f0%9f%98%80', '😀', '%F0%9F%98%80'],
    ['%e9t', '%e9t', '%e9t'],
    ['a%0d%0ax-evil', 'a\r\nx-evil', 'a%0D%0Ax-evil'],
    ['my-endpoint', 'my-endpoint', 'my-endpoint'],
  ])('repeats an endpoint that no header can hold in percent-encoding: %s', async (path, name, value) => {
    const host = openApp({ ENDPOINT_MODELS: `${name}=iris` });
    const answer = await ask(post(`${ENDPOINTS}/${path}:rawPredict`, { instances: [SETOSA] }), host);
    expect([answer.status, answer.json]).toEqual([200, { predictions: [LOGITS] }]);
    expect(headersOf(answer)).toEqual([value, '2']);
    await host.close();
  });

  it.each(['a\r\nb', 'a\0', 'text/\u2028', 'a\x7f'])(
    'refuses a type that no header can hold: %j',
    async (contentType) => {
      const { status, json } = await ask(
        post(`${ENDPOINTS}/iris:rawPredict`, { httpBody: { contentType, data: 'e30=' } }),
      );
      expect([status, json.error.message]).toEqual([
        400,
        `Field "httpBody.contentType" is the string ${JSON.stringify(contentType)}; expected a media type.`,
      ]);
    },
  );

  it('unwraps a body in a body and wraps the answer', async () => {
    const data = Buffer.from(JSON.stringify({ instances: [{ content: B64 }] })).toString('base64');
    const httpBody = { contentType: 'application/json', data };
    const { json } = await ask(post(`${ENDPOINTS}/7:rawPredict`, { httpBody }));
    expect(json.contentType).toBe('application/json');
    const answer = JSON.parse(Buffer.from(json.data, 'base64').toString());
    expect(answer.predictions[0].displayNames[0]).toBe('7');
  });

  it('follows the setting that pins one format', async () => {
    const host = openApp({ DIALECT: 'azure-ml' });
    const { json } = await ask(post(`${ENDPOINTS}/iris:rawPredict`, { data: [SETOSA] }), host);
    expect(json).toEqual([LOGITS]);
    await host.close();
  });
});

describe('the routes of a container', () => {
  it('answer with the health, and predict with the model and version that ids name', async () => {
    const health = await ask(get('/v1/endpoints/1/deployedModels/2'));
    expect([health.status, health.json.status]).toEqual([200, 'ok']);
    const path = '/v1/endpoints/iris/deployedModels/4611686018427387904:predict';
    expect((await ask(post(path, { instances: [SETOSA] }))).json).toEqual({ predictions: [LOGITS] });
  });

  it('are those of the environment, which win over others', async () => {
    const host = openApp({ AIP_HEALTH_ROUTE: '/models', AIP_PREDICT_ROUTE: '/predict/' });
    expect((await ask(get('/models'), host)).json.status).toBe('ok');
    const instances = [{ features: SETOSA }];
    expect((await ask(post('/predict', { instances }), host)).json).toEqual({ predictions: [LOGITS] });
    const inputs = { inputs: B64, parameters: { top_k: 1 } };
    const labels = await ask(post('/predict', inputs), host);
    expect(labels.json).toEqual([{ label: '7', score: expect.closeTo(0.7923, 4) }]);
    await host.close();
  });

  it('can end like the name of a verb, and are off where the protocol is', async () => {
    const environment = { AIP_PREDICT_ROUTE: '/v1/models/iris:predict' };
    const on = openApp(environment);
    const ask1 = async (host: typeof on) =>
      await ask(post('/v1/models/iris:predict', { instances: [{ content: B64 }] }), host);
    expect((await ask1(on)).json.predictions[0].ids).toHaveLength(10);
    const off = openApp({ ...environment, PROTOCOLS: 'ternion' });
    expect((await ask1(off)).status).toBe(404);
    await on.close();
    await off.close();
  });
});

describe('lists in lists', () => {
  const wire = '{"instances": [{"0": 5.1, "1": 3.5, "2": 1.4, "3": 0.2}]}';
  const send = async (client: string) =>
    await ask(raw(`${ENDPOINTS}/iris:predict`, wire, { 'x-goog-api-client': client }));

  it("are mended where Google's client for Node has made objects of them, and only there", async () => {
    expect((await send('gax/6 gl-node/24 rest/6')).json.predictions).toEqual([LOGITS]);
    expect((await send('gl-python/3.11 rest/2')).status).toBe(400);
  });

  it('keep objects whose keys are names', async () => {
    const folder = await makeRepository({
      sum: {
        onnx: buildModel({
          nodes: [buildNode('Add', ['a', 'b'], ['c'])],
          inputs: [tensorValue('a', FLOAT, ['n', 2, 2]), tensorValue('b', FLOAT, ['n'])],
          outputs: [tensorValue('c', FLOAT, ['n', 2, 'm'])],
        }),
      },
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const a = '{"0": {"0": 1, "1": 2}, "1": {"0": 3, "1": 4}}';
    const request = raw(`${ENDPOINTS}/1:predict`, `{"instances": [{"a": ${a}, "b": 10}]}`, {
      'x-goog-api-client': 'gl-node/24 rest/6',
    });
    expect((await ask(request, host)).json.predictions).toEqual([
      [
        [11, 12],
        [13, 14],
      ],
    ]);
    await host.close();
  });
});

describe("what Google's client for Python sends", () => {
  it('gets the answers it expects', async () => {
    const answers = await replay('google-cloud-aiplatform', app);
    const predictions = [LOGITS, LOGITS];
    expect(answers.get_endpoint).toMatchObject({ status: 200, json: { trafficSplit: { 2: 100 } } });
    expect(answers.predict).toMatchObject({ status: 200, json: { predictions, modelDisplayName: 'iris' } });
    expect(answers['predict with features']?.json.predictions).toEqual([LOGITS]);
    expect(answers['predict with an image']?.json.predictions).toEqual([
      { ids: ['7'], displayNames: ['7'], confidences: [expect.closeTo(0.7923, 4)] },
    ]);
    expect(answers['predict of a wrong shape']).toMatchObject({
      status: 400,
      json: { error: { code: 400, status: 'INVALID_ARGUMENT' } },
    });
    const { data } = answers.raw_predict?.json ?? {};
    expect(JSON.parse(Buffer.from(data, 'base64').toString())).toMatchObject({ model_name: 'iris' });
  });
});
