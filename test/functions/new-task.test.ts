import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { createContext, createHost, requestUrl } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { TASKS } from '../../shared/inference/tasks.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../support/build-model.ts';
import { lightSpot } from '../support/new-task.ts';
import { PAGES } from '../support/project.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const SHAPE = ['n', 1, 2, 2];
const MODEL = buildModel({
  nodes: [buildNode('Neg', ['x'], ['d']), buildNode('Neg', ['d'], ['y'])],
  inputs: [tensorValue('x', FLOAT, SHAPE)],
  outputs: [tensorValue('y', FLOAT, SHAPE)],
});
const CONFIG = {
  task: 'light-spot',
  minimum: 9,
  preprocess: [
    { step: 'convert', mode: 'grey' },
    { step: 'layout', layout: 'NCHW' },
  ],
};
const BRIGHT = { found: true, place: 2, light: 200 };

let light: Buffer;
let dark: Buffer;

beforeAll(async () => {
  const image = (values: readonly number[]) =>
    sharp(Uint8Array.from(values), { raw: { width: 2, height: 2, channels: 1 } })
      .png()
      .toBuffer();
  light = await image([10, 20, 200, 30]);
  dark = await image([1, 2, 3, 4]);
});

async function openHost(config: object = CONFIG) {
  const folder = await makeFolder({
    'spot/1/model.onnx': MODEL,
    'spot/1/model.json': JSON.stringify(config),
  });
  const host = createHost({
    environment: { LOG_LEVEL: 'silent' },
    modelRepository: folder,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    tasks: [
      ...TASKS,
      { name: lightSpot.name, hasLabels: false, kinds: ['image'], load: async () => lightSpot },
    ],
  });
  return async (path: string, body?: object | Buffer, type = 'application/json') => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body ? JSON.stringify(body) : '');
    const headers = new Headers(body ? { 'content-type': type } : {});
    const request = new BytesRequest(requestUrl(path), { method: body ? 'POST' : 'GET', headers }, bytes);
    const response = await host.app.fetch(request, createContext(headers, 'id'));
    return { status: response.status, json: JSON.parse(await response.text()) };
  };
}

describe('a task that is a single file', () => {
  it("is predicted on Ternion's own route, for one image and for several", async () => {
    const ask = await openHost();
    expect(await ask('/predict', light, 'image/png')).toMatchObject({
      status: 200,
      json: { ...BRIGHT, model: 'spot', model_version: '1' },
    });
    const instances = [light, dark].map((image) => ({ image: image.toString('base64') }));
    expect((await ask('/models/spot/predict', { instances })).json.predictions).toEqual([
      BRIGHT,
      { found: false },
    ]);
  });

  it('is answered on the routes of other servers', async () => {
    const ask = await openHost();
    expect((await ask('/hf/spot', light, 'image/png')).json).toEqual([BRIGHT]);
    expect((await ask('/predictions/spot', light, 'image/png')).json).toEqual(BRIGHT);
    expect((await ask('/endpoints/spot/invocations', light, 'image/png')).json).toEqual(BRIGHT);
    const inputs = [{ name: 'x', datatype: 'BYTES', shape: [1], data: [light.toString('base64')] }];
    expect((await ask('/v2/models/spot/infer', { inputs })).json.outputs).toMatchObject([
      { name: 'y', shape: [1, 1, 2, 2], data: [10, 20, 200, 30] },
    ]);
  });

  it('is described, with the form of the playground for its input', async () => {
    const ask = await openHost();
    expect((await ask('/models/spot')).json).toMatchObject({ task: 'light-spot', input: 'image' });
    expect((await ask('/models')).json.models).toMatchObject([{ name: 'spot', task: 'light-spot' }]);
    const document = (await ask('/openapi.json')).json;
    expect(JSON.stringify(document)).toContain('Index of the brightest pixel.');
  });

  it('has its model.json checked', async () => {
    const ask = await openHost({ ...CONFIG, minimum: 'much', more: 1 });
    expect((await ask('/models/spot/predict', light, 'image/png')).json.error).toBe(
      'Model "spot" version "1" cannot be loaded: its model.json is not valid (minimum: the string "much"; expected a number; the file: unknown member "more").',
    );
  });
});
