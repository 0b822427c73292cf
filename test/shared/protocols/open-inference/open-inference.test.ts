import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { infer, serveModels, split } from '../../../support/serve-models.ts';

const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const app = openApp({ MAX_JSON_DEPTH: '32' });

const read = async (host: TestHost, path: string) => {
  const { status, body } = await host.send(get(path));
  return { status, ...JSON.parse(body.toString()) };
};

describe('what is served', () => {
  it('describes the server, its health and its models', async () => {
    expect(await read(app, '/v2')).toMatchObject({
      name: 'ternion',
      extensions: [
        'binary_tensor_data',
        'classification',
        'model_configuration',
        'model_repository',
        'statistics',
      ],
    });
    expect(await read(app, '/v2/health/live')).toEqual({ status: 200, live: true, ready: true });
    expect(await read(app, '/v2/health/ready/')).toEqual({ status: 200, live: true, ready: true });
    expect(await read(app, '/v2/models')).toEqual({ status: 200, models: ['digits', 'iris'] });
  });

  it('describes a model from its graph, and one that can be loaded on demand as ready', async () => {
    expect(await read(app, '/v2/models/iris')).toEqual({
      status: 200,
      name: 'iris',
      versions: ['1', '2'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 3] }],
    });
    expect(await read(app, '/v2/models/iris/versions/1/ready')).toEqual({
      status: 200,
      name: 'iris',
      ready: true,
    });
    expect(await read(app, '/v2/models/rose/ready')).toMatchObject({
      status: 404,
      error_code: 'RESOURCE_DOES_NOT_EXIST',
    });
    expect(await read(app, '/v2/models/digits/config')).toMatchObject({
      name: 'digits',
      max_batch_size: 1024,
      input: [{ name: 'image', data_type: 'TYPE_FP32', dims: [1, 8, 8] }],
    });
  });

  it('describes the largest batch of a model that has one', async () => {
    const models = { bounded: identityModel(FLOAT, ['n', 3]) };
    const host = await serveModels(models, {}, { bounded: { task: 'tensor', maxBatchSize: 8 } });
    expect(await read(host, '/v2/models/bounded/config')).toMatchObject({ max_batch_size: 8 });
  });

  it.each(['/v2/logging', '/v2/trace/setting', '/v2/systemsharedmemory/status', '/v2/models/iris/generate'])(
    'says that %s is not supported',
    async (path) => {
      expect(await read(app, path)).toMatchObject({ status: 501, error_code: 'NOT_IMPLEMENTED' });
    },
  );
});

