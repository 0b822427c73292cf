import { describe, expect, it } from 'vitest';
import { get, post } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { readRecording } from '../../../support/hosts/read-recording.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const app = openApp({ MAX_JSON_DEPTH: '32' });
const sent = readRecording('torchserve');
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const READY = { id: '1', startTime: TIME, status: 'READY', memoryUsage: 0, gpu: false };
const version = (modelVersion: string) => ({
  modelName: 'iris',
  modelUrl: `iris/${modelVersion}/model.onnx`,
  modelVersion,
  runtime: 'onnxruntime',
  minWorkers: 1,
  maxWorkers: 1,
  batchSize: 1,
  maxBatchDelay: 0,
  workers: [READY],
});
const send = async (host: TestHost, method: string, path: string) =>
  await ask(host, { ...get(path), method });

describe('the list of models', () => {
  it("has TorchServe's names next to ours", async () => {
    const { json } = await ask(app, get('/models'));
    expect(json.nextPageToken).toBeUndefined();
    expect(json.models).toEqual([
      {
        name: 'digits',
        versions: ['1'],
        live_version: '1',
        task: 'image-classification',
        modelName: 'digits',
        modelUrl: 'digits/1/model.onnx',
      },
      expect.objectContaining({ name: 'iris', modelName: 'iris', modelUrl: 'iris/2/model.onnx' }),
    ]);
  });

  it('comes in pages when a limit is given', async () => {
    const first = (await ask(app, sent('models'))).json;
    expect([first.models.length, first.models[0].modelName, first.nextPageToken]).toEqual([1, 'digits', '1']);
    const second = (await ask(app, get(`/models?limit=1&next_page_token=${first.nextPageToken}`))).json;
    expect([second.models.length, second.models[0].modelName, second.nextPageToken]).toEqual([
      1,
      'iris',
      undefined,
    ]);
    expect((await ask(app, get('/models?next_page_token=7'))).json).toEqual({ models: [] });
  });

  it.each([
    ['limit=0', 'Parameter "limit" is "0"; expected a whole number of at least 1.'],
    ['limit=-1', 'Parameter "limit" is "-1"; expected a whole number of at least 1.'],
    ['next_page_token=abc', 'Parameter "next_page_token" is "abc"; expected a whole number of at least 0.'],
  ])('is refused with %s', async (query, message) => {
    const { status, json } = await ask(app, get(`/models?${query}`));
    expect([status, json.error]).toEqual([400, message]);
  });
});

