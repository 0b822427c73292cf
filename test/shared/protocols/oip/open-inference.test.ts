import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DATATYPES } from '../../../../shared/tensor/datatype.ts';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../hosts/in-process.ts';
import type { TestHost } from '../../../hosts/test-host.ts';
import { buildModel, buildNode, FLOAT, identityModel, tensorValue } from '../../onnx/build-model.ts';
import { infer, serveModels, split } from './serve-models.ts';

const ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };
const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const app = openApp({ MAX_JSON_DEPTH: '32' });

const read = async (host: TestHost, path: string) => {
  const { status, body } = await host.send(get(path));
  return { status, ...JSON.parse(body.toString()) };
};

describe('what is served', () => {
  it('tells the server, its health and its models', async () => {
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

  it.each(['/v2/logging', '/v2/trace/setting', '/v2/systemsharedmemory/status', '/v2/models/iris/generate'])(
    'says that %s is not supported',
    async (path) => {
      expect(await read(app, path)).toMatchObject({ status: 501, error_code: 'NOT_IMPLEMENTED' });
    },
  );
});

describe('an inference', () => {
  it('makes an id where there is none', async () => {
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

  it('takes null for what is absent, and keeps the sign of zero', async () => {
    const host = await serveModels({ one: identityModel(FLOAT, ['n']) });
    const tensor = '{"name":"x","shape":[1],"datatype":"FP32","data":[-0.0],"parameters":null}';
    const answer = await infer(
      host,
      'one',
      `{"id":null,"parameters":null,"inputs":[${tensor}],"outputs":null}`,
    );
    expect(split(answer).text).toContain('"data":[-0.0]');
  });

  it('takes an image file as a raw request to a model of images', async () => {
    const sent = await app.send(
      raw('/v2/models/digits/infer', PNG, { 'inference-header-content-length': '0' }),
    );
    expect(split(sent).json.outputs).toMatchObject([{ name: 'logits', shape: [1, 10] }]);
  });

  it('follows the redirect of a Vertex AI endpoint, to what changes nothing', async () => {
    const send = (target: string, body: unknown) => {
      const request = post('/predict', body);
      return app.send({ ...request, headers: { ...request.headers, 'x-vertex-ai-triton-redirect': target } });
    };
    expect(split(await send('v2/models/iris/infer', { inputs: [ROW] })).json.model_name).toBe('iris');
    expect(split(await send('v2/models/iris', {})).json.name).toBe('iris');
    expect((await send('v2/repository/models/iris/unload', {})).status).toBe(403);
    expect((await send('/models', {})).status).toBe(400);
  });
});

describe('a wrong inference request', () => {
  const valid = { inputs: [ROW] };
  const input = (changes: object) => ({ inputs: [{ ...ROW, ...changes }] });
  it.each([
    ['an id that is no text', { ...valid, id: 7 }, 'Field "id" is the number 7; expected a string.'],
    ['no inputs', {}, 'Input "features" is missing; the model takes "features".'],
    [
      'inputs that are no list',
      { inputs: {} },
      'Field "inputs" is an object with no keys; expected an array of tensors.',
    ],
    [
      'an unknown input',
      { inputs: [{ ...ROW, name: 'x' }] },
      'There is no input "x"; the model takes "features".',
    ],
    ['an input twice', { inputs: [ROW, ROW] }, 'Input "features" is given twice.'],
    [
      'an unknown datatype',
      input({ datatype: 'FLOAT' }),
      /^Input "features" has the datatype the string "FLOAT"; known are BOOL, /,
    ],
    [
      'another datatype',
      input({ datatype: 'INT64', data: [1, 2, 3, 4] }),
      'Input "features" has the datatype INT64; expected FP32.',
    ],
    [
      'another rank',
      input({ shape: [4] }),
      'Input "features" has the shape [4]; expected [-1,4], where -1 is any size.',
    ],
    ['another size', input({ shape: [1, 3], data: [1, 2, 3] }), /has the shape \[1,3\]; expected \[-1,4\]/],
    ['a negative size', input({ shape: [-1, 4] }), /has the shape \[-1,4\]; expected whole numbers/],
    [
      'too few elements',
      input({ data: [1, 2, 3] }),
      'Input "features" has 3 elements; its shape [1,4] says 4.',
    ],
    [
      'ragged lists',
      input({
        shape: [2, 4],
        data: [
          [1, 2, 3, 4],
          [1, 2],
        ],
      }),
      /is ragged: an array of 2 at depth 1; expected an array of 4/,
    ],
    ['a list beside a number', input({ data: [1, [2], 3, 4] }), /is ragged/],
    [
      'a text for a number',
      input({ data: [1, 'x', 3, 4] }),
      'Element 1 of input "features" is the string "x"; expected a number (FP32).',
    ],
    [
      'a number too large',
      input({ data: [1, 1e39, 3, 4] }),
      /Element 1 of input "features" is the number 1e\+39/,
    ],
    [
      'no data',
      input({ data: undefined }),
      'Input "features" has neither "data" and "binary_data_size"; expected one of them.',
    ],
    [
      'bytes that are missing',
      input({ data: undefined, parameters: { binary_data_size: 16 } }),
      'Input "features" has 0 bytes behind the JSON; expected 16.',
    ],
    [
      'shared memory',
      input({ parameters: { shared_memory_region: 'r' } }),
      'Input "features": shared memory is not supported.',
    ],
    [
      'an unknown output',
      { ...valid, outputs: [{ name: 'y' }] },
      'There is no output "y"; the model gives "logits".',
    ],
    [
      'an output twice',
      { ...valid, outputs: [{ name: 'logits' }, { name: 'logits' }] },
      'Output "logits" is asked for twice.',
    ],
    [
      'classes below none',
      { ...valid, outputs: [{ name: 'logits', parameters: { classification: -1 } }] },
      /classification" is the number -1/,
    ],
  ])('is told of %s', async (_, body, message) => {
    const answer = await infer(app, 'iris', body);
    const { error, code } = split(answer).json;
    expect([answer.status, code]).toEqual([400, 400]);
    if (typeof message === 'string') expect(error).toBe(message);
    else expect(error).toMatch(message);
  });

  it('is told of leftover bytes, of a wrong length of the JSON, and of texts strings cannot hold', async () => {
    const messageOf = async (...given: Parameters<typeof infer>) => split(await infer(...given)).json.error;
    const head = { inputs: [{ ...ROW, data: undefined, parameters: { binary_data_size: 16 } }] };
    expect(await messageOf(app, 'iris', head, Buffer.alloc(17))).toBe(
      'The body has 1 bytes behind the last tensor.',
    );
    const wrong = { 'inference-header-content-length': '99999' };
    expect(await messageOf(app, 'iris', valid, undefined, wrong)).toMatch(
      /^The length of the JSON is "99999"; expected/,
    );
    const host = await serveModels({ text: identityModel(DATATYPES.BYTES.code, ['n']) });
    const text = (data: string[]) => ({
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [data.length], data }],
    });
    expect(await messageOf(host, 'text', text(['a\0b']))).toMatch(
      /^Element 0 of Input "x" has a NUL character/,
    );
    const bytes = Buffer.from([2, 0, 0, 0, 0xff, 0xfe]);
    const binary = {
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 6 } }],
    };
    expect(await messageOf(host, 'text', binary, bytes)).toBe(
      'Element 0 of Input "x" is not valid UTF-8, which the strings of this model are.',
    );
    expect(
      await messageOf(
        host,
        'text',
        { inputs: [{ ...binary.inputs[0], parameters: { binary_data_size: 5 } }] },
        bytes.subarray(0, 5),
      ),
    ).toBe('Element 0 of Input "x" ends behind its 5 bytes.');
  });
});

