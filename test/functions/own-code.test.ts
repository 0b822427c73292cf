import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import {
  type ClassificationResult,
  defineProcessor,
  type Instance,
  invalid,
  type OutputsResult,
  type Processor,
} from '../../shared/processors/processor.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../support/build-model.ts';
import { type Sent, serveSteps as serve } from '../support/serve-steps.ts';

/** Flowers that a step looks up. */
const FLOWERS: Readonly<Record<string, readonly number[]>> = {
  a: [5.1, 3.5, 1.4, 0.2],
  b: [6.7, 3.0, 5.2, 2.3],
};
const A = { flower: 'a' };
const B = { flower: 'b' };

const lookUp = defineProcessor({
  name: 'look-up',
  options: z.object({ field: z.string().default('flower') }),
  takes: 'features',
  input: z.record(z.string(), z.string()),
  before: async (instances, { options, count }) => {
    await wait(1);
    count('looked_up', instances.length);
    return instances.map((instance, index) => {
      const flower = FLOWERS[instance[options.field] ?? ''];
      if (!flower) throw invalid(`instances[${index}].${options.field}`, 'is not the name of a flower.');
      return flower;
    });
  },
});

const decide = defineProcessor({
  name: 'decide',
  options: z.object({ least: z.number() }),
  after: (predictions: readonly ClassificationResult[], { options, observe }) =>
    predictions.map(({ prediction, confidence = 0 }) => {
      observe('confidence', confidence);
      return confidence >= options.least ? { decision: prediction } : { decision: null, reasons: ['unsure'] };
    }),
});

/** A step that passes the trace of its request on. */
const traced = defineProcessor({
  name: 'traced',
  after: (predictions: readonly ClassificationResult[], { traceparent }) =>
    predictions.map(() => ({ traceparent })),
});

const SETOSA = { decision: 'setosa' };
const VIRGINICA = { decision: 'virginica' };

