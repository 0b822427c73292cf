import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../../shared/tensor/npy.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { ESTIMATORS, expectSame, readEstimator } from '../../support/estimators.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { serveModels } from '../../support/serve-models.ts';
import { ask, jsonOf } from '../protocols/sagemaker/ask.ts';

const { rows, models } = ESTIMATORS;
const NAMES = Object.keys(models);
const CSV = rows.map((row) => row.join()).join('\n');

const open = (name: string, config?: object, environment: Readonly<Record<string, string>> = {}) =>
  serveModels({ [name]: readEstimator(name) }, environment, config ? { [name]: config } : {});

const post = (host: TestHost, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  jsonOf(ask(host, path, typeof body === 'string' ? body : JSON.stringify(body), headers));

describe.each(NAMES)('%s without a model.json', (name) => {
  const golden = models[name];
  if (!golden) throw new Error(`there is no estimator ${name}`);

  it('answers as the server that it comes from', async () => {
    const host = await open(name);
    const instances = { instances: rows };
    const { predictions } = await post(host, `/v1/models/${name}:predict`, instances);
    if (golden.kserve) expectSame(predictions, golden.kserve, 'KServe');
    const vertex = await post(host, `/v1/projects/p/locations/l/endpoints/${name}:predict`, instances);
    if (golden.vertex) expectSame(vertex.predictions, golden.vertex, 'Vertex AI');
    const azure = await post(host, '/score', { data: rows });
    expectSame(azure, golden.predict, 'Azure ML');
    const data = { columns: ['a', 'b', 'c', 'd'], data: rows };
    const mlflow = await post(host, '/invocations', { dataframe_split: data });
    expectSame(mlflow, { predictions: golden.predict }, 'MLflow');
    if (golden.sagemaker) {
      const path = `/endpoints/${name}/invocations`;
      const csv = { 'content-type': 'text/csv' };
      expectSame(await post(host, path, CSV, { ...csv, accept: 'application/json' }), golden.sagemaker.json);
      const answer = await ask(host, path, CSV, { ...csv, accept: 'text/csv' });
      expectSame(cellsOf(answer.body), cellsOf(Buffer.from(golden.sagemaker.csv)), 'SageMaker, CSV');
    }
    if (golden.libsvm) {
      const sparse = { 'content-type': 'text/libsvm' };
      const answer = await ask(host, `/endpoints/${name}/invocations`, golden.libsvm.rows, sparse);
      expect(answer.headers['content-type']).toBe('text/csv');
      expectSame(cellsOf(answer.body), cellsOf(Buffer.from(golden.libsvm.csv)), 'SageMaker, LibSVM');
    }
  });

  it('has the results of its methods as outputs of the Open Inference Protocol', async () => {
    const host = await open(name);
    const input = { name: 'X', shape: [rows.length, 4], datatype: 'FP32', data: rows };
    const outputs = [{ name: 'predict' }, ...(golden.probabilities ? [{ name: 'predict_proba' }] : [])];
    const path = `/v2/models/${name}/infer`;
    const inputs = [{ ...input, name: inputOf(name) }];
    const given = await post(host, path, { inputs, outputs });
    expectSame(given.outputs[0].data, golden.predict.flat(), 'predict');
    if (golden.probabilities && name !== 'several-targets') {
      expectSame(given.outputs[1].data, golden.probabilities.flat(2), 'predict_proba');
    }
    const { shape } = given.outputs[0];
    expect(shape).toEqual([rows.length, golden.predict.flat().length / rows.length]);
  });
});

describe('several targets with other numbers of classes', () => {
  const golden = models['several-targets'];

  it('have an output each', async () => {
    const host = await open('several-targets', { task: 'tabular', answers: 'probabilities' });
    const { predictions } = await post(host, '/v1/models/several-targets:predict', { instances: rows });
    const expected = golden?.probabilities?.map((targets) => {
      const [prediction_0, prediction_1] = Array.isArray(targets) ? targets : [];
      return { prediction_0, prediction_1 };
    });
    expectSame(predictions, expected);
  });

  it('are an object for each row on own routes', async () => {
    const host = await open('several-targets');
    const answer = await post(host, '/models/several-targets/predict', { instances: rows });
    const expected = golden?.predict.map((label, row) => {
      const targets = golden.probabilities?.[row];
      const [probabilities_0, probabilities_1] = Array.isArray(targets) ? targets : [];
      return { label, probabilities_0, probabilities_1 };
    });
    expectSame(answer.predictions, expected);
  });
});

function inputOf(name: string): string {
  return name.startsWith('catboost') ? 'features' : 'X';
}

function cellsOf(csv: Uint8Array): readonly (readonly (number | string)[])[] {
  const lines = Buffer.from(csv).toString().trimEnd().split('\n');
  return lines.map((line) =>
    line.split(',').map((cell) => (Number.isNaN(Number(cell)) ? cell : Number(cell))),
  );
}

describe('sparse rows', () => {
  const send = async (host: TestHost, body: string) =>
    await ask(host, '/endpoints/ridge/invocations', body, {
      'content-type': 'text/x-libsvm',
      accept: 'application/json',
    });

  it('count from 0 where one of them does, and have zeros where nothing can be missing', async () => {
    const host = await open('ridge');
    const dense = await post(host, '/endpoints/ridge/invocations', [
      [5.1, 0, 0, 0],
      [0, 0, 0, 2],
    ]);
    const sparse = await send(host, '1 0:5.1\n-1 3:2\n');
    expectSame(JSON.parse(Buffer.from(sparse.body).toString()), dense);
  });

  it.each([
    ['with a byte order mark', '\ufeff0:5.1\n3:2\n'],
    ['with labels and groups', '1 qid:7 0:5.1\n-1.5e0 qid:8 3:2\n'],
    ['without a label', '0:5.1\nqid:1 3:2'],
    ['with comments', '# 9:1\n1 0:5.1 # 1:2\n  # none\n1 3:2#x'],
    ['with tabs, spaces and CRLF', '\n1\t0:5.1  \r\n\r\n 1 \t 3:2 \r\n'],
    ['with zeros before an index', '1 00:5.1\n1 003:2'],
    ['in any order of columns', '1 3:0 0:5.1\n1 3:2 0:0'],
  ])('have the same answer %s', async (_, body) => {
    const host = await open('ridge');
    const expected = await send(host, '1 0:5.1\n1 3:2\n');
    const { status, body: answer } = await send(host, body);
    expect([status, Buffer.from(answer).toString()]).toEqual([200, Buffer.from(expected.body).toString()]);
  });

  it('count from 1 if the index 0 stands only in a comment, or in another number', async () => {
    const host = await open('ridge');
    const expected = await send(host, '1 1:5.1 4:2\n');
    const { body: answer } = await send(host, '0 1:5.1 4:2 # 0:1\n# 0:2');
    expect(Buffer.from(answer).toString()).toBe(Buffer.from(expected.body).toString());
  });

  it('can lack all cells, but not all rows', async () => {
    const host = await open('ridge');
    const zeros = await post(host, '/endpoints/ridge/invocations', [[0, 0, 0, 0]]);
    const { body: answer } = await send(host, '1\n1 1:0\n');
    expectSame(JSON.parse(Buffer.from(answer).toString()), [...zeros, ...zeros]);
  });

  it.each([
    ['5:1\n0:1', 'Line 1 has the index 5; the model takes 4 columns, which are counted from 0 here.'],
    ['5:1', 'Line 1 has the index 5; the model takes 4 columns, which are counted from 1 here.'],
    ['1:1 2', 'Line 1 has "2"; expected index:value, as 3:0.5, with spaces or tabs between cells.'],
    ['1:1 2:', 'Line 1 has "2:"; expected index:value, as 3:0.5'],
    ['1:1\n1 2:1 qid:3', 'Line 2 has the index "qid"; expected a whole number of at least 0.'],
    ['1 99999999999999999999:1', 'Line 1 has the index 99999999999999999999; the model takes 4 columns'],
    ['1 -1:5 2:3', 'Line 1 has the index "-1"; expected a whole number of at least 0.'],
    ['1 1.5:3', 'Line 1 has the index "1.5"; expected a whole number of at least 0.'],
    ['1:1\v0:5', 'Field "line 1" (column 1) is the string "1\\u000b0:5"; expected a number.'],
    ['1\v0:5 1:2', 'Line 1 has the index "1\\u000b0"; expected a whole number of at least 0.'],
    ['1\f0:5 1:2', 'Line 1 has the index "1\\f0"; expected a whole number of at least 0.'],
    ['1\u00a00:5 1:2', 'Line 1 has the index "1\\u00a00"; expected a whole number of at least 0.'],
    ['1:2\n\ufeff0:5', 'Line 2 has the index "\\ufeff0"; expected a whole number of at least 0.'],
    ['1 1:2 1:5', 'Line 1 has the index 1 twice; expected it once.'],
    ['1:0.5 1:5', 'Line 1 has the index 1 twice; expected it once.'],
    ['0:1 1:2\r0:3 1:4', 'Line 1 has the index 0 twice; expected it once.'],
    ['setosa 1:2', 'Line 1 has the label "setosa"; expected a number.'],
    ['5.1,3.5,1.4,0.2', 'Line 1 has the label "5.1,3.5,1.4,0.2"; expected a number.'],
    ['1\n2\n', 'The request body has no cells; expected index:value, as 3:0.5'],
    ['# 1:2', 'The request body has no lines; expected one row per line.'],
    ['1:1 2:x', 'Field "line 1" (column 2) is the string "x"; expected a number.'],
    ['\n', 'The request body has no lines; expected one row per line.'],
  ])('that are wrong are named: %j', async (body, message) => {
    const { status, body: answer } = await send(await open('ridge'), body);
    expect(status).toBe(424);
    expect(JSON.parse(Buffer.from(answer).toString()).OriginalMessage).toContain(message);
  });
});

describe('a table without rows', () => {
  it.each(['forest-names', 'logistic-2', 'ridge', 'k-means', 'catboost-3'])(
    'has an answer without rows: %s',
    async (name) => {
      const body = Buffer.from(writeNpy(createTensor('FP32', [0, 4], [])));
      const headers = { 'content-type': 'application/x-npy' };
      const answer = await ask(await open(name), `/endpoints/${name}/invocations`, body, headers);
      expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([200, '[]']);
    },
  );
});

describe('answers in model.json', () => {
  const golden = models['forest-names'];
  const config = { task: 'tabular-classification' };
  const instances = { instances: rows };

  it('as one word hold for the protocols of all other servers', async () => {
    const host = await open('forest-names', { ...config, answers: 'probabilities' });
    const score = (path: string, body: unknown) => post(host, path, body);
    const expected = golden?.probabilities;
    expectSame(await score('/v1/models/forest-names:predict', instances), { predictions: expected });
    expectSame(await score('/invocations', instances), { predictions: expected });
    expectSame(await score('/endpoints/forest-names/invocations', rows), expected);
    expectSame(await score('/score', { data: rows }), expected);
    expectSame(await score('/predictions/forest-names', instances), { predictions: expected });
    expectSame(await score('/hf/forest-names', { inputs: rows }), expected);
    const deployment = '/v2.1/projects/p/deployments/forest-names/requests';
    const { result } = await score(deployment, { X: rows[0] });
    expectSame(result, { prediction: golden?.probabilities?.[0] });
    const own = await score('/models/forest-names/predict', { features: rows[0] });
    expect(own).toMatchObject({ prediction: 'setosa', probabilities: { setosa: 1 } });
  });

  it('by protocol hold for that one, and the flavour for the others', async () => {
    const host = await open('forest-names', { ...config, answers: { kserve: 'objects', ternion: 'labels' } });
    const kserve = await post(host, '/v1/models/forest-names:predict', instances);
    expect(kserve.predictions[0]).toMatchObject({ output_label: 'setosa' });
    expect(await post(host, '/invocations', instances)).toEqual({ predictions: golden?.predict });
    const own = await post(host, '/models/forest-names/predict', instances);
    expect(own.predictions).toEqual(golden?.predict.map((prediction) => ({ prediction })));
  });

  it('keep what was answered before with the word objects', async () => {
    const host = await open('ridge', { task: 'tabular-regression', answers: 'objects' });
    const { predictions } = await post(host, '/v1/models/ridge:predict', instances);
    expectSame(
      predictions,
      models.ridge?.predict.map((value) => [value]),
    );
  });

  it('give arrays of NumPy and lines in that form', async () => {
    const host = await open('forest-names');
    const npy = await ask(host, '/endpoints/forest-names/invocations', JSON.stringify(rows), {
      accept: 'application/x-npy',
    });
    expect(Buffer.from(npy.body).toString('latin1')).toContain(
      "{'descr': '<U10', 'fortran_order': False, 'shape': (5,), }",
    );
    const lines = await ask(host, '/endpoints/forest-names/invocations', JSON.stringify(rows), {
      accept: 'application/jsonlines',
    });
    expect(Buffer.from(lines.body).toString()).toBe(golden?.predict.map((label) => `"${label}"\n`).join(''));
  });

  it.each([
    [
      { ...config, answers: 'numbers' },
      'its model.json is not valid (answers: the string "numbers"; expected one of "objects", "labels"',
    ],
    [
      { ...config, answers: { mlflows: 'labels' } },
      'its model.json is not valid (answers: unknown member "mlflows"; expected one of "ternion", "',
    ],
    [
      { task: 'tensor', answers: 'labels' },
      'its model.json has "answers": "labels", which only tabular models have',
    ],
  ])('that are impossible are named: %j', async (given, reason) => {
    const host = await open('forest-names', given);
    const { status, body } = await ask(host, '/v1/models/forest-names:predict', JSON.stringify(instances));
    expect(status).toBe(503);
    expect(JSON.parse(Buffer.from(body).toString()).error).toContain(reason);
  });

  it('need scores that are probabilities where probabilities are asked for', async () => {
    const host = await open('ridge', { task: 'tabular-regression', answers: { mlflow: 'probabilities' } });
    const { status, body } = await ask(host, '/invocations', JSON.stringify(instances));
    expect([status, JSON.parse(Buffer.from(body).toString()).error]).toEqual([
      503,
      expect.stringContaining('its graph does not show that its scores are probabilities'),
    ]);
  });
});

describe('a model of TensorFlow', () => {
  const parts = {
    nodes: [buildNode('Identity', ['x'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2])],
    producer: 'tf2onnx',
  };
  const body = '[[1, 2]]';

  it('is answered as in its container on SageMaker, where model.json says nothing else', async () => {
    const host = await serveModels({ net: buildModel(parts) });
    expect(await post(host, '/endpoints/net/invocations', body)).toEqual({ predictions: [[1, 2]] });
    const csv = await ask(host, '/endpoints/net/invocations', '1,2', {
      accept: 'text/csv',
      'content-type': 'text/csv',
    });
    expect(Buffer.from(csv.body).toString()).toBe('1,2\n');
    const stated = await serveModels(
      { net: buildModel(parts) },
      {},
      { net: { task: 'tensor', answers: 'objects' } },
    );
    expect(await post(stated, '/endpoints/net/invocations', body)).toEqual([[1, 2]]);
  });

  it('of another framework is a bare list', async () => {
    const host = await serveModels({ net: buildModel({ ...parts, producer: 'pytorch' }) });
    expect(await post(host, '/endpoints/net/invocations', body)).toEqual([[1, 2]]);
  });
});