describe('a request that is meant to break the server', () => {
  const matrix = buildModel({
    nodes: [buildNode('MatMul', ['a', 'b'], ['y'])],
    inputs: [tensorValue('a', FLOAT, ['n', 'k']), tensorValue('b', FLOAT, ['k', 'm'])],
    outputs: [tensorValue('y', FLOAT, ['n', 'm'])],
  });
  const empty = (name: string, shape: number[]) => ({ name, shape, datatype: 'FP32', data: [] });

  it('gets a 4xx for outputs that small inputs make huge', async () => {
    const host = await serveModels({ matrix }, { MAX_TENSOR_ELEMENTS: '10000' });
    const ask = (n: number) => infer(host, 'matrix', { inputs: [empty('a', [n, 0]), empty('b', [0, n])] });
    expect((await ask(100)).status).toBe(200);
    const tooLarge = await ask(101);
    expect(tooLarge.status).toBe(413);
    expect(split(tooLarge).json.error).toBe(
      'Output "y" has 10201 elements; the limit is 10000 (MAX_TENSOR_ELEMENTS).',
    );
    expect((await ask(10_001)).status).toBe(400);
    expect((await ask(Number.MAX_SAFE_INTEGER)).status).toBe(400);
  });

  it('gets a 400 for whole numbers that no number tells exactly, wherever they stand', async () => {
    const host = await serveModels({ whole: identityModel(DATATYPES.INT64.code, ['n']) });
    const ask = async (shape: string, data: string) => {
      const answer = await infer(
        host,
        'whole',
        `{"inputs":[{"name":"x","shape":${shape},"datatype":"INT64","data":${data}}]}`,
      );
      return [answer.status, split(answer).json.error];
    };
    expect(await ask('[1]', '[1e30]')).toEqual([
      400,
      'Element 0 of input "x" is 1e+30, which cannot be told exactly; write all its digits.',
    ]);
    expect(await ask('[9007199254740993]', '[9007199254740993]')).toEqual([
      400,
      expect.stringContaining('expected whole numbers'),
    ]);
    expect(await ask('[1]', '[9007199254740993]')).toEqual([200, undefined]);
  });

  it('finds no way out of v2 by a redirect, and no slow path in a header', async () => {
    const send = (target: string) =>
      app.send({ ...post('/predict', {}), headers: { 'x-vertex-ai-triton-redirect': target } });
    expect((await send('v2/../')).status).toBe(400);
    expect((await send('v2/%6Coad/../repository/models/iris/%6Coad?x')).status).toBe(403);
    const type = `application/vnd.sagemaker-triton.binary+json${' ;'.repeat(4000)}`;
    const answer = await app.send({
      ...post('/v2/models/iris/infer', { inputs: [ROW] }),
      headers: { 'content-type': type },
    });
    expect(answer.status).toBe(200);
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
    expect(await stateOf()).toBe('idle');
    expect((await send('/v2/repository/models/iris/load', { parameters: { config: '{}' } })).status).toBe(
      400,
    );
    expect((await send('/v2/repository/models/rose/load', {})).status).toBe(404);
    await host.close();
    expect((await app.send(post('/v2/repository/models/iris/unload', {}))).status).toBe(403);
    expect((await app.send({ ...post('/v2/repository/index', {}), body: Buffer.alloc(0) })).status).toBe(200);
  });
});
