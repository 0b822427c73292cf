import { afterAll, describe, expect, it } from 'vitest';
import { get, post } from '../../contracts/exchanges.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestRequest } from '../../support/hosts/test-host.ts';

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const app = openApp({ ADMIN_ROUTES: 'true', DEFAULT_MODEL: 'iris' });
afterAll(() => app.close());

async function ask(request: TestRequest) {
  const { status, body } = await app.send(request);
  return { status, json: JSON.parse(body.toString()) };
}

const without = (method: string, path: string) => ({ ...post(path, {}), method, body: Buffer.alloc(0) });
const loadByTriton = () => ask(post('/v2/repository/models/iris/load', {}));
const tensor = { name: 'features', shape: [1, 4], datatype: 'FP32', data: SETOSA };

/** A request for the live version of iris, in each protocol. */
const REQUESTS: readonly (readonly [name: string, request: TestRequest])[] = [
  ['predict', post('/predict', { features: SETOSA })],
  ['predict of the model', post('/models/iris/predict', { features: SETOSA })],
  ['predict of the version', post('/models/iris/versions/2/predict', { features: SETOSA })],
  ['the description of the model', get('/models/iris')],
  ['inference of V2', post('/v2/models/iris/infer', { inputs: [tensor] })],
  ['readiness of V2', get('/v2/models/iris/ready')],
  ['readiness of a version of V2', get('/v2/models/iris/versions/2/ready')],
  ['metadata of V2', get('/v2/models/iris')],
  ['predict of TensorFlow Serving', post('/v1/models/iris:predict', { instances: [SETOSA] })],
  ['status of TensorFlow Serving', get('/v1/models/iris')],
  ['TorchServe', post('/predictions/iris', { instances: [SETOSA] })],
  ['SageMaker', post('/endpoints/iris/invocations', { instances: [SETOSA] })],
  ['Vertex AI', post('/v1/projects/p/locations/l/endpoints/iris:predict', { instances: [SETOSA] })],
  ['Azure ML', post('/score', { data: [SETOSA] })],
  ['MLflow', post('/invocations', { inputs: [SETOSA] })],
  ['UbiOps', post('/v2.1/projects/p/deployments/iris/requests', { features: SETOSA })],
];

const UNLOADS: readonly (readonly [name: string, unload: () => Promise<{ status: number }>])[] = [
  ['Triton', () => ask(post('/v2/repository/models/iris/unload', {}))],
  ['TorchServe', () => ask(without('DELETE', '/models/iris'))],
  ['TorchServe by its workers', () => ask(without('PUT', '/models/iris?min_worker=0'))],
  ['TorchServe by a version', () => ask(without('DELETE', '/models/iris/2'))],
];

describe.each(UNLOADS)('a model that %s unloaded', (_, unload) => {
  it.each(REQUESTS)('is not ready for %s until it is loaded again', async (_name, request) => {
    expect((await loadByTriton()).status).toBe(200);
    expect((await ask(request)).status).toBe(200);
    expect((await unload()).status).toBe(200);
    const refused = await ask(request);
    expect(JSON.stringify(refused.json)).toContain('is not ready: it was unloaded; load it to use it again.');
    // On SageMaker it is ModelNotReadyException.
    expect([503, 429]).toContain(refused.status);
    expect((await loadByTriton()).status).toBe(200);
    expect((await ask(request)).status).toBe(200);
  });
});

it('a version that is unloaded leaves the others as they are', async () => {
  await loadByTriton();
  await ask(without('DELETE', '/models/iris/2'));
  expect((await ask(post('/models/iris/versions/1/predict', { features: SETOSA }))).status).toBe(200);
  expect((await ask(post('/models/digits/predict', { features: SETOSA }))).status).toBe(400);
  const index = (await ask(post('/v2/repository/index', {}))).json;
  expect(index).toContainEqual({ name: 'iris', version: '2', state: 'UNAVAILABLE', reason: 'unloaded' });
  expect(index).toContainEqual({ name: 'iris', version: '1', state: 'READY', reason: '' });
  const [described] = (await ask(get('/models/iris/2?customized=false'))).json;
  expect(described.workers).toEqual([]);
  expect((await ask(without('PUT', '/models/iris/2'))).status).toBe(200);
  expect((await ask(get('/v2/models/iris/ready'))).status).toBe(200);
});

it('a version that is loaded leaves the others of its model unloaded', async () => {
  const statusOf = async (version: string) =>
    (await ask(post(`/models/iris/versions/${version}/predict`, { features: SETOSA }))).status;
  await ask(post('/v2/repository/models/iris/unload', {}));
  expect((await ask(without('PUT', '/models/iris/1?min_worker=1'))).status).toBe(200);
  expect([await statusOf('1'), await statusOf('2')]).toEqual([200, 503]);
  expect((await ask(without('DELETE', '/models/iris/1'))).status).toBe(200);
  expect([await statusOf('1'), await statusOf('2')]).toEqual([503, 503]);
  await loadByTriton();
  expect([await statusOf('1'), await statusOf('2')]).toEqual([200, 200]);
  await ask(without('DELETE', '/models/iris/1'));
  expect([await statusOf('1'), await statusOf('2')]).toEqual([503, 200]);
  await loadByTriton();
  expect(await statusOf('1')).toBe(200);
});

it('one that is not there cannot be unloaded', async () => {
  expect((await ask(post('/v2/repository/models/rose/unload', {}))).status).toBe(404);
  expect((await ask(without('DELETE', '/models/iris/9'))).status).toBe(404);
});
