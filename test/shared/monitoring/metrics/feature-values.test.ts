import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defineProcessor, type Instance } from '../../../../shared/processors/processor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  floatInitializer,
  floatsAttribute,
  INT64,
  integerAttribute,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from '../../../support/build-model.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { MODELS } from '../../../support/project.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { serveSteps } from '../../../support/serve-steps.ts';

const ML = 'ai.onnx.ml';
const IRIS = readFileSync(join(MODELS, 'iris/1/model.onnx'));
const IRIS_CONFIG = JSON.parse(readFileSync(join(MODELS, 'iris/1/model.json'), 'utf8'));
const FLOWER = [5.1, 3.5, 1.4, 0.2];

/** A model of two numbers that fills in missing ones. */
const FILLED = buildModel({
  nodes: [
    buildNode('Imputer', ['x'], ['filled'], {
      domain: ML,
      attributes: [floatAttribute('replaced_value_float', Number.NaN), floatsOf([1, 2])],
    }),
    buildNode('MatMul', ['filled', 'w'], ['y']),
  ],
  inputs: [tensorValue('x', FLOAT, ['n', 2])],
  outputs: [tensorValue('y', FLOAT, ['n', 1])],
  initializers: [floatInitializer('w', [2, 1], [1, 10])],
  opsets: { [ML]: 3 },
});

function floatsOf(values: readonly number[]): Uint8Array {
  return floatsAttribute('imputed_value_floats', values);
}

/** A column of texts with an encoder, and one of whole numbers. */
const CITIES = buildModel({
  nodes: [
    buildNode('LabelEncoder', ['city'], ['city_code'], {
      domain: ML,
      attributes: [
        stringsAttribute('keys_strings', ['Aachen', 'Bonn']),
        integersAttribute('values_int64s', [1n, 2n]),
        integerAttribute('default_int64', -1),
      ],
    }),
    buildNode('Add', ['city_code', 'age'], ['y']),
  ],
  inputs: [tensorValue('city', STRING, ['n', 1]), tensorValue('age', INT64, ['n', 1])],
  outputs: [tensorValue('y', INT64, ['n', 1])],
  opsets: { [ML]: 2 },
});

async function post(host: TestHost, path: string, body: unknown, type = 'application/json'): Promise<number> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  // Only an answer of lines has a part for each that fails.
  const headers = { 'content-type': type, ...(type.endsWith('lines') && { accept: type }) };
  return (await host.send({ method: 'POST', path, headers, body: Buffer.from(text) })).status;
}

