import { afterAll, describe, expect, it } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';

const CONTAINER = '/v1/endpoints/1/deployedModels/2:predict';
const RAW = '/v1/projects/p/locations/us-central1/endpoints/1:rawPredict';
const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };

const app = openApp();
afterAll(() => app.close());

async function send(path: string, target: string, body: unknown, host = app) {
  const request = post(path, body);
  const headers = { ...request.headers, 'x-vertex-ai-triton-redirect': target };
  const answer = await host.send({ ...request, headers });
  return { status: answer.status, json: JSON.parse(answer.body.toString()) };
}

describe('the redirect header', () => {
  it.each([CONTAINER, RAW])('names a path of V2 on %s, of operations that change nothing', async (path) => {
    const infer = await send(path, 'v2/models/iris/infer', { inputs: [ROW] });
    expect(infer).toMatchObject({ status: 200, json: { model_name: 'iris' } });
    expect((await send(path, 'v2/models/iris', {})).json).toMatchObject({
      name: 'iris',
      versions: ['1', '2'],
    });
    expect((await send(path, 'v2/repository/models/iris/unload', {})).status).toBe(403);
    expect((await send(path, '/models', {})).status).toBe(400);
  });

  it('finds no way out of V2', async () => {
    for (const target of ['v2/../', '\\', '\\[', '//[', '/\t/[']) {
      expect((await send(CONTAINER, target, {})).status).toBe(400);
    }
    expect((await send(CONTAINER, 'v2/%6Coad/../repository/models/iris/%6Coad?x', {})).status).toBe(403);
  });

  it('means nothing on other routes, nor where the protocol is off', async () => {
    const features = { features: ROW.data };
    const predict = await send('/models/iris/predict', 'v2/models/digits', features);
    expect(predict.json).toMatchObject({ prediction: 'setosa' });
    const host = openApp({ PROTOCOLS: 'ternion,open-inference' });
    expect((await send(CONTAINER, 'v2/models/iris', {}, host)).status).toBe(404);
    await host.close();
    const alone = openApp({ PROTOCOLS: 'vertex-ai' });
    expect((await send(CONTAINER, 'v2/models/iris', {}, alone)).status).toBe(404);
    await alone.close();
  });
});