it('gives a step the trace of the request, whose span is that of the log line', async () => {
  const { ask, lines } = await serve({ processors: [traced], named: [{ step: 'traced' }] });
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-00` };
  const { json } = await ask('/models/m/predict', { features: [5.1, 3.5, 1.4, 0.2] }, { headers });
  const line = lines.find(({ message }) => message === 'request');
  expect(line?.trace_id).toBe(traceId);
  expect(json).toMatchObject({ traceparent: `00-${traceId}-${line?.span_id}-00` });
});

describe('steps before and after the graph', () => {
  const served = () =>
    serve({ processors: [decide, lookUp], named: [{ step: 'look-up' }, { step: 'decide', least: 0.99 }] });
  const tensor = (name: string, data: readonly string[]) => ({
    inputs: [{ name, datatype: 'BYTES', shape: [data.length], data }],
  });
  const ofTensors = (...predictions: readonly object[]) => [
    {
      name: 'prediction',
      datatype: 'BYTES',
      shape: [predictions.length],
      data: predictions.map((each) => JSON.stringify(each)),
    },
  ];

  it.each<[string, string, object | string, unknown, Sent?]>([
    ['predict', '/models/m/predict', { features: A }, SETOSA],
    [
      'predict, a batch',
      '/models/m/predict',
      { instances: [{ features: A }, { features: B }] },
      { predictions: [SETOSA, VIRGINICA] },
    ],
    [
      'TensorFlow Serving',
      '/v1/models/m:predict',
      { instances: [A, B] },
      { predictions: [SETOSA, VIRGINICA] },
    ],
    [
      'TensorFlow Serving, columns',
      '/v1/models/m:predict',
      { inputs: { flower: ['b', 'a'] } },
      { outputs: [VIRGINICA, SETOSA] },
    ],
    [
      'the Open Inference Protocol, columns',
      '/v2/models/m/infer',
      tensor('flower', ['a', 'b']),
      { outputs: ofTensors(SETOSA, VIRGINICA) },
    ],
    [
      'the Open Inference Protocol, JSON',
      '/v2/models/m/infer',
      tensor('instances', ['{"flower":"b"}']),
      { outputs: ofTensors(VIRGINICA) },
    ],
    [
      'MLflow',
      '/invocations',
      { dataframe_split: { columns: ['flower'], data: [['a'], ['b']] } },
      { predictions: [SETOSA, VIRGINICA] },
    ],
    [
      'SageMaker, JSON lines',
      '/endpoints/m/invocations',
      '{"flower":"a"}\n{"flower":"b"}\n',
      [SETOSA, VIRGINICA],
      { type: 'application/jsonlines' },
    ],
    [
      'SageMaker, CSV',
      '/endpoints/m/invocations',
      'flower\nb\na\n',
      { predictions: [VIRGINICA, SETOSA] },
      { type: 'text/csv; header=present' },
    ],
    ['TorchServe', '/predictions/m', A, SETOSA],
    ['TorchServe, a list', '/predictions/m', [A, B], [SETOSA, VIRGINICA]],
    ['KServe envelope of TorchServe', '/predictions/m', { instances: [A] }, { predictions: [SETOSA] }],
    ['Hugging Face', '/hf/m', { inputs: A }, [SETOSA]],
    ['Hugging Face, a table', '/hf/m', { inputs: { data: { flower: ['a', 'b'] } } }, [SETOSA, VIRGINICA]],
    ['Azure ML', '/score', { data: [A, B] }, [SETOSA, VIRGINICA]],
    [
      'Vertex AI',
      '/v1/projects/p/locations/l/endpoints/m:predict',
      { instances: [A, B] },
      { predictions: [SETOSA, VIRGINICA] },
    ],
    [
      'UbiOps',
      '/v2.1/projects/p/deployments/m/requests',
      A,
      { status: 'completed', result: { prediction: SETOSA } },
    ],
  ])('work for clients of %s', async (_, path, body, expected, sent) => {
    const { ask } = await served();
    const { status, json } = await ask(path, body, sent);
    expect([status, json]).toEqual([
      200,
      Array.isArray(expected) ? expected : expect.objectContaining(expected),
    ]);
  });

  it('refuse a wrong instance by its place, on all routes', async () => {
    const { ask } = await served();
    const wrong = { flower: 3 };
    const message =
      'Field "instances[1].flower" is not valid: Invalid input: expected string, received number.';
    const v1 = await ask('/v1/models/m:predict', { instances: [A, wrong] });
    expect([v1.status, v1.json.error]).toEqual([400, message]);
    const own = await ask('/models/m/predict', { instances: [{ features: A }, { features: wrong }] });
    expect([own.status, own.json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(own.json.error).toMatch(/^Field "instances\[1\]\.features\.flower" is not valid/);
  });

  it('refuse what they find wrong themselves', async () => {
    const { ask } = await served();
    const { status, json } = await ask('/v1/models/m:predict', { instances: [A, { flower: 'zz' }] });
    expect([status, json.error]).toEqual([400, 'Field "instances[1].flower" is not the name of a flower.']);
  });

  it('are described by what they take and give', async () => {
    const { ask } = await served();
    expect((await ask('/v2/models/m')).json).toMatchObject({
      inputs: [{ name: 'instances', datatype: 'BYTES', shape: [-1] }],
      outputs: [{ name: 'prediction', datatype: 'BYTES', shape: [-1] }],
    });
    expect((await ask('/models/m')).json.processors).toEqual(['look-up', 'decide']);
    expect((await ask('/openapi.json')).status).toBe(200);
  });

  it('count and measure for the log line of the request', async () => {
    const { ask, lines } = await served();
    await ask('/v1/models/m:predict', { instances: [A, A, A] });
    expect(lines.at(-1)).toMatchObject({
      message: 'request',
      counts: { looked_up: 3 },
      observations: {
        confidence: {
          count: 3,
          sum: expect.closeTo(3 * 0.999886, 4),
          least: expect.closeTo(0.999886, 5),
          largest: expect.closeTo(0.999886, 5),
        },
      },
    });
  });

  it('count with labels, and fail if one of them is wrong', async () => {
    const sort = defineProcessor({
      name: 'sort',
      takes: 'features',
      input: z.record(z.string(), z.string()),
      before: (instances, { count, observe }) => {
        for (const { flower = '' } of instances) {
          count('seen', { flower });
          observe('letters', flower.length, { flower });
        }
        return instances.map(() => [5.1, 3.5, 1.4, 0.2]);
      },
    });
    const { ask, lines } = await serve({ processors: [sort], named: [{ step: 'sort' }] });
    await ask('/v1/models/m:predict', { instances: [A, B, A] });
    expect(lines.at(-1)).toMatchObject({
      counts: { 'seen{flower=a}': 2, 'seen{flower=b}': 1 },
      observations: { 'letters{flower=b}': { count: 1, sum: 1, least: 1, largest: 1 } },
    });
    const { status, json } = await ask('/v1/models/m:predict', { instances: [{ flower: 'a,b' }] });
    expect(status).toBe(500);
    expect(json.error).not.toContain('a,b');
    const line = JSON.stringify(lines.at(-1));
    expect(line).toContain('The label \\"flower\\" of \\"seen\\" is a text of 3 characters');
    expect(line).not.toContain('a,b');
  });
});

describe('a step after the graph alone', () => {
  const unsure = { decision: null, reasons: ['unsure'] };

  it('leaves the inputs of the graph as they are', async () => {
    const { ask } = await serve({ processors: [decide], named: [{ step: 'decide', least: 0.99989 }] });
    const features = [5.1, 3.5, 1.4, 0.2];
    expect((await ask('/models/m/predict', { features })).json).toMatchObject(unsure);
    expect((await ask('/v1/models/m:predict', { instances: [features, features] })).json).toEqual({
      predictions: [unsure, unsure],
    });
    const inputs = [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: features }];
    const { json } = await ask('/v2/models/m/infer', { inputs });
    expect(json.outputs).toEqual([
      { name: 'prediction', datatype: 'BYTES', shape: [1], data: [JSON.stringify(unsure)] },
    ]);
    expect((await ask('/v2/models/m')).json.inputs).toMatchObject([{ name: 'features', datatype: 'FP32' }]);
    const refused = await ask('/models/m/predict', { features: [5.1, 3.5, 'x', 0.2] });
    expect([refused.status, refused.json.error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  it('gets the tensors of a graph without a task, one instance each', async () => {
    const shape = ['n', 2];
    const double = buildModel({
      nodes: [buildNode('Add', ['x', 'x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, shape)],
      outputs: [tensorValue('y', FLOAT, shape)],
    });
    const sum = defineProcessor({
      name: 'sum',
      after: (results: readonly OutputsResult[]) =>
        results.map(({ outputs: { y } }) =>
          y?.data instanceof Float32Array ? (y.data[0] ?? 0) + (y.data[1] ?? 0) : null,
        ),
    });
    const { ask } = await serve({
      processors: [sum],
      named: [{ step: 'sum' }],
      files: { 'model.onnx': double },
      config: { task: 'tensor' },
    });
    const { json } = await ask('/v1/models/m:predict', {
      instances: [
        [1, 2],
        [3, 4.5],
      ],
    });
    expect(json).toEqual({ predictions: [6, 15] });
    expect((await ask('/models/m/predict', { inputs: { x: [[1, 2]] } })).json).toMatchObject({
      prediction: 6,
    });
  });
});

describe('a step before the graph alone', () => {
  it('makes features of a text, and the answers stay those of the task', async () => {
    const parse = defineProcessor({
      name: 'parse',
      takes: 'text',
      before: (texts) => texts.map((text) => String(text).split(' ').map(Number)),
    });
    const { ask } = await serve({ processors: [parse], named: [{ step: 'parse' }] });
    const text = '5.1 3.5 1.4 0.2';
    expect((await ask('/models/m/predict', { text })).json).toMatchObject({
      prediction: 'setosa',
      class_id: 0,
    });
    expect((await ask('/models/m/predict', text, { type: 'text/plain' })).json.prediction).toBe('setosa');
    const v1 = await ask('/v1/models/m:predict', { instances: [text] });
    expect(v1.json.predictions).toHaveLength(1);
    expect(v1.json.predictions[0]).toHaveLength(3);
    expect((await ask('/models/m')).json.input).toBe('text');
  });

  it('makes features of an image', async () => {
    const measure = defineProcessor({
      name: 'measure',
      takes: 'image',
      before: async (images: readonly Instance[]) =>
        await Promise.all(
          images.map(async (image) => {
            if (!(image instanceof Uint8Array)) throw new Error('not an image');
            const { width = 0, height = 0 } = await sharp(image).metadata();
            return [width / 10, height / 10, 1.4, 0.2];
          }),
        ),
    });
    const { ask } = await serve({ processors: [measure], named: [{ step: 'measure' }] });
    const create = { width: 51, height: 35, channels: 3 as const, background: 'red' };
    const image = await sharp({ create }).png().toBuffer();
    expect((await ask('/models/m/predict', image, { type: 'image/png' })).json.prediction).toBe('setosa');
    const base64 = image.toString('base64');
    expect(
      (await ask('/v1/models/m:predict', { instances: [{ b64: base64 }, { b64: base64 }] })).json.predictions,
    ).toHaveLength(2);
    const inputs = [{ name: 'image', datatype: 'BYTES', shape: [1], data: [base64] }];
    const v2 = await ask('/v2/models/m/infer', { inputs });
    expect(v2.json.outputs[0]).toMatchObject({ name: 'logits', datatype: 'FP32', shape: [1, 3] });
  });

  it('can make the inputs of the graph itself', async () => {
    const feed = defineProcessor({
      name: 'feed',
      before: (rows) => ({
        tensors: {
          features: {
            datatype: 'FP32',
            shape: [rows.length, 4],
            data: Float32Array.from(rows.flatMap(() => [5.1, 3.5, 1.4, 0.2])),
          },
        },
      }),
    });
    const { ask } = await serve({ processors: [feed], named: [{ step: 'feed' }] });
    const instances = [{ features: { any: 1 } }, { features: { any: 2 } }];
    const { json } = await ask('/models/m/predict', { instances });
    expect(json.predictions).toMatchObject([{ prediction: 'setosa' }, { prediction: 'setosa' }]);
  });
});

describe('several steps', () => {
  it('run in their order, each with a state of its own for the request', async () => {
    const seen: string[] = [];
    const step = (name: string, factor: number) =>
      defineProcessor({
        name,
        state: () => ({ sums: [] as number[] }),
        before: (rows, { state }) => {
          seen.push(`${name} before`);
          return rows.map((row) => {
            const numbers = Array.isArray(row) ? row.map(Number) : [];
            state.sums.push(numbers.reduce((sum, value) => sum + value, 0));
            return numbers.map((value) => value * factor);
          });
        },
        after: (results, { state }) => {
          seen.push(`${name} after`);
          return results.map((result, index) => ({ ...result, [name]: state.sums[index] }));
        },
      });
    const { ask } = await serve({
      processors: [step('half', 0.5), step('double', 2)],
      named: [{ step: 'half' }, { step: 'double' }],
    });
    const { json } = await ask('/models/m/predict', { features: [5, 3, 1, 1] });
    expect(json).toMatchObject({ prediction: 'setosa', half: 10, double: 5 });
    expect(seen).toEqual(['half before', 'double before', 'half after', 'double after']);
    // Another request begins with another state.
    expect((await ask('/models/m/predict', { features: [1, 1, 1, 1] })).json).toMatchObject({ half: 4 });
  });
});

describe('what a step gets', () => {
  it('is its model, its deadline, and that it is too late', async () => {
    const seen: unknown[] = [];
    const slow = defineProcessor({
      name: 'slow',
      before: async (rows, { model, deadlineMs, signal }) => {
        seen.push(model, Math.round((deadlineMs - performance.now()) / 10) * 10);
        await wait(10_000, undefined, { signal }).catch((error: Error) => seen.push(error.name));
        return rows.map(() => FLOWERS.a ?? []);
      },
    });
    const { ask } = await serve({ processors: [slow], named: [{ step: 'slow' }] });
    const headers = { 'x-request-timeout-ms': '200' };
    const { status, json } = await ask('/models/m/predict', { features: A }, { headers });
    expect([status, json.error_code]).toEqual([504, 'DEADLINE_EXCEEDED']);
    await wait(20);
    expect(seen).toEqual([{ name: 'm', version: '1' }, expect.any(Number), 'AbortError']);
    expect(seen[1]).toBeLessThanOrEqual(200);
  });

  it('are options that it cannot change', async () => {
    const greedy = defineProcessor({
      name: 'greedy',
      options: z.object({ list: z.array(z.number()) }),
      after: (results, { options }) => {
        options.list.push(1);
        return results.map(() => null);
      },
    });
    const { ask, lines } = await serve({ processors: [greedy], named: [{ step: 'greedy', list: [1] }] });
    const { status, json } = await ask('/models/m/predict', { features: FLOWERS.a });
    expect([status, json.error_code]).toEqual([500, 'PROCESSOR_FAILED']);
    expect(JSON.stringify(lines)).toContain('not extensible');
  });

  it('is a log with the request in each line', async () => {
    const chatty = defineProcessor({
      name: 'chatty',
      after: (results, { log }) => {
        log.warn('few\nresults', { count: results.length, request_id: 'forged' });
        return results;
      },
    });
    const { ask, lines } = await serve({ processors: [chatty], named: [{ step: 'chatty' }] });
    await ask('/models/m/predict', { features: FLOWERS.a });
    expect(lines.find(({ step }) => step === 'chatty')).toMatchObject({
      level: 'warn',
      message: 'few\nresults',
      count: 1,
      request_id: 'id-1',
      model: 'm',
      model_version: '1',
    });
  });
});

describe('a step that fails', () => {
  const FEATURES = { features: FLOWERS.a };
  const failing = (definition: Pick<Processor, 'before' | 'after'>) =>
    serve({ processors: [{ name: 'bad', ...definition }], named: [{ step: 'bad' }] });

  it('is named to the client, and its reason only logged', async () => {
    const { ask, lines } = await failing({
      after: () => {
        throw new TypeError('password 123');
      },
    });
    const { status, json } = await ask('/models/m/predict', FEATURES);
    expect([status, json.error_code, json.error]).toEqual([
      500,
      'PROCESSOR_FAILED',
      'The step "bad" failed; the log of the server says why.',
    ]);
    expect(JSON.stringify(lines.at(-1))).toContain('password 123');
  });

  const rejects = async () => {
    throw 'a text';
  };
  it.each<[string, Pick<Processor, 'before' | 'after'>, string]>([
    ['rejects with a text', { before: rejects }, 'The step "bad" failed; the log of the server says why.'],
    ['gives too few', { before: () => [] }, 'The step "bad" returned 0 values for 1 instance.'],
    ['gives too many', { after: () => [1, 2] }, 'The step "bad" returned 2 values for 1 instance.'],
    ['gives nothing', { before: () => undefined }, 'The step "bad" returned undefined; expected an array.'],
    ['gives an object', { after: () => ({ a: 1 }) }, 'The step "bad" returned an object; expected an array.'],
    [
      'gives another width',
      { before: () => [[1, 2]] },
      'The step "bad" returned what the model does not take: Field "instances[0]" has 2 values; expected 4 numbers (sepal_length, sepal_width, petal_length, petal_width) as a list or as an object by name.',
    ],
    [
      'gives a date',
      { before: () => [{ day: new Date(0) }] },
      'The step "bad" returned what the model does not take: instances[0].day is a Date; expected JSON.',
    ],
    [
      'gives a function after the graph',
      { after: () => [{ a: [() => 1] }] },
      'The last step returned what cannot be answered: prediction 0.a[0] is a function; expected JSON.',
    ],
    [
      'gives a tensor of another shape',
      {
        before: () => ({
          tensors: { features: { datatype: 'FP32', shape: [1, 3], data: new Float32Array(3) } },
        }),
      },
      'The step "bad" returned what the model does not take: Input "features" has the shape [1,3]; expected [-1,4], where -1 is any size.',
    ],
    [
      'gives a tensor of another datatype',
      {
        before: () => ({
          tensors: { features: { datatype: 'BYTES', shape: [1, 4], data: ['a', 'b', 'c', 'd'] } },
        }),
      },
      'The step "bad" returned what the model does not take: Input "features" has the datatype BYTES; expected FP32.',
    ],
    [
      'gives a tensor with too few elements',
      {
        before: () => ({
          tensors: { features: { datatype: 'FP32', shape: [1, 4], data: new Float32Array(3) } },
        }),
      },
      'The step "bad" returned what the model does not take: tensors.features has 3 elements; its shape [1,4] has 4.',
    ],
    [
      'gives a tensor with elements of another kind',
      {
        before: () => ({
          tensors: { features: { datatype: 'FP32', shape: [1, 4], data: new Float64Array(4) } },
        }),
      },
      'The step "bad" returned what the model does not take: tensors.features is FP32 and has a Float64Array; expected a Float32Array.',
    ],
    [
      'gives a tensor of a negative size',
      {
        before: () => ({
          tensors: { features: { datatype: 'FP32', shape: [-1, -4], data: new Float32Array(4) } },
        }),
      },
      'The step "bad" returned what the model does not take: tensors.features has the shape [-1,-4]; expected whole numbers.',
    ],
    [
      'gives a tensor under another name',
      { before: () => ({ tensors: { x: { datatype: 'FP32', shape: [1, 4], data: new Float32Array(4) } } }) },
      'The step "bad" returned what the model does not take: There is no input "x"; the model takes "features".',
    ],
    [
      'gives a tensor for another number of instances',
      {
        before: () => ({
          tensors: { features: { datatype: 'FP32', shape: [2, 4], data: new Float32Array(8) } },
        }),
      },
      'The step "bad" made inputs of the graph for 2 instances, and the request has 1.',
    ],
  ])('when it %s', async (_, definition, message) => {
    const { ask } = await failing(definition);
    const { status, json } = await ask('/models/m/predict', FEATURES);
    expect([status, json.error_code, json.error]).toEqual([500, 'PROCESSOR_FAILED', message]);
  });

  it('counts with names that a metric can have', async () => {
    const { ask, lines } = await failing({
      after: (results, { count }) => {
        count('no such name');
        return results;
      },
    });
    expect((await ask('/models/m/predict', FEATURES)).json.error_code).toBe('PROCESSOR_FAILED');
    expect(JSON.stringify(lines.at(-1))).toContain('a name has up to 64 letters');
  });
});

describe('processors of model.json', () => {
  const problem = async (processors: readonly Processor[], named: readonly object[]) => {
    const { ask } = await serve({ processors, named });
    const { status, json } = await ask('/models/m/predict', { features: FLOWERS.a });
    return [status, json.error];
  };
  const unavailable = (reason: string) => [
    503,
    `Model "m" version "1" cannot be loaded: its model.json ${reason}.`,
  ];

  it.each<[string, readonly Processor[], readonly object[], string]>([
    [
      'a server without steps',
      [],
      [{ step: 'decide' }],
      'names the step "decide", and this server has no own code; a ternion.config.ts has it',
    ],
    [
      'an unknown step',
      [lookUp, decide],
      [{ step: 'look-up' }, { step: 'decides' }],
      'names the step "decides" in processors[1]; this server has "look-up", "decide", perhaps "decide" was meant',
    ],
    [
      'a wrong option',
      [decide],
      [{ step: 'decide', least: 'much' }],
      'is not valid at processors[0].least: Invalid input: expected number, received string',
    ],
    [
      'an option of a step without options',
      [defineProcessor({ name: 'plain', after: (results) => results })],
      [{ step: 'plain', least: 1 }],
      'has the member "least" in processors[0]; the step "plain" has no options',
    ],
    [
      'a step without a name',
      [decide],
      [{ least: 1 }],
      'is not valid (processors.0.step: missing; expected a string)',
    ],
  ])('name %s', async (_, processors, named, reason) => {
    expect(await problem(processors, named)).toEqual(unavailable(reason));
  });

  it('may be empty', async () => {
    expect((await problem([], []))[0]).toBe(200);
  });
});

describe('types', () => {
  it('flow from the schemas into the functions', () => {
    defineProcessor({
      name: 'typed',
      options: z.object({ threshold: z.number(), mode: z.enum(['a', 'b']) }),
      input: z.object({ id: z.string() }),
      state: () => ({ seen: 0 }),
      before: (instances, { options, state, signal, deadlineMs, model }) => {
        expectTypeOf(instances).toEqualTypeOf<readonly { id: string }[]>();
        expectTypeOf(options).toEqualTypeOf<{ threshold: number; mode: 'a' | 'b' }>();
        expectTypeOf(state).toEqualTypeOf<{ seen: number }>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(deadlineMs).toBeNumber();
        expectTypeOf(model.name).toBeString();
        return instances.map(({ id }) => id.length);
      },
      after: (results: readonly ClassificationResult[], { options }) =>
        results.map(({ confidence = 0 }) => confidence > options.threshold),
    });
    defineProcessor({
      name: 'untyped',
      before: (instances, { options }) => {
        expectTypeOf(instances).toEqualTypeOf<readonly Instance[]>();
        expectTypeOf(options).toEqualTypeOf<Readonly<Record<never, never>>>();
        return instances;
      },
    });
    defineProcessor({
      name: 'wrong',
      // @ts-expect-error a step returns JSON, not a date
      before: () => [new Date(0)],
    });
    expect(lookUp.name).toBe('look-up');
  });
});