describe('a model', () => {
  it('is described as an array of versions where only TorchServe has the route', async () => {
    expect((await ask(app, sent('a model'))).json).toEqual([version('1'), version('2')]);
    expect((await ask(app, get('/models/iris/1'))).json).toEqual([version('1')]);
  });

  it('is our object at the route that all share, with the members of the others', async () => {
    const { json } = await ask(app, get('/models/iris'));
    expect(json).toMatchObject({
      name: 'iris',
      version: '2',
      modelName: 'iris',
      modelUrl: 'iris/2/model.onnx',
    });
  });

  it('is an array there as well, where the server or the request is for TorchServe alone', async () => {
    const pinned = openApp({ DIALECT: 'torchserve' });
    expect((await ask(pinned, get('/models/iris'))).json).toEqual([version('2')]);
    expect((await ask(app, get('/models/iris?customized=false'))).json).toEqual([version('2')]);
    const { json } = await ask(app, get('/models/iris?customized=true'));
    expect(json).toEqual([
      {
        ...version('2'),
        customizedMetadata: expect.objectContaining({ labels: ['setosa', 'versicolor', 'virginica'] }),
      },
    ]);
    const { json: ours } = await ask(pinned, get('/models/iris/versions/2'));
    expect(ours).toMatchObject({ name: 'iris', version: '2' });
  });

  it('stays our object when TorchServe is switched off', async () => {
    const host = openApp({ PROTOCOLS: 'ternion', DIALECT: 'torchserve' });
    expect((await ask(host, get('/models/iris?customized=true'))).json).toMatchObject({ name: 'iris' });
    expect((await ask(host, get('/models/iris/all'))).status).toBe(404);
  });

  it('that failed to load has no workers', async () => {
    const folder = await makeFolder({
      'm/1/model.onnx': 'broken',
      'm/2/model.onnx': identityModel(FLOAT, ['n']),
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    expect((await ask(host, post('/predictions/m/1', [1]))).status).toBe(503);
    const { json } = await ask(host, get('/models/m/all'));
    expect(json).toMatchObject([
      { modelVersion: '1', workers: [] },
      { modelVersion: '2', workers: [READY] },
    ]);
    await host.close();
  });

  it('that is not there is a 404', async () => {
    for (const path of ['/models/rose/all', '/models/iris/9']) {
      expect((await ask(app, get(path))).json).toMatchObject({ code: 404, type: 'ModelNotFoundException' });
    }
  });
});

describe('a path of another operation', () => {
  it.each(['GET', 'HEAD', 'DELETE', 'PUT'])('is not a version of a model to %s', async (method) => {
    const host = openApp({ ADMIN_ROUTES: 'true' });
    for (const path of ['/models/iris/predict', '/models/iris/invoke']) {
      const { status, headers } = await send(host, method, path);
      expect([path, status, headers.allow]).toEqual([path, 405, 'POST, OPTIONS']);
    }
    await host.close();
  });

  it('lists the same methods when it is asked for them', async () => {
    const { status, headers } = await send(app, 'OPTIONS', '/models/iris/predict');
    expect([status, headers.allow]).toEqual([204, 'POST, OPTIONS']);
  });

  it('is a version where the protocol with the operation is switched off', async () => {
    const host = openApp({ PROTOCOLS: 'torchserve' });
    expect((await ask(host, get('/models/iris/predict'))).status).toBe(404);
    await host.close();
  });
});

describe('changes', () => {
  it.each([
    ['POST', '/models?url=https://example.com/x.mar', 'GET, HEAD, OPTIONS'],
    ['PUT', '/models/iris?min_worker=1', 'GET, POST, HEAD, OPTIONS'],
    ['DELETE', '/models/iris', 'GET, POST, HEAD, OPTIONS'],
    ['DELETE', '/models/iris/1', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/models/iris/all', 'GET, HEAD, OPTIONS'],
  ])('are not allowed: %s %s', async (method, path, allow) => {
    const { status, headers } = await send(app, method, path);
    expect([status, headers.allow]).toEqual([405, allow]);
  });

  it('load and unload models where the operator allows it', async () => {
    const host = openApp({ ADMIN_ROUTES: 'true' });
    const state = async () => (await ask(host, get('/health'))).json.models[1].state;
    expect(await state()).toBe('idle');
    const scaled = await ask(host, sent('scale'));
    expect([scaled.status, scaled.json, await state()]).toEqual([
      200,
      { status: 'Model "iris" is loaded' },
      'loaded',
    ]);
    expect((await send(host, 'PUT', '/models/iris/2?min_worker=0')).json).toEqual({
      status: 'Model "iris" is unloaded',
    });
    expect(await state()).toBe('unloaded');
    await send(host, 'PUT', '/models/iris');
    const deleted = await send(host, 'DELETE', '/models/iris');
    expect([deleted.status, deleted.json]).toEqual([200, { status: 'Model "iris" unregistered' }]);
    expect(await state()).toBe('unloaded');
    expect((await send(host, 'DELETE', '/models/rose')).status).toBe(404);
    await host.close();
  });

  it('never fetch a URL that a client names', async () => {
    const host = openApp({ ADMIN_ROUTES: 'true' });
    const { status, json } = await send(host, 'POST', '/models?url=http://169.254.169.254/&model_name=x');
    expect([status, json.error]).toEqual([
      501,
      'Models cannot be registered by URL: put them into the model repository, and the server finds them.',
    ]);
    expect((await send(host, 'PUT', '/models/iris?min_worker=many')).json.error).toBe(
      'Parameter "min_worker" is "many"; expected a whole number of at least 0.',
    );
    await host.close();
  });
});
