import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { form, post, raw } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import {
  type Axis,
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  floatInitializer,
  INT32,
  INT64,
  identityModel,
  STRING,
  tensorValue,
  UINT8,
} from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { serveModels } from '../../../support/serve-models.ts';

const PNG = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png'));
const B64 = PNG.toString('base64');
const app = openApp({ MAX_JSON_DEPTH: '32' });
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6.0, 2.5];

/** Two inputs, added; the sum and the first come out. */
const sum = buildModel({
  nodes: [buildNode('Add', ['a', 'b'], ['total']), buildNode('Identity', ['a'], ['first'])],
  inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', 2])],
  outputs: [tensorValue('total', FLOAT, ['n', 2]), tensorValue('first', FLOAT, ['n', 2])],
});

/** One output whose first axis counts instances, and one that has no axis. */
const withMean = buildModel({
  nodes: [buildNode('Identity', ['x'], ['y']), buildNode('ReduceMean', ['x'], ['mean'])],
  inputs: [tensorValue('x', FLOAT, ['n'])],
  outputs: [tensorValue('y', FLOAT, ['n']), tensorValue('mean', FLOAT, [1])],
});

/** Strings under a name that says they are bytes, and under another. */
const texts = buildModel({
  nodes: [buildNode('Identity', ['x'], ['plain']), buildNode('Identity', ['x'], ['image_bytes'])],
  inputs: [tensorValue('x', STRING, ['n'])],
  outputs: [tensorValue('plain', STRING, ['n']), tensorValue('image_bytes', STRING, ['n'])],
});

async function identity(elementType: number, shape: readonly Axis[]): Promise<TestHost> {
  return await serveModels({ m: identityModel(elementType, shape) });
}

const predict = async (host: TestHost, body: unknown, model = 'm') =>
  await ask(host, post(`/v1/models/${model}:predict`, body));
const errorOf = async (host: TestHost, body: unknown, model = 'm') => {
  const { status, json } = await predict(host, body, model);
  expect(status).toBe(400);
  return json.error;
};

