import { setTimeout as wait } from 'node:timers/promises';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  defineProcessor,
  type Instance,
  invalid,
  type Processor,
} from '../../shared/processors/processor.ts';
import type { Schema } from '../../shared/processors/schema.ts';
import { writeNpy } from '../../shared/tensor/npy.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../support/build-model.ts';
import { type Sent, serveSteps } from '../support/serve-steps.ts';
import { extractor, TOKENIZER } from '../support/text-models.ts';

const FLOWER = [5.1, 3.5, 1.4, 0.2];

/** A model whose step takes instances of a kind, and answers what it got; images as their sizes. */
async function serveEcho(takes: 'features' | 'image' | 'text') {
  const seen: (readonly unknown[])[] = [];
  const echo = defineProcessor({
    name: 'echo',
    takes,
    before: (instances: readonly Instance[]) => {
      seen.push(instances.map((each) => (each instanceof Uint8Array ? each.length : each)));
      return instances.map(() => FLOWER);
    },
    after: (results) => results.map((_, index) => index),
  });
  const { ask } = await serveSteps({ processors: [echo], named: [{ step: 'echo' }] });
  return { ask, seen };
}

function tensor(name: string, data: readonly (string | null)[], shape: readonly number[] = [data.length]) {
  return { inputs: [{ name, datatype: 'BYTES', shape, data }] };
}

const V1 = '/v1/models/m:predict';
const V2 = '/v2/models/m/infer';
const OWN = '/models/m/predict';

describe('a client that sends something else than a step takes', () => {
  const feature = 'this model takes features, as {"features": [...]}.';
  const many = (name: string) => `"${name}" has 1025 `;

  it.each<['features' | 'image' | 'text', string, object | string | Uint8Array, number, string, Sent?]>([
    ['features', OWN, { text: 'a' }, 400, `The request brings text, as {"text": "..."}; ${feature}`],
    ['features', OWN, { image: 'aGk=' }, 400, feature],
    ['features', OWN, { inputs: { x: [1] } }, 400, feature],
    ['features', OWN, 'a', 400, feature, { type: 'text/plain' }],
    ['image', OWN, { features: [1] }, 400, 'brings features'],
    ['text', OWN, { features: [1] }, 400, 'brings features'],
    ['features', V2, tensor('instances', []), 400, 'Input "instances" has no instances.'],
    [
      'features',
      V2,
      tensor('instances', ['1', '2', '3', '4'], [2, 2]),
      400,
      'has the shape [2,2]; expected [-1]',
    ],
    ['features', V2, tensor('instances', Array(1025).fill('1')), 413, many('instances')],
    [
      'features',
      V2,
      tensor('instances', [null]),
      400,
      'Element 0 of input "instances" is null; expected a string.',
    ],
    [
      'features',
      V2,
      tensor('instances', ['{"a"']),
      400,
      'Element "instances[0]" is not valid JSON: it ends too early',
    ],
    [
      'features',
      V2,
      tensor('instances', ['['.repeat(100)]),
      400,
      'Element "instances[0]" is nested more than 32 levels',
    ],
    [
      'features',
      V2,
      tensor('instances', [`[${'1,'.repeat(5_000_000)}1]`]),
      413,
      'numbers in JSON, which is the limit (MAX_JSON_NUMBERS)',
    ],
    ['image', V2, tensor('image', ['!!']), 400, 'Field "image" is not base64: unexpected "!" at position 0.'],
    ['image', V2, tensor('image', ['']), 400, 'Field "image" is empty; expected base64 data.'],
    ['image', V2, tensor('image', [null]), 400, 'Element 0 of input "image" is null; expected a string.'],
    ['image', V2, tensor('image', []), 400, 'Input "image" has no images.'],
    [
      'image',
      V2,
      tensor('image', ['aGk=', 'aGk='], [1, 2]),
      400,
      'has the shape [1,2]; encoded images have the shape [N].',
    ],
    ['image', V2, tensor('image', Array(1025).fill('aGk=')), 413, many('image')],
    ['text', V2, tensor('text', [null]), 400, 'Element 0 of input "text" is null; expected a string.'],
    [
      'text',
      V2,
      tensor('text', ['a', 'b', 'c'], [1, 3]),
      400,
      'has the shape [1,3]; texts have the shape [N], and pairs of texts [N,2].',
    ],
    ['text', V2, tensor('text', Array(1025).fill('a')), 413, many('text')],
    [
      'features',
      '/endpoints/m/invocations',
      '1:2 3:4\n',
      424,
      'Sparse rows need the number of columns',
      { type: 'text/libsvm' },
    ],
  ])('%s, at %s: %j', async (takes, path, body, status, problem, sent) => {
    const { ask, seen } = await serveEcho(takes);
    const { status: given, json } = await ask(path, body, sent);
    expect([given, json.error]).toEqual([status, expect.stringContaining(problem)]);
    expect(seen).toEqual([]);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const { ask, seen } = await serveEcho('features');
    const element = Buffer.from([3, 0, 0, 0, 0x22, 0xff, 0x22]);
    const parameters = { binary_data_size: element.length };
    const head = Buffer.from(
      JSON.stringify({ inputs: [{ name: 'instances', datatype: 'BYTES', shape: [1], parameters }] }),
    );
    const headers = { 'inference-header-content-length': String(head.length) };
    const sent = { type: 'application/octet-stream', headers };
    const { status, json } = await ask(V2, Buffer.concat([head, element]), sent);
    expect([status, json.error, seen]).toEqual([400, 'Element "instances[0]" is not valid UTF-8.', []]);
  });
});

