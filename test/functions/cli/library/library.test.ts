import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest';
import {
  createApp,
  defineProcessor,
  loadConfig,
  type ModelPrediction,
  type OpenModel,
  open,
  PredictError,
  serve,
} from '../../../../functions/cli/library/index.ts';
import { portOf } from '../../../support/port-of.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const MODELS = join(PROJECT, 'models');
const FLOWER = [5.1, 3.5, 1.4, 0.2];
const SILENT = { LOG_LEVEL: 'silent' };
const SETOSA = { prediction: 'setosa', class_id: 0 };

declare module '../../../../functions/cli/library/open.ts' {
  interface Models {
    'models/flowers': { input: readonly [number, number]; prediction: { prediction: 'a' | 'b' } };
  }
}

/** The answer to a body that was read before. */
const TAKEN = expect.stringMatching(/^The server has read the body .* mount Ternion before its body parsers/);

/** A body that is a stream needs it; the types of Node do not have it. */
const HALF = { duplex: 'half' };

const post = (body: object) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

describe('open', () => {
  async function openModel(...[model, options]: Parameters<typeof open>): Promise<OpenModel> {
    const opened = await open(`${model}`, options);
    onTestFinished(() => opened.close());
    return opened;
  }

  it('calls a model without HTTP, one instance or several', async () => {
    const iris = await openModel(join(MODELS, 'iris'));
    expect([iris.name, iris.version]).toEqual(['iris', '2']);
    expect(await iris.predict(FLOWER)).toEqual({
      ...SETOSA,
      confidence: expect.closeTo(0.99989, 5),
      probabilities: {
        setosa: expect.any(Number),
        versicolor: expect.any(Number),
        virginica: expect.any(Number),
      },
    });
    const named = { sepal_length: 6.7, sepal_width: 3, petal_length: 5.2, petal_width: 2.3 };
    expect(await iris.predictBatch([FLOWER, named])).toMatchObject([SETOSA, { prediction: 'virginica' }]);
    expect(await iris.predictBatch([])).toEqual([]);
  });

  it('takes the bytes of an image', async () => {
    const digits = await openModel('digits', { repository: MODELS });
    const image = readFileSync(join(PROJECT, 'examples/data/photo.jpg'));
    const prediction = await digits.predict(image);
    expect(Object.keys(prediction)).toEqual(['prediction', 'class_id', 'confidence', 'top_5']);
    expect(await digits.predictBatch([image, image])).toEqual([prediction, prediction]);
  });

  it('rejects what a client would get as an error', async () => {
    const iris = await openModel('iris/1', { repository: MODELS });
    const error = await iris.predict([1]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PredictError);
    expect(error).toMatchObject({
      status: 400,
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('has 1 value; expected 4'),
    });
  });

  it.each<[string, RegExp]>([
    ['nothing/here', /no model|no repository|There is no file or folder/],
    [join(PROJECT, 'README.md'), /README\.md/],
  ])('says what is wrong with %s', async (model, message) => {
    await expect(open(model)).rejects.toThrow(message);
  });

  it('runs steps of own code', async () => {
    const half = defineProcessor({
      name: 'half',
      before: (rows) => rows.map((row) => (Array.isArray(row) ? row.map((cell) => Number(cell) / 2) : row)),
    });
    const config: object = JSON.parse(readFileSync(join(MODELS, 'iris/2/model.json'), 'utf8'));
    const folder = await makeFolder({
      'iris/1/model.onnx': readFileSync(join(MODELS, 'iris/2/model.onnx')),
      'iris/1/model.json': JSON.stringify({ ...config, processors: [{ step: 'half' }] }),
    });
    const iris = await openModel('iris', { repository: folder, processors: [half] });
    expect(await iris.predict(FLOWER.map((value) => value * 2))).toMatchObject(SETOSA);
    const down = new Error('db down');
    const failing = defineProcessor({
      name: 'half',
      before: () => {
        throw down;
      },
    });
    const broken = await openModel('iris', { repository: folder, processors: [failing] });
    await expect(broken.predict(FLOWER)).rejects.toMatchObject({ code: 'PROCESSOR_FAILED', cause: down });
  });

  it('has the types that the project has written for its models', () => {
    const openKnown = () => open('models/flowers');
    expectTypeOf(openKnown).returns.resolves.toEqualTypeOf<
      OpenModel<readonly [number, number], { prediction: 'a' | 'b' }>
    >();
    const openOther = (name: string) => open(name);
    expectTypeOf(openOther)
      .returns.resolves.toHaveProperty('predict')
      .returns.resolves.toEqualTypeOf<ModelPrediction>();
  });
});