type Counts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What the metrics say about the values of each feature, without zeros. */
async function countsOf(host: TestHost): Promise<Counts> {
  const { body } = await host.send({ method: 'GET', path: '/metrics', headers: {}, body: Buffer.alloc(0) });
  const counts: Record<string, Record<string, number>> = {};
  const line =
    /^ternion_feature_values_total\{model="[^"]*",version="1",feature="([^"]*)",kind="(\w+)"\} (\d+)$/gm;
  for (const [, feature = '', kind = '', value = ''] of body.toString().matchAll(line)) {
    if (value !== '0') counts[feature] = { ...counts[feature], [kind]: Number(value) };
  }
  return counts;
}

const openIris = () => serveModels({ iris: IRIS }, {}, { iris: IRIS_CONFIG });
const openFilled = (features: readonly object[] = [{ name: 'a', range: [0, 0.1] }, { name: 'b' }]) =>
  serveModels({ filled: FILLED }, {}, { filled: { task: 'tabular-regression', features } });
const openCities = (features?: readonly object[]) =>
  serveModels(
    { cities: CITIES },
    {},
    { cities: { task: 'tabular', ...(features !== undefined && { features }) } },
  );

describe('the values of features', () => {
  it('have a zero of each kind as soon as the model is loaded', async () => {
    const host = await openIris();
    await post(host, '/models/iris/predict', { features: FLOWER });
    const { body } = await host.send({ method: 'GET', path: '/metrics', headers: {}, body: Buffer.alloc(0) });
    const lines = body.toString().split('\n');
    expect(lines.filter((line) => line.includes('feature="petal_width"'))).toEqual([
      'ternion_feature_values_total{model="iris",version="1",feature="petal_width",kind="seen"} 1',
      'ternion_feature_values_total{model="iris",version="1",feature="petal_width",kind="missing"} 0',
      'ternion_feature_values_total{model="iris",version="1",feature="petal_width",kind="out_of_range"} 0',
      'ternion_feature_values_total{model="iris",version="1",feature="petal_width",kind="unseen"} 0',
    ]);
  });

  it('of a refused batch are counted in all its rows, and not only until the first mistake', async () => {
    const host = await openIris();
    const rows = [FLOWER, [-1, 30, 1, 1], [null, 3, 1, 'a'], { petal_length: 21, sepal_width: 1 }, [1, 2]];
    expect(
      await post(host, '/models/iris/predict', { instances: rows.map((features) => ({ features })) }),
    ).toBe(400);
    // The last row has no columns that are known.
    expect(await countsOf(host)).toEqual({
      sepal_length: { seen: 4, missing: 2, out_of_range: 1 },
      sepal_width: { seen: 4, out_of_range: 1 },
      petal_length: { seen: 4, out_of_range: 1 },
      petal_width: { seen: 4, missing: 1 },
    });
  });

  it.each([
    ['CSV', '/invocations', '5.1,3.5,1.4,0.2\n1,30,NA,\n', 'text/csv', 400],
    [
      'the Open Inference Protocol',
      '/v2/models/iris/infer',
      { inputs: [{ name: 'X', datatype: 'FP64', shape: [2, 4], data: [...FLOWER, 1, 30, null, null] }] },
      'application/json',
      200,
    ],
    [
      'TensorFlow Serving',
      '/v1/models/iris:predict',
      { instances: [FLOWER, [1, 30, null, null]] },
      'application/json',
      400,
    ],
    [
      'MLflow',
      '/invocations',
      { dataframe_split: { data: [FLOWER, [1, 30, null, null]] } },
      'application/json',
      400,
    ],
  ])('are counted in %s', async (_, path, body, type, status) => {
    const host = await openIris();
    expect(await post(host, path, body, type)).toBe(status);
    expect(await countsOf(host)).toEqual({
      sepal_length: { seen: 2 },
      sepal_width: { seen: 2, out_of_range: 1 },
      petal_length: { seen: 2, missing: 1 },
      petal_width: { seen: 2, missing: 1 },
    });
  });

  it('are missing if the model takes that, and at the end of a range they are within it', async () => {
    const host = await openFilled();
    // 0.1 is more than 0.1 as a number of 32 bits.
    expect(await post(host, '/models/filled/predict', { instances: [{ features: [0.1, null] }] })).toBe(200);
    const data = [0.1, Number.NaN, 0.100_001, 2];
    const body = Buffer.from(Float32Array.from(data).buffer);
    const json = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], parameters: { binary_data_size: body.length } }],
    });
    const headers = { 'inference-header-content-length': String(json.length) };
    const path = '/v2/models/filled/infer';
    const sent = await host.send({
      method: 'POST',
      path,
      headers,
      body: Buffer.concat([Buffer.from(json), body]),
    });
    expect(sent.status).toBe(200);
    expect(await countsOf(host)).toEqual({
      a: { seen: 3, out_of_range: 1 },
      b: { seen: 3, missing: 2 },
    });
  });

  it('are unseen if the config lists others, refused on routes of rows and passed on as tensors', async () => {
    const host = await openCities([
      { name: 'city', values: ['Aachen', 'Bonn', 'Cologne'] },
      { name: 'age', values: [1, 2] },
    ]);
    expect(await post(host, '/models/cities/predict', { features: ['Cologne', 2] })).toBe(200);
    expect(await post(host, '/models/cities/predict', { features: ['Dublin', 3] })).toBe(400);
    const inputs = [
      { name: 'city', datatype: 'BYTES', shape: [3, 1], data: ['Bonn', 'Dublin', 'Essen'] },
      { name: 'age', datatype: 'INT64', shape: [3, 1], data: [1, 2, 3] },
    ];
    expect(await post(host, '/v2/models/cities/infer', { inputs })).toBe(200);
    expect(await countsOf(host)).toEqual({
      city: { seen: 5, unseen: 3 },
      age: { seen: 5, unseen: 2 },
    });
  });

  it('are unseen if the encoder of their column in the graph does not know them', async () => {
    const host = await openCities();
    const instances = [
      ['Aachen', 1],
      ['Cologne', 2],
      ['bonn', 3],
    ].map((features) => ({ features }));
    expect(await post(host, '/models/cities/predict', { instances })).toBe(200);
    expect(await countsOf(host)).toEqual({ city: { seen: 3, unseen: 2 }, age: { seen: 3 } });
  });

  it('are counted in whole tensors on the own route', async () => {
    const host = await openCities([{ name: 'city' }, { name: 'age', range: [0, 100] }]);
    const path = '/models/cities/predict';
    expect(await post(host, path, { inputs: { city: [['Bonn'], ['Essen']], age: [[1], [200]] } })).toBe(200);
    expect(await post(host, path, { inputs: { city: [['Bonn'], [null]], age: [[1], [101]] } })).toBe(400);
    expect(await countsOf(host)).toEqual({
      city: { seen: 4, unseen: 1, missing: 1 },
      age: { seen: 4, out_of_range: 2 },
    });
  });

  it('with more than 200 names are counted together after these', async () => {
    const width = 203;
    const wide = buildModel({
      nodes: [buildNode('Neg', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', width])],
      outputs: [tensorValue('y', FLOAT, ['n', width])],
    });
    const features = Array.from({ length: width }, (_, index) => ({ name: `f${index}`, range: [0, 1] }));
    const host = await serveModels({ wide }, {}, { wide: { task: 'tabular', features } });
    const data = new Array<number>(width).fill(2);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, width], data }];
    expect(await post(host, '/v2/models/wide/infer', { inputs })).toBe(200);
    const counts = await countsOf(host);
    expect(Object.keys(counts)).toHaveLength(201);
    expect([counts.f199, counts.f200, counts.other]).toEqual([
      { seen: 1, out_of_range: 1 },
      undefined,
      { seen: 3, out_of_range: 3 },
    ]);
  });

  it('of lines that fail alone are counted beside those that are answered', async () => {
    const host = await openIris();
    const lines = [FLOWER, [1, 30, 1, 1], [1, null, 1, 1], FLOWER].map((row) => JSON.stringify(row));
    expect(await post(host, '/invocations', lines.join('\n'), 'application/jsonlines')).toBe(200);
    expect(await countsOf(host)).toEqual({
      sepal_length: { seen: 4 },
      sepal_width: { seen: 4, out_of_range: 1, missing: 1 },
      petal_length: { seen: 4 },
      petal_width: { seen: 4 },
    });
    // The error of the first line is then that of the request.
    expect(await post(host, '/invocations', '[1,null,1,1]\n[1,null,1,1]', 'application/jsonlines')).toBe(400);
    expect(await countsOf(host)).toMatchObject({ sepal_width: { seen: 6, out_of_range: 1, missing: 3 } });
  });

  it('of lines that the graph refuses are counted once, however often they are tried', async () => {
    const picked = buildModel({
      nodes: [buildNode('Gather', ['w', 'place'], ['y'])],
      inputs: [tensorValue('place', INT64, ['n', 1])],
      outputs: [tensorValue('y', FLOAT, ['n', 1])],
      initializers: [floatInitializer('w', [3], [1, 2, 3])],
    });
    const config = { task: 'tabular', features: [{ name: 'place', range: [0, 2] }] };
    const host = await serveModels({ picked }, {}, { picked: config });
    const lines = [0, 1, 9, 2, 8].map((place) => `[${place}]`);
    expect(await post(host, '/models/picked/invoke', lines.join('\n'), 'application/jsonlines')).toBe(200);
    expect(await countsOf(host)).toEqual({ place: { seen: 5, out_of_range: 2 } });
    const wrong = ['[9]', '[8]', '[7]'].join('\n');
    expect(await post(host, '/models/picked/invoke', wrong, 'application/jsonlines')).toBe(400);
    expect(await countsOf(host)).toEqual({ place: { seen: 8, out_of_range: 5 } });
  });

  it('of a model with steps of own code are those that the steps make', async () => {
    const halve = defineProcessor({
      name: 'halve',
      takes: 'features',
      before: (instances: readonly Instance[]) => instances.map(() => [0.05, Number.NaN]),
    });
    const { ask, lines } = await serveSteps({
      processors: [halve],
      named: [{ step: 'halve' }],
      files: { 'model.onnx': FILLED },
      config: { task: 'tabular-regression', features: [{ name: 'a', range: [0, 0.1] }, { name: 'b' }] },
    });
    const instances = [{ features: { a: -7 } }, { features: { a: null } }];
    expect(await ask('/models/m/predict', { instances })).toMatchObject({ status: 200 });
    expect(lines.filter(({ message }) => message === 'request').map(({ quality }) => quality)).toEqual([
      { rows: 2, missing: 2, features: { b: { missing: 2 } } },
    ]);
  });

  it('that a step passes on and the model refuses are counted', async () => {
    const pass = defineProcessor({
      name: 'pass',
      takes: 'features',
      before: (instances: readonly Instance[]) => instances,
    });
    const { ask, lines } = await serveSteps({ processors: [pass], named: [{ step: 'pass' }] });
    const instances = [{ features: FLOWER }, { features: [5.1, 30, null, 0.2] }];
    expect(await ask('/models/m/predict', { instances })).toMatchObject({ status: 400 });
    expect(lines.filter(({ message }) => message === 'request').map(({ quality }) => quality)).toEqual([
      {
        rows: 2,
        missing: 1,
        out_of_range: 1,
        features: { sepal_width: { out_of_range: 1 }, petal_length: { missing: 1 } },
      },
    ]);
  });

  it('of a request that is refused for another reason are not counted', async () => {
    const host = await serveModels({ iris: IRIS }, { MAX_BATCH_SIZE: '1' }, { iris: IRIS_CONFIG });
    const row = { features: [-1, 0, 0, 0] };
    expect(await post(host, '/models/iris/predict', { instances: [row, row] })).toBe(413);
    // It is not known to which features three values belong.
    const body = { dataframe_split: { data: [[null, 30, 1]] } };
    expect(await post(host, '/invocations', body)).toBe(400);
    expect(await post(host, '/v1/models/iris:predict', { instances: [[null, 30, 1]] })).toBe(400);
    expect(await countsOf(host)).toEqual({});
  });
});

