import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { readFormatFile, readGolden } from '../../../support/format-folders.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import type { TestHost } from '../../../support/hosts/test-host.ts';
import { PROJECT } from '../../../support/project.ts';
import { serveModels } from '../../../support/serve-models.ts';

interface Golden {
  readonly rows: readonly (readonly (string | number | boolean)[])[];
  readonly predictions: readonly (string | number)[];
  readonly probabilities?: readonly Readonly<Record<string, number>>[];
}

const HOUSES = 'sklearn-columns';
const IRIS = 'sklearn-matrix-names';
const RENTS = 'sklearn-columns-regressor';
const COLUMNS = ['city', 'area', 'rooms', 'garden'];
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png')).toString('base64');

const open = (model: string) => serveModels({ [model]: readFormatFile(`tabular/${model}/model.onnx`) });
const goldenOf = (model: string) => readGolden<Golden>(`tabular/${model}`);
const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 4));

async function score(host: TestHost, body: unknown, path = '/score') {
  const { status, body: answer } = await host.send(post(path, body));
  return { status, json: JSON.parse(answer.toString()) };
}

const recordsOf = (model: string, names: readonly string[] = COLUMNS) =>
  goldenOf(model).rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));

describe('a service of AutoML', () => {
  it.each([
    ['nothing', undefined],
    ['an object', {}],
    ['a number', 0.0],
    ['a method', { method: 'predict' }],
  ])('predicts labels with %s for its parameters', async (_, parameters) => {
    const body = { Inputs: { data: recordsOf(HOUSES) }, GlobalParameters: parameters };
    expect(await score(await open(HOUSES), body)).toEqual({
      status: 200,
      json: { Results: goldenOf(HOUSES).predictions },
    });
  });

  it('predicts probabilities in the order of the classes', async () => {
    const body = { Inputs: { data: recordsOf(HOUSES) }, GlobalParameters: { method: 'predict_proba' } };
    const { json } = await score(await open(HOUSES), body);
    const expected = goldenOf(HOUSES).probabilities?.map((row) => near(Object.values(row)));
    expect(json).toEqual({ Results: expected });
  });

  it('predicts numbers', async () => {
    const body = { Inputs: { data: recordsOf(RENTS) }, GlobalParameters: 1.0 };
    const { json } = await score(await open(RENTS), body);
    expect(json.Results).toEqual(
      goldenOf(RENTS).predictions.map((value) => expect.closeTo(Number(value), 2)),
    );
  });

  it('takes lists, numbers as texts, and more columns than the model has', async () => {
    const host = await open(HOUSES);
    const expected = { Results: goldenOf(HOUSES).predictions };
    expect((await score(host, { Inputs: { data: goldenOf(HOUSES).rows } })).json).toEqual(expected);
    const texts = recordsOf(HOUSES).map((row, id) => ({ id, ...row, area: String(row.area) }));
    expect((await score(host, { Inputs: { data: texts } })).json).toEqual(expected);
  });

  it('of the first kind answers a text that holds JSON', async () => {
    const host = await open(HOUSES);
    const data = recordsOf(HOUSES);
    const labels = await score(host, { data, method: 'predict' });
    expect(labels.json).toBe(JSON.stringify({ result: goldenOf(HOUSES).predictions }));
    const { json } = await score(host, { data, method: 'predict_proba' });
    const expected = goldenOf(HOUSES).probabilities?.map((row) => near(Object.values(row)));
    expect(JSON.parse(json)).toEqual({ result: expected });
  });

  it('is recognised on shared routes by "Inputs"', async () => {
    const body = { Inputs: { data: recordsOf(HOUSES) } };
    expect((await score(await open(HOUSES), body, '/invocations')).json).toEqual({
      Results: goldenOf(HOUSES).predictions,
    });
  });
});

