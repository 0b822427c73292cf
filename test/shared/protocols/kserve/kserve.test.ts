import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { readRecording } from '../../../support/hosts/read-recording.ts';

const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const app = openApp({ MAX_JSON_DEPTH: '32' });
const sent = readRecording('kserve-v1');

describe("KServe's Python client", () => {
  it('sees a server that is alive and a model that is ready', async () => {
    const live = await ask(app, sent('is_server_live'));
    expect([live.status, live.json.status]).toEqual([200, 'alive']);
    expect((await ask(app, sent('is_model_ready'))).json).toMatchObject({ name: 'iris', ready: true });
  });

  it('gets a prediction for each instance', async () => {
    const { json } = await ask(app, sent('infer rows'));
    expect(Object.keys(json)).toEqual(['predictions']);
    expect(json.predictions).toHaveLength(2);
    expect(json.predictions[0]).toEqual([7.113542, -1.969219, -9.984419]);
  });

  it.each(['infer an image', "infer as TorchServe's runtime"])('gets scores for %s', async (call) => {
    const { json } = await ask(app, sent(call));
    const [scores] = json.predictions;
    expect(scores.indexOf(Math.max(...scores))).toBe(7);
  });

  it('finds the message of an error, which it reads only of the plain type of JSON', async () => {
    const { status, headers, json } = await ask(app, sent('infer a wrong row'));
    expect([status, headers['content-type']]).toEqual([400, 'application/json']);
    expect(json.error).toBe('Input "features" has the shape [1,3]; expected [-1,4], where -1 is any size.');
  });

  it('is answered that models are not explained', async () => {
    const { status, json } = await ask(app, sent('explain'));
    expect([status, json.error]).toEqual([501, 'Explanations are not supported; use :predict.']);
  });
});

describe('the list of models', () => {
  it('has names for KServe, and objects as OpenAI lists them', async () => {
    expect((await ask(app, get('/v1/models'))).json).toEqual({
      models: ['digits', 'iris'],
      object: 'list',
      data: [
        { id: 'digits', object: 'model', owned_by: 'ternion' },
        { id: 'iris', object: 'model', owned_by: 'ternion' },
      ],
    });
    expect((await ask(app, get('/V1/models/'))).status).toBe(200);
  });
});

describe('explanations', () => {
  it.each([
    '/v1/models/iris:explain',
    '/v1/models/iris/versions/1:explain',
    '/V1/models/iris/labels/a:EXPLAIN',
  ])('are refused at %s', async (path) => {
    expect((await ask(app, post(path, {}))).json).toMatchObject({ code: 501, error_code: 'NOT_IMPLEMENTED' });
  });
});

describe('DIALECT=kserve', () => {
  const kserve = openApp({ DIALECT: 'kserve', MAX_JSON_DEPTH: '32' });

  it('takes inputs for rows, which are answered with predictions', async () => {
    const [rows, instances] = await Promise.all([
      ask(kserve, post('/v1/models/iris:predict', { inputs: [SETOSA, SETOSA] })),
      ask(kserve, post('/v1/models/iris:predict', { instances: [SETOSA, SETOSA] })),
    ]);
    expect(rows.json.predictions).toHaveLength(2);
    expect(rows.json).toEqual(instances.json);
    const { json } = await ask(kserve, post('/v1/models/iris:predict', { inputs: [SETOSA, [1]] }));
    expect(json.error).toBe('Field "inputs[1]" is an array of 1; expected an array of 4, like "inputs[0]".');
  });

  it('is not the default: TensorFlow Serving answers inputs with outputs', async () => {
    const { json } = await ask(app, post('/v1/models/iris:predict', { inputs: [SETOSA] }));
    expect(Object.keys(json)).toEqual(['outputs']);
  });
});

describe('PROTOCOLS', () => {
  it('with KServe alone has its routes and no others of TensorFlow Serving', async () => {
    const host = openApp({ PROTOCOLS: 'kserve', MAX_JSON_DEPTH: '32' });
    const status = async (request: ReturnType<typeof get>) => (await ask(host, request)).status;
    expect(await status(get('/v1/models'))).toBe(200);
    expect(await status(get('/v1/models/iris'))).toBe(200);
    expect(await status(post('/v1/models/iris:predict', { instances: [SETOSA] }))).toBe(200);
    expect(await status(raw('/v1/models/digits:predict', PNG, { 'content-type': 'image/png' }))).toBe(200);
    expect(await status(get('/v1/models/iris/metadata'))).toBe(404);
    expect(await status(post('/v1/models/iris:classify', {}))).toBe(404);
    expect(await status(get('/v1/models/iris/versions/1'))).toBe(404);
  });

  it('with TensorFlow Serving alone has its routes and no others of KServe', async () => {
    const host = openApp({ PROTOCOLS: 'tensorflow-serving', MAX_JSON_DEPTH: '32' });
    const status = async (request: ReturnType<typeof get>) => (await ask(host, request)).status;
    expect(await status(get('/v1/models/iris'))).toBe(200);
    expect(await status(get('/v1/models/iris/metadata'))).toBe(200);
    expect(await status(post('/v1/models/iris:predict', { instances: [SETOSA] }))).toBe(200);
    expect(await status(get('/v1/models'))).toBe(404);
    expect(await status(post('/v1/models/iris:explain', {}))).toBe(404);
  });
});