describe('instances', () => {
  it('are values of the only input, answered in order with the only output', async () => {
    const { status, json } = await predict(app, { instances: [SETOSA, VIRGINICA] }, 'iris');
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['predictions']);
    expect(json.predictions).toEqual([
      [7.113542, -1.969219, -9.984419],
      [expect.any(Number), expect.any(Number), expect.any(Number)],
    ]);
    expect(json.predictions[1][2]).toBeGreaterThan(json.predictions[1][0]);
  });

  it('are objects by input as well', async () => {
    const listed = await predict(app, { instances: [SETOSA] }, 'iris');
    const named = await predict(app, { instances: [{ features: SETOSA }] }, 'iris');
    expect(named.json).toEqual(listed.json);
  });

  it('are objects by feature, where the model names them', async () => {
    const row = { petal_width: [0.2], sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4 };
    const named = await predict(app, { instances: [row] }, 'iris');
    expect(named.json).toEqual((await predict(app, { instances: [SETOSA] }, 'iris')).json);
  });

  it('are answered with an object each, where the model has several outputs', async () => {
    const host = await serveModels({ m: sum });
    const instances = [
      { a: [1, 2], b: [10, 20] },
      { b: [30, 40], a: [3, 4] },
    ];
    expect((await predict(host, { instances })).text).toBe(
      '{"predictions":[{"total":[11.0,22.0],"first":[1.0,2.0]},{"total":[33.0,44.0],"first":[3.0,4.0]}]}',
    );
  });

  it('can be scalars, whose tensor has the axis of instances alone', async () => {
    const host = await identity(FLOAT, ['n']);
    expect((await predict(host, { instances: [1, 2.5] })).text).toBe('{"predictions":[1.0,2.5]}');
    expect((await predict(host, { instances: [{ x: 3 }] })).text).toBe('{"predictions":[3.0]}');
  });

  it('can have an axis of size 0', async () => {
    const host = await identity(FLOAT, ['n', 'm']);
    expect((await predict(host, { instances: [[], []] })).text).toBe('{"predictions":[[],[]]}');
  });

  it.each<[string, unknown, string]>([
    ['empty', [], expect.stringMatching(/^Field "instances" is empty/)],
    ['no array', { a: 1 }, 'Field "instances" is an object with the keys "a"; expected an array.'],
    [
      'a list of three for two inputs',
      [[1, 2, 3]],
      'Field "instances[0]" is an array of 3; this model has 2 inputs, so expected a list of their values or an object with "a", "b".',
    ],
    [
      'one without an input',
      [{ a: [1, 2], b: [1, 2] }, { a: [1, 2] }],
      'Field "instances[1]" is an object with the keys "a": it lacks "b"; expected the keys "a", "b".',
    ],
    [
      'one with an unknown key',
      [{ a: [1, 2], b: [1, 2], c: 1 }],
      'Field "instances[0]" is an object with the keys "a", "b", "c": it has the unknown key "c"; expected the keys "a", "b".',
    ],
    [
      'one of another kind',
      [{ a: [1, 2], b: [1, 2] }, [1, 2]],
      'Field "instances[1]" is an array of 2; expected an object, as the first one.',
    ],
    [
      'one of another shape',
      [
        { a: [1, 2], b: [1, 2] },
        { a: [1, 2], b: [1] },
      ],
      'Field "instances[1].b" is an array of 1; expected an array of 2, like "instances[0].b".',
    ],
    [
      'a text for a number',
      [
        { a: [1, 2], b: [1, 2] },
        { a: [1, 'x'], b: [1, 2] },
      ],
      'Field "instances[1].a[1]" is the string "x"; expected a number.',
    ],
    [
      'a shape the model does not take',
      [{ a: [1, 2, 3], b: [1, 2] }],
      'Input "a" has the shape [1,3]; expected [-1,2], where -1 is any size.',
    ],
  ])('are refused when they are %s', async (_, instances, message) => {
    expect(await errorOf(await serveModels({ m: sum }), { instances })).toEqual(message);
  });

  it('are refused with the feature that is wrong', async () => {
    const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
    expect(await errorOf(app, { instances: [row, { ...row, petal_length: '1.4' }] }, 'iris')).toBe(
      'Field "instances[1].petal_length" is the string "1.4"; expected a number.',
    );
    expect(await errorOf(app, { instances: [SETOSA, [1, 2, 3]] }, 'iris')).toBe(
      'Field "instances[1]" is an array of 3; expected an array of 4, like "instances[0]".',
    );
    expect(await errorOf(app, { instances: [[1, 2, 3]] }, 'iris')).toBe(
      'Input "features" has the shape [1,3]; expected [-1,4], where -1 is any size.',
    );
  });

  it('are refused beyond the limit of a batch', async () => {
    const { status, json } = await predict(app, { instances: new Array(51).fill(SETOSA) }, 'iris');
    expect(status).toBe(413);
    expect(json.error).toBe('Field "instances" has 51 instances; the limit is 50 (MAX_BATCH_SIZE).');
  });

  it('need outputs with an axis for them', async () => {
    const host = await serveModels({ m: withMean });
    expect(await errorOf(host, { instances: [1, 2, 3] })).toBe(
      'Output "mean" has the shape [1], which has no axis for the 3 instances; send "inputs" instead of "instances".',
    );
    expect((await predict(host, { inputs: [1, 2, 3] })).text).toBe(
      '{"outputs":{"y":[1.0,2.0,3.0],"mean":[2.0]}}',
    );
  });
});

describe('inputs', () => {
  it('are the value of the only input, or an object by input whose other members are ignored', async () => {
    const plain = await predict(app, { inputs: [SETOSA] }, 'iris');
    expect(plain.json).toEqual({ outputs: [[7.113542, -1.969219, -9.984419]] });
    const named = await predict(app, { inputs: { features: [SETOSA], other: 'x' } }, 'iris');
    expect(named.json).toEqual(plain.json);
  });

  it('add no axis to a scalar, nor to its answer', async () => {
    const host = await identity(FLOAT, []);
    expect((await predict(host, { inputs: 2 })).text).toBe('{"outputs":2.0}');
    expect((await predict(host, { inputs: { x: 2 } })).text).toBe('{"outputs":2.0}');
    expect((await predict(host, { inputs: [2] })).text).toBe('{"outputs":2.0}');
    expect(await errorOf(host, { inputs: [2, 3] })).toBe('Input "x" has the shape [2]; expected [].');
  });

  it('are answered with an object by output, where the model has several', async () => {
    const host = await serveModels({ m: sum });
    expect((await predict(host, { inputs: { a: [[1, 2]], b: [[3, 4]] } })).json).toEqual({
      outputs: { total: [[4, 6]], first: [[1, 2]] },
    });
  });

  it.each<[string, unknown, string]>([
    ['lack one', { a: [[1, 2]] }, 'Field "inputs" lacks the input "b"; the inputs are "a", "b".'],
    [
      'are a list for two',
      [[1, 2]],
      'Field "inputs" is an array of 1; expected an object with the inputs "a", "b".',
    ],
    [
      'are ragged',
      { a: [[1, 2], [3]], b: [[1, 2]] },
      'Field "inputs.a[1]" is an array of 1; expected an array of 2, like "inputs.a[0]".',
    ],
  ])('are refused when they %s', async (_, inputs, message) => {
    expect(await errorOf(await serveModels({ m: sum }), { inputs })).toBe(message);
  });
});