describe('createApp', () => {
  function makeApp(options: Parameters<typeof createApp>[0] = {}) {
    const app = createApp({ repository: MODELS, environment: SILENT, ...options });
    onTestFinished(() => app.close());
    return app;
  }

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    });
    return `http://127.0.0.1:${portOf(server)}`;
  }

  it('answers requests of the Fetch standard', async () => {
    const { fetch } = makeApp();
    const response = await fetch(new Request('http://any/models/iris/predict', post({ features: FLOWER })));
    expect(response).toBeInstanceOf(Response);
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining(SETOSA)]);
    expect((await fetch(new Request('http://any/nothing'))).status).toBe(404);
    expect((await fetch(new Request('http://any/predict', { method: 'OPTIONS' }))).status).toBe(204);
  });

  it('answers below a prefix, whether the framework has cut it or not', async () => {
    const { fetch } = makeApp({ basePath: '/ml' });
    const ask = (path: string) => fetch(new Request(`http://any${path}`, post({ features: FLOWER })));
    expect([
      (await ask('/ml/models/iris/predict')).status,
      (await ask('/models/iris/predict')).status,
      (await ask('/other/models/iris/predict')).status,
    ]).toEqual([200, 200, 404]);
  });

  it('answers requests of Node', async () => {
    const { node } = makeApp();
    const url = await listen((request, response) => void node(request, response));
    const response = await fetch(`${url}/models/iris/predict`, post({ features: FLOWER }));
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining(SETOSA)]);
  });

  it('answers requests whose body was read and whose path was cut by a framework', async () => {
    const { node } = makeApp();
    const url = await listen(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const cut = { body, originalUrl: request.url, url: request.url?.replace('/ml', '') };
      await node(Object.assign(request, cut), response);
    });
    const response = await fetch(`${url}/ml/models/iris/predict`, post({ features: FLOWER }));
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining(SETOSA)]);
  });

  it('keeps the prefix that a framework has cut off, where an answer has the address of the server', async () => {
    const { node } = makeApp({ basePath: '/ml' });
    const url = await listen((request, response) => {
      const cut = { originalUrl: request.url, url: request.url?.replace(/^\/mlx?/, '') };
      void node(Object.assign(request, cut), response);
    });
    const addressOf = async (prefix: string) => {
      const response = await fetch(`${url}${prefix}/api/2.0/serving-endpoints/iris`);
      const { endpoint_url: address }: { endpoint_url?: unknown } = await response.json();
      return address;
    };
    expect(await addressOf('/ml')).toBe(`${url}/ml/serving-endpoints/iris/invocations`);
    expect(await addressOf('/mlx')).toBe(`${url}/serving-endpoints/iris/invocations`);
  });

  it.each([
    ['nobody has kept', undefined, 'application/json', 500],
    ['became an object of a form', { features: '5.1' }, 'application/x-www-form-urlencoded', 500],
    ['became a text', JSON.stringify({ features: FLOWER }), 'application/json', 200],
    ['became bytes', Buffer.from(JSON.stringify({ features: FLOWER })), 'application/json', 200],
  ])('answers a request whose body was read and %s', async (_kind, body, type, status) => {
    const { node } = makeApp();
    const url = await listen(async (request, response) => {
      for await (const _chunk of request);
      await node(Object.assign(request, { body }), response);
    });
    const response = await fetch(`${url}/models/iris/predict`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify({ features: FLOWER }),
    });
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining(status === 200 ? SETOSA : { error: TAKEN }),
    ]);
  });

  it('says of a request of the Fetch standard that its body was read', async () => {
    const { fetch } = makeApp();
    const request = new Request('http://any/models/iris/predict', post({ features: FLOWER }));
    await request.text();
    const response = await fetch(request);
    expect([response.status, await response.json()]).toEqual([
      500,
      expect.objectContaining({ error: TAKEN }),
    ]);
  });

  it('reads no more of a stream than the limit', async () => {
    const { fetch } = makeApp({ environment: { ...SILENT, MAX_BODY_BYTES: '100000' } });
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 10_000;
        controller.enqueue(new Uint8Array(10_000));
      },
    });
    const request = new Request('http://any/models/iris/predict', { method: 'POST', body, ...HALF });
    expect((await fetch(request)).status).toBe(413);
    expect(sent).toBeLessThan(200_000);
  });

  it('refuses a stream that is longer than its header says, without reading it', async () => {
    const { fetch } = makeApp();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 10_000;
        controller.enqueue(new Uint8Array(10_000));
      },
    });
    const headers = { 'content-length': '5' };
    const request = new Request('http://any/models/iris/predict', { method: 'POST', body, headers, ...HALF });
    const response = await fetch(request);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({
        error: 'The body is longer than its header Content-Length says: 5 bytes.',
      }),
    ]);
    expect(sent).toBeLessThan(100_000);
  });

  it('does not believe a length that is not a number', async () => {
    const { fetch } = makeApp();
    const { body } = new Request('http://any', post({ features: FLOWER }));
    const headers = { 'content-type': 'application/json', 'content-length': 'abc' };
    const request = new Request('http://any/models/iris/predict', { method: 'POST', body, headers, ...HALF });
    expect((await fetch(request)).status).toBe(200);
  });

  it('answers that a client has gone whose stream fails', async () => {
    const { fetch } = makeApp();
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) });
    const request = new Request('http://any/models/iris/predict', { method: 'POST', body, ...HALF });
    expect((await fetch(request)).status).toBe(499);
  });

  it.each([
    [true, 'gzip'],
    [false, null],
  ])('compresses answers, unless compress is %s', async (compress, coding) => {
    const { fetch, node } = makeApp({ compress });
    const headers = { 'accept-encoding': 'gzip' };
    const response = await fetch(new Request('http://any/openapi.json', { headers }));
    expect(response.headers.get('content-encoding')).toBe(coding);
    const url = await listen((request, answer) => void node(request, answer));
    const answered = await globalThis.fetch(`${url}/openapi.json`, { headers });
    expect(answered.headers.get('content-encoding')).toBe(coding);
  });

  it('has own routes', async () => {
    const { fetch } = makeApp({
      routes: [{ method: 'GET', path: '/mine', handle: () => Response.json('mine') }],
    });
    expect(await (await fetch(new Request('http://any/mine'))).json()).toBe('mine');
  });

  it('refuses a wrong setting in words', () => {
    expect(() => makeApp({ environment: { MAX_BATCH_SIZE: 'many' } })).toThrow(/MAX_BATCH_SIZE/);
  });
});