describe('an endpoint of the designer', () => {
  it('gives the rows back with the label and the probability of the second of two classes', async () => {
    const rows = recordsOf(HOUSES).map((row, id) => ({ id, ...row }));
    const { json } = await score(await open(HOUSES), {
      Inputs: { WebServiceInput0: rows },
      GlobalParameters: {},
    });
    const { predictions, probabilities = [] } = goldenOf(HOUSES);
    expect(json).toEqual({
      Results: {
        WebServiceOutput0: rows.map((row, index) => ({
          ...row,
          'Scored Labels': predictions[index],
          'Scored Probabilities': expect.closeTo(probabilities[index]?.dear ?? Number.NaN, 4),
        })),
      },
    });
  });

  it('gives a column of probabilities for each of more than two classes, before the label', async () => {
    const measures = ['a', 'b', 'c', 'd'];
    const [row] = recordsOf(IRIS, measures);
    const { json } = await score(await open(IRIS), { Inputs: { input1: [row] } });
    expect(Object.keys(json.Results.output1[0])).toEqual([
      ...measures,
      'Scored Probabilities_setosa',
      'Scored Probabilities_versicolor',
      'Scored Probabilities_virginica',
      'Scored Labels',
    ]);
    expect(json.Results.output1[0]).toMatchObject({
      'Scored Labels': 'setosa',
      'Scored Probabilities_setosa': 1,
    });
  });

  it('gives numbers as the label, under the name of its own input', async () => {
    const { json } = await score(await open(RENTS), { Inputs: { houses: recordsOf(RENTS).slice(0, 1) } });
    expect(json.Results.WebServiceOutput0).toEqual([
      {
        ...recordsOf(RENTS)[0],
        'Scored Labels': expect.closeTo(Number(goldenOf(RENTS).predictions[0]), 2),
      },
    ]);
  });

  it('takes and gives tables with the names of the columns in a separate member', async () => {
    const values = goldenOf(HOUSES).rows.map((row) => row.map(String));
    const body = { Inputs: { input1: { ColumnNames: COLUMNS, Values: values } }, GlobalParameters: {} };
    const { json } = await score(await open(HOUSES), body);
    const { ColumnNames: names, Values: answered } = json.Results.output1.value;
    expect(names).toEqual([...COLUMNS, 'Scored Labels', 'Scored Probabilities']);
    expect(answered[0].slice(0, 5)).toEqual([...(values[0] ?? []), 'dear']);
    expect(Number(answered[0][5])).toBeCloseTo(0.5112, 4);
  });

  it('takes images in the column that is called so', async () => {
    const app = openApp();
    const rows = [{ image: `data:image/png;base64,${PNG}`, id: '0' }];
    const { json } = await score(app, { Inputs: { WebServiceInput0: rows } });
    expect(json.Results.WebServiceOutput0[0]).toMatchObject({ id: '0', 'Scored Labels': '7' });
    await app.close();
  });
});

describe('a request to such a service', () => {
  const app = openApp();
  afterAll(() => app.close());
  const row = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

  it.each([
    [
      { Inputs: {} },
      'Field "Inputs" is an object with no keys; expected an object with one table, "data" or as "WebServiceInput0".',
    ],
    [
      { Inputs: { a: [], b: [] } },
      'Field "Inputs" is an object with the keys "a", "b"; expected an object with one table, "data" or as "WebServiceInput0".',
    ],
    [
      { Inputs: [row] },
      'Field "Inputs" is an array of 1; expected an object with one table, "data" or as "WebServiceInput0".',
    ],
    [
      { Inputs: { data: [row] }, data: [row] },
      'The request has "Inputs" and "data"; expected only one of them.',
    ],
    [{ Inputs: { data: [] } }, 'Field "Inputs.data" has no rows; expected at least one.'],
    [
      { Inputs: { data: 7 } },
      'Field "Inputs.data" is the number 7; expected an array of objects, one per row.',
    ],
    [
      { Inputs: { data: { a: 1 } } },
      'Field "Inputs.data" is an object with the keys "a"; expected a list of rows, or {"ColumnNames": […], "Values": [[…], …]}.',
    ],
    [
      { Inputs: { data: [{ sepal_length: 1 }] } },
      'Field "Inputs.data" has no column "sepal_width"; its columns are "sepal_length".',
    ],
    [
      { Inputs: { data: [{ ...row, sepal_width: 'wide' }] } },
      /^Field "Inputs\.data\[0\]\[1\]" \(sepal_width\) is the string "wide"; expected a number/,
    ],
    [
      { Inputs: { data: [row] }, GlobalParameters: { method: 'forecast' } },
      'Field "GlobalParameters.method" is the string "forecast"; expected "predict" or "predict_proba".',
    ],
    [
      { Inputs: { data: [row] }, GlobalParameters: { quantiles: [0.1] } },
      'Field "GlobalParameters" has "quantiles", which is not a parameter here; expected "method" alone.',
    ],
    [
      { Inputs: { WebServiceInput0: [row] }, GlobalParameters: { method: 'predict' } },
      'Field "GlobalParameters" has "method", which is not a parameter here; expected none.',
    ],
    [
      { Inputs: { data: [row] }, GlobalParameters: 'all' },
      'Field "GlobalParameters" is the string "all"; expected an object or a number.',
    ],
    [
      { data: [row], method: 'predict_log_proba' },
      'Field "method" is the string "predict_log_proba"; expected "predict" or "predict_proba".',
    ],
  ])('is refused for %j', async (body, message) => {
    const given = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await score(app, body)).toMatchObject({ status: 400, json: { message: given } });
  });

  it('is refused where it asks for probabilities that the model does not give', async () => {
    const body = { Inputs: { data: recordsOf(RENTS) }, GlobalParameters: { method: 'predict_proba' } };
    expect(await score(await open(RENTS), body)).toMatchObject({
      status: 400,
      json: {
        message: 'Field "GlobalParameters.method" is predict_proba; this model gives no probabilities.',
      },
    });
  });

  it('is held to MAX_BATCH_SIZE', async () => {
    const host = openApp({ MAX_BATCH_SIZE: '1' });
    expect(await score(host, { Inputs: { data: [row, row] } })).toMatchObject({
      status: 413,
      json: { message: 'Field "Inputs.data" has 2 instances; the limit is 1 (MAX_BATCH_SIZE).' },
    });
    await host.close();
  });
});