describe('instances as they are', () => {
  it.each<[string, string, object | string, readonly unknown[], Sent?]>([
    [
      'one member with the name of features',
      V1,
      { instances: [{ features: 3 }, { data: { features: { values: [1] } } }] },
      [{ features: 3 }, { data: { features: { values: [1] } } }],
    ],
    [
      'a data frame with one such column',
      '/invocations',
      { dataframe_split: { columns: ['features'], data: [[1], [2]] } },
      [{ features: 1 }, { features: 2 }],
    ],
    [
      'CSV without a header',
      '/endpoints/m/invocations',
      '1,x\n007,\n',
      [
        [1, 'x'],
        ['007', null],
      ],
      { type: 'text/csv' },
    ],
    ['an empty object on the route of Hugging Face', '/hf/m', { inputs: {} }, [{}]],
    ['an object of an empty list there', '/hf/m', { inputs: { a: [] } }, [{ a: [] }]],
    [
      'an object of lists of different lengths there',
      '/hf/m',
      { inputs: { a: [1], b: [] } },
      [{ a: [1], b: [] }],
    ],
    ['an object of an empty list as whole input', V1, { inputs: { a: [] } }, [{ a: [] }]],
  ])('are those of %s', async (_, path, body, expected, sent) => {
    const { ask, seen } = await serveEcho('features');
    expect((await ask(path, body, sent)).status).toBe(200);
    expect(seen).toEqual([expected]);
  });

  it('are the arrays of NumPy, by name if they have one', async () => {
    const { ask, seen } = await serveEcho('features');
    const array = writeNpy({ datatype: 'FP32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
    const send = (body: Uint8Array, type: string) => ask('/endpoints/m/invocations', body, { type });
    expect((await send(array, 'application/x-npy')).status).toBe(200);
    expect((await send(zipSync({ 'arr_0.npy': array }), 'application/x-npz')).status).toBe(200);
    expect((await send(zipSync({ 'size.npy': array }), 'application/x-npz')).status).toBe(200);
    const both = zipSync({ 'a.npy': array, 'b.npy': array });
    expect((await send(both, 'application/x-npz')).status).toBe(200);
    const rows = [
      [1, 2],
      [3, 4],
    ];
    expect(seen).toEqual([
      rows,
      rows,
      rows.map((size) => ({ size })),
      rows.map((row) => ({ a: row, b: row })),
    ]);
  });

  it('are the pairs of texts in two inputs', async () => {
    const { ask, seen } = await serveEcho('text');
    const inputs = [...tensor('text', ['a']).inputs, ...tensor('text_pair', ['b']).inputs];
    expect((await ask(V2, { inputs })).status).toBe(200);
    expect(seen).toEqual([[{ text: 'a', text_pair: 'b' }]]);
  });
});

describe('what a step passes on', () => {
  const same = defineProcessor({ name: 'same', before: (instances) => instances });
  const second = defineProcessor({
    name: 'second',
    before: (rows) => rows.map((row, index) => (index === 1 ? ['made'] : row)),
  });

  it('is the mistake of the client, at the place where the client sent it', async () => {
    const { ask } = await serveSteps({ processors: [same], named: [{ step: 'same' }] });
    const own = await ask(OWN, { features: [1, 'x', 3, 4] });
    expect([own.status, own.json.error]).toEqual([
      400,
      'Field "features[1]" (sepal_width) is the string "x"; expected a number.',
    ]);
    const v1 = await ask(V1, { instances: [FLOWER, [1, 2]] });
    expect([v1.status, v1.json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  it('is distinguished from what the step made of other instances', async () => {
    const { ask } = await serveSteps({ processors: [second], named: [{ step: 'second' }] });
    const of = (...rows: readonly unknown[]) =>
      ask(OWN, { instances: rows.map((features) => ({ features })) });
    expect((await of(FLOWER, FLOWER)).json.error_code).toBe('PROCESSOR_FAILED');
    const { status, json } = await of([1, 'x', 3, 4], FLOWER);
    expect([status, json.error]).toEqual([
      400,
      'Field "instances[0].features[1]" (sepal_width) is the string "x"; expected a number.',
    ]);
  });

  it('is an image that cannot be read', async () => {
    const size = ['n', 3, 2, 2];
    const onnx = buildModel({
      nodes: [buildNode('Flatten', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, size)],
      outputs: [tensorValue('y', FLOAT, ['n', 12])],
    });
    const steps = [
      { step: 'convert', mode: 'RGB' },
      { step: 'resize', width: 2, height: 2 },
      { step: 'rescale', scale: 1 / 255 },
      { step: 'layout', layout: 'NCHW' },
    ];
    const { ask } = await serveSteps({
      processors: [same],
      named: [{ step: 'same' }],
      files: { 'model.onnx': onnx },
      config: { task: 'feature-extraction', preprocess: steps },
    });
    const create = { width: 3, height: 3, channels: 3 as const, background: 'red' };
    const image = await sharp({ create }).png().toBuffer();
    expect((await ask(OWN, image, { type: 'image/png' })).json).toMatchObject({ dimensions: 12 });
    const { status, json } = await ask(OWN, image.subarray(0, 40), { type: 'image/png' });
    expect([status, json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });
});

describe('a step before an embedding model', () => {
  const same = defineProcessor({ name: 'same', before: (texts) => texts });
  const served = () =>
    serveSteps({
      processors: [same],
      named: [{ step: 'same' }],
      files: { 'model.onnx': extractor, ...TOKENIZER },
      config: { task: 'feature-extraction', pooling: 'max', maxTokens: 8 },
    });

  it('leaves the options of the client as they are', async () => {
    const { ask } = await served();
    const { json } = await ask('/hf/m', { inputs: 'dog' });
    expect(json).toEqual([[expect.any(Number), 1]]);
    const first = await ask('/hf/m', { inputs: 'dog', dimensions: 1 });
    expect(first.json).toEqual([[json[0][0]]]);
  });

  it('passes on a pair that the model does not take', async () => {
    const { ask } = await served();
    const { status, json } = await ask(OWN, { text: 'dog', text_pair: 'cat' });
    expect([status, json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });
});

describe('a graph without a task', () => {
  const count = defineProcessor({ name: 'count', after: (results) => results.map((_, index) => index) });
  const seenShapes: unknown[] = [];
  const shapes = defineProcessor({
    name: 'shapes',
    after: (results) => {
      seenShapes.push(JSON.parse(JSON.stringify(results)));
      return results;
    },
  });
  const double = (shape: readonly (string | number)[]) =>
    buildModel({
      nodes: [buildNode('Add', ['x', 'x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, [...shape])],
      outputs: [tensorValue('y', FLOAT, [...shape])],
    });
  const serveGraph = (onnx: Uint8Array, processors: readonly Processor[]) =>
    serveSteps({
      processors,
      named: processors.map(({ name }) => ({ step: name })),
      files: { 'model.onnx': onnx },
      config: { task: 'tensor' },
    });
  const numbers = (shape: readonly number[]) => ({
    inputs: [
      {
        name: 'x',
        datatype: 'FP32',
        shape,
        data: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
      },
    ],
  });

  it('gives each instance of whole inputs a prediction of its own', async () => {
    const { ask } = await serveGraph(double(['n', 2]), [count]);
    const x = [
      [1, 2],
      [3, 4],
    ];
    expect((await ask(OWN, { inputs: { x } })).json.predictions).toEqual([
      { prediction: 0 },
      { prediction: 1 },
    ]);
    expect((await ask(V1, { inputs: x })).json).toEqual({ outputs: [0, 1] });
  });

  it('is cut along its axis of instances, wherever that is', async () => {
    const { ask } = await serveGraph(double([3, 'batch', 1]), [shapes]);
    // As many instances as the first axis has elements: by their sizes, they could be confused.
    await ask(V2, numbers([3, 3, 1]));
    const parts = [0, 1, 2].map((index) => ({
      outputs: {
        y: {
          datatype: 'FP32',
          shape: [3, 1],
          data: { 0: 2 * index, 1: 2 * (index + 3), 2: 2 * (index + 6) },
        },
      },
    }));
    expect(seenShapes).toEqual([parts]);
  });

  it('refuses instances that its output cannot be cut for', async () => {
    const sum = buildModel({
      nodes: [buildNode('ReduceSum', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('y', FLOAT, ['a', 'b'])],
    });
    const { ask } = await serveGraph(sum, [count]);
    const { status, json } = await ask(V1, {
      instances: [
        [1, 2],
        [3, 4],
      ],
    });
    expect([status, json.error]).toEqual([400, expect.stringContaining('has the shape [1,1]')]);
  });

  it('answers each instance from which a step made its inputs', async () => {
    const feed = defineProcessor({
      name: 'feed',
      takes: 'features',
      before: (rows) => ({
        tensors: { x: { datatype: 'FP32', shape: [rows.length, 1], data: Float32Array.from(rows, Number) } },
      }),
    });
    const { ask } = await serveGraph(double(['n', 1]), [feed]);
    const { json } = await ask(OWN, { instances: [{ features: 1 }, { features: 2 }] });
    expect(json.predictions).toEqual([{ outputs: { y: [2] } }, { outputs: { y: [4] } }]);
  });

  it('takes the bytes of a Buffer', async () => {
    const onnx = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', 2, ['n', 2])],
      outputs: [tensorValue('y', 2, ['n', 2])],
    });
    const raw = defineProcessor({
      name: 'raw',
      takes: 'features',
      before: (rows) => ({
        tensors: { x: { datatype: 'UINT8', shape: [rows.length, 2], data: Buffer.from([7, 8]) } },
      }),
    });
    const { ask } = await serveGraph(onnx, [raw]);
    expect((await ask(V1, { instances: [0] })).json).toEqual({ predictions: [[7, 8]] });
  });
});

describe('a step with a mistake', () => {
  type Bad = Omit<Processor, 'name'>;
  const before = (rows: readonly unknown[]) => rows.map(() => FLOWER);
  const schema = (validate: Schema['~standard']['validate']): Schema => ({
    '~standard': { version: 1, vendor: 'own', validate },
  });
  const failed = 'The step "bad" failed; the log of the server says why.';
  const ask = async (bad: Bad, sent?: Sent, options: object = {}) => {
    const { ask, lines } = await serveSteps({
      processors: [{ name: 'bad', ...bad }],
      named: [{ step: 'bad', ...options }],
    });
    const { status, json } = await ask(OWN, { features: FLOWER }, sent);
    return { status, code: json.error_code, error: json.error, json, lines };
  };

  it.each<[string, Bad, string, string]>([
    [
      'whose schema throws',
      {
        input: schema(() => {
          throw new Error('secret');
        }),
        before,
      },
      'PROCESSOR_FAILED',
      failed,
    ],
    [
      'whose schema rejects',
      { input: schema(() => Promise.reject(new Error('secret'))), before },
      'PROCESSOR_FAILED',
      failed,
    ],
    [
      'whose schema returns nothing',
      { input: schema(() => Reflect.get({}, 'result')), before },
      'PROCESSOR_FAILED',
      failed,
    ],
    [
      'whose marked error has no field',
      {
        after: () => {
          throw Object.assign(new Error('x'), { [Symbol.for('ternion.invalid')]: true });
        },
      },
      'PROCESSOR_FAILED',
      failed,
    ],
    [
      'whose result cannot be read',
      {
        after: () => [
          {
            get a() {
              throw new Error('secret');
            },
          },
        ],
      },
      'PROCESSOR_FAILED',
      'The last step returned what cannot be answered: the log of the server says why.',
    ],
    [
      'whose result is an empty list of the right length',
      { after: () => new Array(1) },
      'PROCESSOR_FAILED',
      'The last step returned what cannot be answered: prediction 0 is undefined; expected JSON.',
    ],
  ])('%s', async (_, bad, code, error) => {
    expect(await ask(bad)).toMatchObject({ status: 500, code, error });
  });

  it('whose schema never ends is ended by the deadline', async () => {
    const input = schema(() => new Promise(() => {}));
    const given = await ask({ input, before }, { headers: { 'x-request-timeout-ms': '100' } });
    expect(given).toMatchObject({ status: 504, code: 'DEADLINE_EXCEEDED' });
  });

  it('whose error cannot be written to the log is still answered', async () => {
    const error = Object.defineProperty(new Error('odd'), 'cause', {
      get: () => {
        throw new Error('unreadable');
      },
    });
    const given = await ask({
      after: () => {
        throw error;
      },
    });
    expect(given).toMatchObject({ status: 500, code: 'PROCESSOR_FAILED' });
    expect(given.lines.at(-1)).toMatchObject({ message: 'request', status: 500, error: '[unreadable]' });
  });

  it('that answers with values of the client is cut', async () => {
    const long = 'x'.repeat(100_000);
    const { json } = await ask({
      before: () => {
        throw invalid(long, long);
      },
    });
    expect(json.error).toBe(`Field "${'x'.repeat(200)}…" ${'x'.repeat(1000)}…`);
  });

  it('whose schema of options fails makes its model unavailable', async () => {
    const options = schema(() => {
      throw new Error('secret');
    });
    expect(await ask({ options, before })).toMatchObject({
      status: 503,
      error:
        'Model "m" version "1" cannot be loaded: the step "bad" failed to check its options in processors[0] of its model.json.',
    });
  });

  it('gets regular expressions of its options that work', async () => {
    const options = z
      .object({ word: z.string() })
      .transform(({ word }) => ({ pattern: new RegExp(word, 'g') }));
    const step = defineProcessor({
      name: 'bad',
      options,
      after: (results, { options: { pattern } }) => results.map(() => pattern.test('ab')),
    });
    expect((await ask(step, {}, { word: 'b' })).json).toMatchObject({ prediction: true });
  });
});

describe('a client that leaves', () => {
  const leave = async (before: NonNullable<Processor['before']>) => {
    const { ask, lines } = await serveSteps({ processors: [{ name: 's', before }], named: [{ step: 's' }] });
    await ask(V1.replace(':predict', ''));
    const client = new AbortController();
    const asked = ask(OWN, { features: FLOWER }, { signal: client.signal });
    setTimeout(() => client.abort(), 20);
    return { ...(await asked), line: lines.at(-1) };
  };

  it('does not count as a failure of a step that heeds its signal', async () => {
    const { status, line } = await leave(async (rows, { signal }) => {
      await wait(10_000, undefined, { signal });
      return rows;
    });
    expect([status, line?.error_code, line?.level]).toEqual([499, 'CLIENT_GONE', 'info']);
  });

  it('ends the wait for a step that does not', async () => {
    const { status } = await leave(() => new Promise(() => {}));
    expect(status).toBe(499);
  });

  it('finds its signal aborted after the answer too', async () => {
    let kept: AbortSignal | undefined;
    const step: Processor = {
      name: 's',
      before: (rows, { signal }) => {
        kept = signal;
        expect(signal.aborted).toBe(false);
        return rows;
      },
    };
    const { ask } = await serveSteps({ processors: [step], named: [{ step: 's' }] });
    expect((await ask(OWN, { features: FLOWER })).status).toBe(200);
    expect(kept?.aborted).toBe(true);
  });
});