describe('values', () => {
  it.each<[string, number, unknown, string]>([
    ['FP32', FLOAT, [0.1, 1, 1e-7, 16777216, 9e6], '[0.1,1.0,1e-7,16777216.0,9000000.0]'],
    ['FP16', FLOAT16, [0.5, 65504], '[0.5,65504.0]'],
    ['UINT8', UINT8, [0, 255], '[0,255]'],
    ['INT32', INT32, [-2147483648, 7.0], '[-2147483648,7]'],
    ['BOOL', BOOL, [true, false], '[true,false]'],
    ['BYTES', STRING, ['a', { b64: 'w7w=' }, { b64: 'fn5-' }], '["a","ü","~~~"]'],
  ])('of %s are read and written as TensorFlow Serving does', async (_, elementType, values, text) => {
    const host = await identity(elementType, ['n']);
    expect((await predict(host, { instances: values })).text).toBe(`{"predictions":${text}}`);
    expect((await predict(host, { inputs: values })).text).toBe(`{"outputs":${text}}`);
  });

  it('of 64 bits keep all their digits', async () => {
    const host = await identity(INT64, ['n']);
    const digits = '[9007199254740993,-9223372036854775808]';
    const request = raw('/v1/models/m:predict', `{"instances":${digits}}`, {});
    expect((await ask(host, request)).text).toBe(`{"predictions":${digits}}`);
  });

  it.each<[string, number, unknown, string]>([
    ['a text for FP32', FLOAT, '1', 'the string "1"; expected a number.'],
    ['a boolean for FP32', FLOAT, true, 'the boolean true; expected a number.'],
    [
      'a float for INT32',
      INT32,
      1.5,
      'the number 1.5; expected a whole number from -2147483648 to 2147483647 (INT32).',
    ],
    ['too much for UINT8', UINT8, 256, 'the number 256; expected a whole number from 0 to 255 (UINT8).'],
    ['a number for BOOL', BOOL, 2, 'the number 2; expected true or false.'],
    ['a number for a text', STRING, 1, 'the number 1; expected a string.'],
    ['bytes for a number', FLOAT, { b64: 'AAAA' }, 'an object with the keys "b64"; expected a number.'],
    [
      'base64 with an additional key',
      STRING,
      { b64: 'AAAA', a: 1 },
      'an object with the keys "b64", "a"; expected a string.',
    ],
    ['invalid base64', STRING, { b64: 'A*' }, 'not base64'],
  ])('are refused: %s', async (_, elementType, value, message) => {
    const host = await identity(elementType, ['n']);
    expect(await errorOf(host, { inputs: [value] })).toContain(`Field "inputs[0]" is ${message}`);
  });

  it('of outputs whose name ends in _bytes are base64', async () => {
    const host = await serveModels({ m: texts });
    expect((await predict(host, { instances: ['ü'] })).json).toEqual({
      predictions: [{ plain: 'ü', image_bytes: { b64: 'w7w=' } }],
    });
    expect((await predict(host, { inputs: ['ü'] })).json).toEqual({
      outputs: { plain: ['ü'], image_bytes: [{ b64: 'w7w=' }] },
    });
  });

  it('that are not finite are read as bare words and null, and written as the setting says', async () => {
    const body = '{"instances":[NaN,Infinity,-Infinity,null]}';
    const request = raw('/v1/models/m:predict', body, {});
    const model = { m: identityModel(FLOAT, ['n']) };
    expect((await ask(await serveModels(model), request)).text).toBe('{"predictions":[null,null,null,null]}');
    const literal = await serveModels(model, { NON_FINITE_JSON: 'literal' });
    expect((await literal.send(request)).body.toString()).toBe(
      '{"predictions":[NaN,Infinity,-Infinity,NaN]}',
    );
  });
});