describe('an inference', () => {
  it('makes an id for a request without one', async () => {
    const { json } = split(await infer(app, 'iris', { inputs: [ROW] }));
    expect(json.id).toMatch(/^[\da-f-]{36}$/);
    expect(json).toMatchObject({
      model_name: 'iris',
      model_version: '2',
      outputs: [{ name: 'logits', shape: [1, 3] }],
    });
  });

  it('mixes JSON and bytes both ways, and gives the outputs asked for in their order', async () => {
    const models = { one: identityModel(FLOAT, ['n']) };
    const host = await serveModels(models);
    const bytes = Buffer.from(Float32Array.of(1, 2).buffer);
    const inputs = [{ name: 'x', shape: [2], datatype: 'FP32', parameters: { binary_data_size: 8 } }];
    const answer = await infer(
      host,
      'one',
      {
        inputs,
        outputs: [{ name: 'y', parameters: { binary_data: false } }],
        parameters: { binary_data_output: true },
      },
      bytes,
    );
    expect(answer.headers['content-type']).toBe('application/json');
    expect(split(answer).json.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [2], data: [1, 2] }]);
    const version1 = { outputs: [{ name: 'output_probability' }, { name: 'output_label' }], inputs: [ROW] };
    const forest = await app.send(post('/v2/models/iris/versions/1/infer', version1));
    expect(split(forest).json.outputs).toMatchObject([
      { name: 'output_probability', datatype: 'FP32', shape: [1, 3] },
      { name: 'output_label', datatype: 'BYTES', shape: [1], data: ['setosa'] },
    ]);
  });

  it('classifies: value with six decimals, index and label, best first', async () => {
    const outputs = [{ name: 'output_probability', parameters: { classification: 2 } }];
    const answer = await app.send(post('/v2/models/iris/versions/1/infer', { inputs: [ROW], outputs }));
    const [output] = split(answer).json.outputs;
    expect(output).toMatchObject({ datatype: 'BYTES', shape: [1, 2] });
    expect(output.data[0]).toMatch(/^(?:1\.000000|0\.99999\d):0:setosa$/);
    expect(output.data[1]).toBe('0.000000:1:versicolor');
  });

  it('classifies all elements of a model that does not batch', async () => {
    const host = await serveModels({ fixed: identityModel(FLOAT, [2, 3]) });
    const inputs = [{ name: 'x', shape: [2, 3], datatype: 'FP32', data: [1, 2, 3, 4, 5, 1e30] }];
    const answer = await infer(host, 'fixed', {
      inputs,
      outputs: [{ name: 'y', parameters: { classification: 2 } }],
    });
    expect(split(answer).json.outputs).toEqual([
      {
        name: 'y',
        datatype: 'BYTES',
        shape: [2],
        data: ['1000000015047466219876688855040.000000:5', '5.000000:4'],
      },
    ]);
  });

  it('takes encoded images for an image model, as bytes and as base64', async () => {
    const element = Buffer.concat([Buffer.from(Uint32Array.of(PNG.length).buffer), PNG]);
    const binary = {
      name: 'image',
      shape: [1],
      datatype: 'BYTES',
      parameters: { binary_data_size: element.length },
    };
    const asBytes = split(await infer(app, 'digits', { inputs: [binary] }, element)).json;
    const text = {
      name: 'image',
      shape: [2, 1],
      datatype: 'BYTES',
      data: [PNG.toString('base64'), PNG.toString('base64')],
    };
    const asText = split(await infer(app, 'digits', { inputs: [text] })).json;
    expect(asBytes.outputs[0].shape).toEqual([1, 10]);
    expect(asText.outputs[0].shape).toEqual([2, 10]);
    const scores: number[] = asBytes.outputs[0].data;
    expect(scores.indexOf(Math.max(...scores))).toBe(7);
    expect(asText.outputs[0].data).toEqual([...scores, ...scores]);
    const broken = { ...text, shape: [1], data: ['AAAA'] };
    expect((await infer(app, 'digits', { inputs: [broken] })).status).toBe(415);
  });

  it('takes a raw tensor, and the MIME types of hosts that strip headers', async () => {
    const bytes = Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6, 2.5).buffer);
    const sent = await app.send(
      raw('/v2/models/iris/infer', bytes, { 'inference-header-content-length': '0' }),
    );
    const { json, tail } = split(sent);
    expect(json.outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [2, 3], parameters: { binary_data_size: 24 } },
    ]);
    expect(tail).toHaveLength(24);
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ ...ROW, data: undefined, shape: [2, 4], parameters: { binary_data_size: 32 } }],
        parameters: { binary_data_output: true },
      }),
    );
    const type = 'application/vnd.sagemaker-triton.binary+json';
    const framed = await app.send(
      raw('/v2/models/iris/infer', Buffer.concat([head, bytes]), {
        'content-type': `${type};json-header-size=${head.length}`,
      }),
    );
    expect(framed.status, framed.body.toString()).toBe(200);
    const [, length] =
      /^application\/vnd\.sagemaker-triton\.binary\+json;json-header-size=(\d+)$/.exec(
        framed.headers['content-type'] ?? '',
      ) ?? [];
    expect(framed.body.subarray(Number(length)).equals(tail)).toBe(true);
  });

  it('is compressed as the client prefers, errors never', async () => {
    const host = await serveModels({ one: identityModel(FLOAT, ['n']) });
    const body = {
      inputs: [{ name: 'x', shape: [2000], datatype: 'FP32', data: new Array(2000).fill(0.25) }],
    };
    const ask = (coding: string) => infer(host, 'one', body, undefined, { 'accept-encoding': coding });
    const plain = await ask('identity');
    const zipped = await ask('deflate;q=0.5, gzip');
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(zipped.body).toString()).outputs).toEqual(split(plain).json.outputs);
    const deflated = await ask('deflate');
    expect(JSON.parse(inflateSync(deflated.body).toString()).outputs).toEqual(split(plain).json.outputs);
    const error = await infer(host, 'one', { inputs: [] }, undefined, { 'accept-encoding': 'gzip' });
    expect([error.status, error.headers['content-encoding'], error.headers['content-type']]).toEqual([
      400,
      undefined,
      'application/json',
    ]);
  });

  it.each(['gzip', 'deflate'])('reads tensors at any place of a body compressed by %s', async (coding) => {
    const compress = coding === 'gzip' ? gzipSync : deflateSync;
    for (let length = 1; length <= 8; length++) {
      const inputs = [{ ...ROW, data: undefined, parameters: { binary_data_size: 16 } }];
      const head = Buffer.from(JSON.stringify({ id: 'i'.repeat(length), inputs }));
      const body = compress(Buffer.concat([head, Buffer.from(Float32Array.from(ROW.data).buffer)]));
      const headers = { 'content-encoding': coding, 'inference-header-content-length': String(head.length) };
      const answer = await app.send(raw('/v2/models/iris/infer', body, headers));
      expect(split(answer).json.outputs).toEqual(
        split(await infer(app, 'iris', { inputs: [ROW] })).json.outputs,
      );
    }
  });

  it('treats null as absent, and keeps the sign of zero', async () => {
    const host = await serveModels({ one: identityModel(FLOAT, ['n']) });
    const tensor = '{"name":"x","shape":[1],"datatype":"FP32","data":[-0.0],"parameters":null}';
    const answer = await infer(
      host,
      'one',
      `{"id":null,"parameters":null,"inputs":[${tensor}],"outputs":null}`,
    );
    expect(split(answer).text).toContain('"data":[-0.0]');
  });

  it('takes an image file as a raw request to an image model', async () => {
    const sent = await app.send(
      raw('/v2/models/digits/infer', PNG, { 'inference-header-content-length': '0' }),
    );
    expect(split(sent).json.outputs).toMatchObject([{ name: 'logits', shape: [1, 10] }]);
  });
});