describe('the line of a request', () => {
  async function linesOf(send: (host: TestHost) => Promise<unknown>): Promise<readonly unknown[]> {
    const write = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    onTestFinished(() => write.mockRestore());
    const host = await serveModels({ iris: IRIS }, { LOG_LEVEL: 'info', METRICS: '' }, { iris: IRIS_CONFIG });
    await send(host);
    return write.mock.calls
      .map(([line]) => JSON.parse(String(line)))
      .filter(({ message }) => message === 'request');
  }

  it('has what was not as expected, those with the most first, and no value', async () => {
    const secret = -123.456;
    const row = (petal: number) => ({ features: [null, 3, petal, petal] });
    const last = { features: [1, 2, null, secret] };
    const lines = await linesOf(async (host) => {
      await post(host, '/models/iris/predict', { features: FLOWER });
      const instances = [last, row(secret), row(secret)];
      await post(host, '/models/iris/predict', { instances });
    });
    expect(lines).toMatchObject([
      { status: 200 },
      {
        status: 400,
        quality: {
          rows: 3,
          missing: 3,
          out_of_range: 5,
          features: {
            petal_width: { out_of_range: 3 },
            petal_length: { out_of_range: 2, missing: 1 },
            sepal_length: { missing: 2 },
          },
        },
      },
    ]);
    const [clean, refused] = lines.map((line) => JSON.stringify(line));
    expect(clean).not.toContain('quality');
    expect(refused).not.toContain('123.4');
    expect(refused).toMatch(
      /"features":\{"petal_length":\{"out_of_range":2,"missing":1\},"petal_width":\{"out_of_range":3\},"sepal/,
    );
  });
});