describe('a request', () => {
  it.each<[string, string, string]>([
    ['no JSON', '{"instances":', 'The body is not valid JSON: it ends too early at line 1, column 14.'],
    ['empty', '', 'The request body is empty.'],
    ['no object', '[1]', 'The request is an array of 1; expected an object.'],
    [
      'without values',
      '{"x":1}',
      'The request is an object with the keys "x"; expected "instances" or "inputs".',
    ],
    [
      'in both formats',
      '{"instances":[1],"inputs":[1]}',
      'The request has "instances" and "inputs"; expected only one of them.',
    ],
    [
      'for another signature',
      '{"signature_name":"embed","instances":[1]}',
      'Field "signature_name" is the string "embed"; the only signature is "serving_default".',
    ],
    [
      'with a number for the signature',
      '{"signature_name":1,"instances":[1]}',
      expect.stringMatching(/^Field "signature_name" is the number 1; .*"serving_default"/),
    ],
  ])('is refused when it is %s', async (_, body, message) => {
    const { status, json } = await ask(app, raw('/v1/models/iris:predict', body, {}));
    expect([status, json.error]).toEqual([400, message]);
  });

  it.each([
    '',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/csv',
  ])('is JSON with any Content-Type: %j', async (type) => {
    const body = JSON.stringify({ signature_name: 'serving_default', instances: [SETOSA], more: 1 });
    const headers = type === '' ? {} : { 'content-type': type };
    expect((await ask(app, raw('/v1/models/iris:predict', body, headers))).status).toBe(200);
  });

  it('may be compressed', async () => {
    const body = gzipSync(JSON.stringify({ instances: [SETOSA] }));
    const request = raw('/v1/models/iris:predict', body, { 'content-encoding': 'gzip' });
    expect((await ask(app, request)).status).toBe(200);
  });

  it('runs in portions where the graph has a fixed batch size', async () => {
    const pairs = buildModel({
      nodes: [buildNode('Mul', ['x', 'two'], ['y'])],
      inputs: [tensorValue('x', FLOAT, [2, 1])],
      outputs: [tensorValue('y', FLOAT, [2, 1])],
      initializers: [floatInitializer('two', [1], [2])],
    });
    const host = await serveModels({ m: pairs });
    expect((await predict(host, { instances: [[1], [2], [3], [4]] })).json).toEqual({
      predictions: [[2], [4], [6], [8]],
    });
    expect(await errorOf(host, { instances: [[1]] })).toBe(
      'The request has 1 instances; the model was exported for batches of exactly 2.',
    );
  });
});

describe('an image', () => {
  const scores = async (request: ReturnType<typeof post>) => {
    const { status, json } = await ask(app, request);
    expect(status).toBe(200);
    return json.predictions ?? json.outputs;
  };
  const best = (row: number[]) => row.indexOf(Math.max(...row));
  const path = '/v1/models/digits:predict';

  it.each<[string, unknown]>([
    ['b64', { b64: B64 }],
    ['b64 in the URL-safe alphabet', { b64: PNG.toString('base64url') }],
    ['image_bytes with a key', { image_bytes: { b64: B64 }, key: '1' }],
    ['the name of the input', { image: { b64: B64 } }],
    ['data, as for TorchServe', { data: B64, target: 0 }],
    ['a text', B64],
  ])('is taken as an instance: %s', async (_, instance) => {
    const rows = await scores(post(path, { instances: [instance, instance] }));
    expect(rows.map(best)).toEqual([7, 7]);
  });

  it('is taken as an input, alone or in a list', async () => {
    expect((await scores(post(path, { inputs: { b64: B64 } }))).map(best)).toEqual([7]);
    expect((await scores(post(path, { inputs: { image: [{ b64: B64 }] } }))).map(best)).toEqual([7]);
  });

  it('is taken as the body itself or in a form', async () => {
    expect((await scores(raw(path, PNG, { 'content-type': 'image/png' }))).map(best)).toEqual([7]);
    expect((await scores(raw(path, PNG, {}))).map(best)).toEqual([7]);
    expect((await scores(form(path, 'file', PNG))).map(best)).toEqual([7]);
  });

  it('can come as pixels, ready for the graph', async () => {
    const pixels = Array.from({ length: 8 }, () => new Array(8).fill(0.5));
    expect(await scores(post(path, { instances: [[pixels]] }))).toEqual([expect.any(Array)]);
    expect(await errorOf(app, { instances: [pixels] }, 'digits')).toBe(
      'Input "image" has the shape [1,8,8]; expected [-1,1,8,8], where -1 is any size.',
    );
  });

  it.each<[unknown, string]>([
    [
      [{ b64: B64 }, { b64: 1 }],
      'Field "instances[1]" is an object with the keys "b64"; expected an image in base64, as {"b64": "…"}.',
    ],
    [[{ b64: '*' }], expect.stringMatching(/^Field "instances\[0\]" is not base64/)],
  ])('is refused where it is not an image', async (instances, message) => {
    expect(await errorOf(app, { instances }, 'digits')).toEqual(message);
  });

  it('is refused by a model that takes none', async () => {
    const { status, json } = await ask(app, raw('/v1/models/iris:predict', PNG, {}));
    expect([status, json.error]).toEqual([
      400,
      'The request is an image; this model takes JSON with "features".',
    ]);
  });
});

describe('the timing header', () => {
  it('counts the loading of the model for the request that had to wait for it', async () => {
    const host = await serveModels({ m: identityModel(FLOAT, ['n']) });
    const request = post('/v1/models/m:predict', { instances: [1] });
    const loadMs = async () =>
      Number(/load;dur=([\d.]+)/.exec((await host.send(request)).headers['server-timing'] ?? '')?.[1]);
    const [first, second] = [await loadMs(), await loadMs()];
    expect(first).toBeGreaterThan(second);
  });
});