describe('statistics and the repository', () => {
  it('count successes, failures, instances and batches', async () => {
    const host = openApp({ MAX_JSON_DEPTH: '32' });
    await infer(host, 'iris', { inputs: [ROW] });
    await infer(host, 'iris', { inputs: [{ ...ROW, shape: [2, 4], data: [...ROW.data, ...ROW.data] }] });
    await infer(host, 'iris', { inputs: [] });
    const {
      model_stats: [stats],
    } = await read(host, '/v2/models/iris/stats');
    expect(stats).toMatchObject({
      name: 'iris',
      version: '2',
      inference_count: 3,
      execution_count: 2,
      inference_stats: {
        success: { count: 2, ns: expect.any(Number) },
        fail: { count: 1 },
        compute_infer: { count: 2 },
      },
      batch_stats: [
        { batch_size: 1, compute_infer: { count: 1 } },
        { batch_size: 2, compute_infer: { count: 1 } },
      ],
    });
    expect(stats.last_inference).toBeGreaterThan(1_700_000_000_000);
    expect((await read(host, '/v2/models/stats')).model_stats).toHaveLength(3);
    await host.close();
  });

  it('lists versions, and lets only an operator load and unload', async () => {
    const host = openApp({ ADMIN_ROUTES: 'true' });
    const send = async (path: string, body: unknown) => {
      const answer = await host.send(post(path, body));
      return { status: answer.status, json: JSON.parse(answer.body.toString()) };
    };
    const stateOf = async () =>
      (await read(host, '/health')).models.find(({ name }: { name: string }) => name === 'iris').state;
    expect((await send('/v2/repository/index', {})).json).toEqual([
      { name: 'digits', version: '1', state: 'READY', reason: '' },
      { name: 'iris', version: '1', state: 'READY', reason: '' },
      { name: 'iris', version: '2', state: 'READY', reason: '' },
    ]);
    expect(await send('/v2/repository/models/iris/load', {})).toEqual({
      status: 200,
      json: { name: 'iris', load: true },
    });
    expect(await stateOf()).toBe('loaded');
    expect(
      (await send('/v2/repository/models/iris/unload', { parameters: { unload_dependents: false } })).status,
    ).toBe(200);
    expect(await stateOf()).toBe('unloaded');
    expect((await send('/v2/repository/models/iris/load', { parameters: { config: '{}' } })).status).toBe(
      400,
    );
    expect((await send('/v2/repository/models/rose/load', {})).status).toBe(404);
    await host.close();
    expect((await app.send(post('/v2/repository/models/iris/unload', {}))).status).toBe(403);
    expect((await app.send({ ...post('/v2/repository/index', {}), body: Buffer.alloc(0) })).status).toBe(200);
  });
});
