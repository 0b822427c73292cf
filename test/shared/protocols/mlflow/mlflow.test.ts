import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../../shared/version.ts';
import { get } from '../../../contracts/exchanges.ts';
import { FLOAT, INT64, identityModel, twoInputModel } from '../../../support/build-model.ts';
import { readFormatFolder } from '../../../support/format-folders.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';
import { ask, errorOf, jsonOf } from '../sagemaker/ask.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const NAMED = { petal_width: 0.2, petal_length: 1.4, sepal_width: 3.5, sepal_length: 5.1 };
const COLUMNS = { petal_width: [0.2], petal_length: [1.4], sepal_width: [3.5], sepal_length: [5.1] };
const PREDICTIONS = { predictions: [[7.113542, -1.969219, -9.984419]] };
const PATHS = ['/invocations', '/serving-endpoints/iris/invocations'];

let host: TestHost;
beforeAll(() => {
  host = openApp({ DEFAULT_MODEL: 'iris', ENDPOINT_MODELS: 'flowers=iris/1' });
});
afterAll(() => host.close());

const score = (path: string, body: unknown, type = 'application/json') =>
  ask(host, path, typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': type });

describe.each(PATHS)('%s', (path) => {
  it.each<[string, unknown]>([
    ['a split table', { dataframe_split: { columns: Object.keys(NAMED), data: [Object.values(NAMED)] } }],
    ['a split table with an index', { dataframe_split: { index: [7], columns: [0, 1, 2, 3], data: [ROW] } }],
    ['a split table without names', { dataframe_split: { data: [ROW] } }],
    ['records', { dataframe_records: [NAMED] }],
    ['records with more columns', { dataframe_records: [{ id: 7, ...NAMED }] }],
    ['instances', { instances: [ROW] }],
    ['instances by name', { instances: [NAMED] }],
    ['inputs', { inputs: [ROW] }],
    ['inputs by name of input', { inputs: { features: [ROW] } }],
    ['inputs by name of feature', { inputs: COLUMNS }],
    [
      'inputs as records',
      { inputs: [Object.fromEntries(Object.entries(COLUMNS).map(([name, [cell]]) => [name, cell]))] },
    ],
    ['params', { inputs: [ROW], params: { threshold: 0.5 } }],
    ['params that are null', { inputs: [ROW], params: null }],
    ['members of the Databricks SDK', { instances: [ROW], client_request_id: 'x', usage_context: {} }],
  ])('takes %s', async (_, body) => {
    expect(await jsonOf(score(path, body))).toEqual(PREDICTIONS);
  });

  it('takes a table in CSV with names, in any order', async () => {
    const csv = `${Object.keys(NAMED).join()}\n${Object.values(NAMED).join()}\n`;
    expect(await jsonOf(score(path, csv, 'text/csv'))).toEqual(PREDICTIONS);
    expect(await jsonOf(score(path, csv, 'text/csv; charset=UTF-8'))).toEqual(PREDICTIONS);
    const indexed = `,id,${Object.keys(NAMED).join()}\n0,7,${Object.values(NAMED).join()}\n`;
    expect(await jsonOf(score(path, indexed, 'text/csv'))).toEqual(PREDICTIONS);
  });
});

describe('the scoring server', () => {
  const strict = '/serving-endpoints/iris/invocations';
  const forms = '"dataframe_split", "dataframe_records", "instances", "inputs"';

  it.each<[string, unknown, string]>([
    [
      'nothing',
      {},
      `The request is an object with no keys; expected an object with exactly one of ${forms}.`,
    ],
    ['a list', [ROW], `The request is an array of 1; expected an object with exactly one of ${forms}.`],
    [
      'two of them',
      { inputs: [ROW], instances: [ROW] },
      `The request is an object with the keys "inputs", "instances"; expected an object with exactly one of ${forms}.`,
    ],
    [
      'the format of MLflow 1',
      { columns: ['a'], data: [[1]] },
      `The request is an object with the keys "columns", "data"; expected an object with exactly one of ${forms}.`,
    ],
  ])('refuses %s and names the accepted members', async (_, body, message) => {
    const answer = await score(strict, body);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error_code: 'BAD_REQUEST', message });
    expect(answer.status).toBe(400);
  });

  it.each<[string, unknown, RegExp]>([
    [
      'records that are an object',
      { dataframe_records: {} },
      /^Field "dataframe_records" is an object with no keys; expected an array of objects/,
    ],
    [
      'a split table without data',
      { dataframe_split: { columns: [] } },
      /^Field "dataframe_split" is .* expected \{"columns"/,
    ],
    [
      'a column too few',
      { dataframe_records: [{ sepal_length: 1 }] },
      /^Field "dataframe_records" has no column "sepal_width"/,
    ],
    [
      'columns of two lengths',
      { inputs: { a: [1], b: [1, 2] } },
      /^Field "inputs\.b" has 2 values; "a" has 1/,
    ],
    [
      'params that are not an object',
      { inputs: [ROW], params: [1] },
      /^Field "params" is an array of 1; expected an object/,
    ],
    [
      'instances that are not a list',
      { instances: 7 },
      /^Field "instances" is the number 7; expected an array/,
    ],
    [
      'rows that do not fit',
      { inputs: [[1, 2]] },
      /^Input "features" has the shape \[1,2\]; expected \[-1,4\]/,
    ],
  ])('refuses %s', async (_, body, message) => {
    const [status, error] = await errorOf(score(strict, body));
    expect(status).toBe(400);
    expect(error).toMatch(message);
  });

  it.each([
    ['application/vnd.apache.parquet', 415, /^Content-Type "application\/vnd\.apache\.parquet" /],
    ['application/json; charset=latin-1', 415, /^The charset "latin-1" is not accepted; send UTF-8/],
    ['text/csv; charset=utf-16', 415, /^The charset "utf-16" is not accepted/],
  ])('refuses the type %s', async (type, expected, message) => {
    const [status, error] = await errorOf(score(strict, { inputs: [ROW] }, type));
    expect(status).toBe(expected);
    expect(error).toMatch(message);
  });

  it('answers with its version as plain text', async () => {
    const answer = await host.send(get('/version'));
    expect([answer.headers['content-type'], answer.body.toString()]).toEqual(['text/plain', VERSION]);
  });

  it('gives records where a model has several outputs, and the outputs themselves for inputs', async () => {
    const outputs = { output_label: 'setosa', output_probability: [0.99999934, 0, 0] };
    expect(
      await jsonOf(score('/serving-endpoints/flowers/invocations', { dataframe_records: [NAMED] })),
    ).toEqual({
      predictions: [outputs],
    });
    expect(await jsonOf(score('/serving-endpoints/flowers/invocations', { inputs: [ROW] }))).toEqual({
      predictions: { output_label: ['setosa'], output_probability: [[0.99999934, 0, 0]] },
    });
  });

  it('names the served model to the Databricks SDK', async () => {
    const answer = await score('/serving-endpoints/flowers/invocations', { inputs: [ROW] });
    expect(answer.headers['served-model-name']).toBe('iris-1');
    expect((await errorOf(score('/serving-endpoints/tulips/invocations', { inputs: [ROW] })))[0]).toBe(404);
  });

  it('keeps all digits of 64-bit integers', async () => {
    const app = await serveModels({ m: identityModel(INT64, ['n', 1]) });
    const body = '{"dataframe_split":{"columns":["x"],"data":[[9223372036854775807]]}}';
    const answer = await ask(app, '/serving-endpoints/m/invocations', body);
    expect(answer.body.toString()).toBe('{"predictions":[[9223372036854775807]]}');
  });

  it('takes columns by the names of the features, of which the graph has some', async () => {
    const app = openApp({
      MODEL_REPOSITORY: await makeFolder({
        'm/1/model.onnx': readFormatFolder('tabular/sklearn-columns')['model.onnx'] ?? '',
        'm/1/model.json': JSON.stringify({
          task: 'tabular-classification',
          features: ['city', 'living area', 'rooms', 'garden'].map((name) => ({ name })),
        }),
      }),
    });
    const rows = [
      ['Oslo', 106.4, 5, 'no'],
      ['Rome', 61.8, 8, 'yes'],
    ];
    const columns = ['city', 'living area', 'rooms', 'garden'];
    for (const body of [
      { dataframe_split: { columns, data: rows } },
      {
        inputs: {
          city: ['Oslo', 'Rome'],
          'living area': [106.4, 61.8],
          rooms: [5, 8],
          garden: ['no', 'yes'],
        },
      },
      {
        inputs: {
          city: [['Oslo'], ['Rome']],
          area: [[106.4], [61.8]],
          rooms: [[5], [8]],
          garden: [['no'], ['yes']],
        },
      },
    ]) {
      const answer = await ask(app, '/serving-endpoints/m/invocations', JSON.stringify(body));
      expect(JSON.parse(answer.body.toString())).toEqual({ predictions: ['dear', 'cheap'] });
    }
  });

  it('takes columns by the names of several inputs, of any lengths where they are tensors', async () => {
    const app = await serveModels({ m: twoInputModel() });
    const table = {
      dataframe_split: {
        columns: ['b', 'a'],
        data: [
          [10, 1],
          [20, 2],
        ],
      },
    };
    for (const body of [
      table,
      { inputs: { a: [1, 2], b: [10, 20] } },
      {
        instances: [
          { a: 1, b: 10 },
          { a: 2, b: 20 },
        ],
      },
    ]) {
      const answer = ask(app, '/serving-endpoints/m/invocations', JSON.stringify(body));
      expect(await jsonOf(answer)).toEqual({ predictions: [11, 22] });
    }
  });

  it.each([
    ['null', '{"predictions":[[null,null]]}'],
    ['literal', '{"predictions":[[NaN,-Infinity]]}'],
  ])('writes NaN and infinity as %s', async (style, text) => {
    const app = await serveModels({ m: identityModel(FLOAT, ['n', 2]) }, { NON_FINITE_JSON: style });
    const answer = await ask(app, '/serving-endpoints/m/invocations', '{"inputs":[[NaN,-Infinity]]}');
    expect(answer.body.toString()).toBe(text);
  });

  it('takes a table without names with DIALECT=mlflow only where its type says so', async () => {
    const app = openApp({ DIALECT: 'mlflow', DEFAULT_MODEL: 'iris' });
    const send = (type: string) => ask(app, '/invocations', `${ROW}\n`, { 'content-type': type });
    expect(await jsonOf(send('text/csv; header=absent'))).toEqual(PREDICTIONS);
    expect((await errorOf(send('text/csv')))[1]).toBe(
      'The table has no rows below its first, which was read as the names of columns: "5.1", "3.5", "1.4", "0.2". If it has no names, send the Content-Type "text/csv; header=absent".',
    );
    expect((await errorOf(send('text/csv; header=present')))[1]).toBe(
      'Field "body" has no rows; expected at least one.',
    );
    await app.close();
  });
});