describe('loadConfig', () => {
  const CONFIG = `
    import { defineConfig, type OwnRoute } from 'ternion';
    const mine: OwnRoute = { method: 'GET', path: '/mine', handle: () => Response.json('mine') };
    export default defineConfig({ routes: [mine] });`;

  it('compiles what createApp takes', async () => {
    const folder = await makeFolder({ 'ternion.config.ts': CONFIG });
    const config = await loadConfig(join(folder, 'ternion.config.ts'));
    const { fetch, close } = createApp({ ...config, repository: MODELS, environment: SILENT });
    onTestFinished(close);
    expect(await (await fetch(new Request('http://any/mine'))).json()).toBe('mine');
  });

  it.each([
    [undefined, 'There is no file ternion.config.ts in the working folder.'],
    ['nothing.ts', 'There is no file "nothing.ts".'],
  ])('says that there is no file for %s', async (path, message) => {
    await expect(loadConfig(path)).rejects.toMatchObject({ name: 'CommandError', message });
  });

  it('refuses a configuration with a member that there is not', async () => {
    const folder = await makeFolder({ 'ternion.config.ts': 'export default { steps: [] };' });
    await expect(loadConfig(join(folder, 'ternion.config.ts'))).rejects.toThrow(
      'has the unknown member "steps"',
    );
  });
});

describe('serve', () => {
  it('listens until it is closed', async () => {
    const server = await serve({ port: 0, repository: MODELS, environment: SILENT });
    const answer = await fetch(`${server.url}/models/iris/predict`, post({ features: FLOWER }));
    expect(await answer.json()).toMatchObject(SETOSA);
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
