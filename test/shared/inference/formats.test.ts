import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import { imageStepSchema } from '../../../shared/processing/image/steps/step-schemas.ts';
import { type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { type Files, readFormatFile, readFormatFolder, readGolden } from '../../support/format-folders.ts';
import {
  imagesInput,
  inferOutput,
  lookAt,
  rowsInput,
  serve,
  tensorsInput,
  textsInput,
} from '../../support/make-inference.ts';

const REFERENCE = { name: 'm', version: '1' };

async function open(path: string, more: Files = {}) {
  const inference = await serve({ ...readFormatFolder(path), ...more });
  const describe = () =>
    lookAt(inference, REFERENCE, ({ format, config, example, task }) => ({
      format,
      config,
      example,
      labels: task.labels,
      features: task.preprocessor?.features?.named,
    }));
  return { inference, describe };
}

interface TabularGolden {
  readonly rows: readonly JsonValue[];
  readonly predictions: readonly (string | number)[];
  readonly probabilities?: readonly Readonly<Record<string, number>>[];
}

const CLASSIFIERS = [
  ['sklearn-zipmap', [0, 1, 2]],
  ['sklearn-zipmap-names', ['setosa', 'versicolor', 'virginica']],
  ['sklearn-matrix', [1, 2, 3]],
  ['sklearn-matrix-names', ['setosa', 'versicolor', 'virginica']],
  ['sklearn-columns', ['cheap', 'dear']],
  ['xgboost', [0, 1, 2]],
  ['xgboost-binary', [0, 1]],
  ['lightgbm', [0, 1, 2]],
  ['lightgbm-matrix', ['setosa', 'versicolor', 'virginica']],
  ['catboost', [0, 1, 2]],
  ['catboost-names', ['no', 'yes']],
  ['sklearn-doubles', ['setosa', 'versicolor', 'virginica']],
  ['sklearn-booleans', ['cheap', 'dear']],
  ['sklearn-texts', ['neg', 'pos']],
  ['sklearn-texts-1d', ['neg', 'pos']],
  ['sklearn-histogram', [0, 1, 2]],
  ['sklearn-imputed', ['setosa', 'versicolor', 'virginica']],
  ['xgboost-missing', [0, 1, 2]],
] as const;
const REGRESSORS = [
  'sklearn-regressor',
  'sklearn-linear',
  'sklearn-voting',
  'sklearn-columns-regressor',
  'xgboost-regressor',
  'lightgbm-regressor',
  'lightgbm-missing',
];

describe('an exported classifier without model.json', () => {
  it.each(CLASSIFIERS)('%s answers as its framework does, with the labels %j', async (name, labels) => {
    const golden = readGolden<TabularGolden>(`tabular/${name}`);
    const { inference, describe } = await open(`tabular/${name}`);
    const output = await inferOutput(inference, rowsInput(golden.rows));
    if (output.kind !== 'classification') expect.fail(`it gives ${output.kind}`);
    expect(output.labels).toEqual(labels);
    // One model of XGBoost was trained on booleans; its file only has numbers.
    expect(output.predictions.map(({ label }) => label)).toEqual(
      golden.predictions.map((label) => (typeof label === 'boolean' ? Number(label) : label)),
    );
    for (const [row, expected] of (golden.probabilities ?? []).entries()) {
      const scores = output.predictions[row]?.scores ?? [];
      for (const [index, probability] of Object.values(expected).entries()) {
        expect(scores[index], `${name} row ${row}`).toBeCloseTo(probability, 5);
      }
    }
    expect(await describe()).toMatchObject({ format: 'onnx', config: { task: 'tabular-classification' } });
  });

  it.each([
    ['mlserver', true],
    ['kserve', false],
  ])('answers as MLServer did where its folder is of %s', async (format, hasNames) => {
    const { columns, rows, predictions } = readGolden<TabularGolden & { columns: string[] }>(format);
    const { inference, describe } = await open(format);
    expect(await inferOutput(inference, rowsInput(rows))).toMatchObject({
      predictions: predictions.map((label) => ({ label })),
    });
    expect(await describe()).toMatchObject({
      format,
      config: { task: 'tabular-classification' },
      features: hasNames ? columns.map((name) => ({ name, type: 'number' })) : undefined,
    });
  });

  it('names its columns by its inputs where there is one for each', async () => {
    const { inference, describe } = await open('tabular/sklearn-columns');
    expect((await describe()).features).toEqual([
      { name: 'city', type: 'string' },
      { name: 'area', type: 'number' },
      { name: 'rooms', type: 'number' },
      { name: 'garden', type: 'string' },
    ]);
    const { rows, predictions } = readGolden<TabularGolden>('tabular/sklearn-columns');
    const named = rows.map((row) => {
      const [city = '', area = 0, rooms = 0, garden = ''] = Array.isArray(row) ? row : [];
      return { garden, rooms, area, city };
    });
    expect(await inferOutput(inference, rowsInput(named))).toMatchObject({
      predictions: predictions.map((label) => ({ label })),
    });
    const error = await rejectionOf(
      inferOutput(inference, rowsInput([{ city: 'Bern', area: '50', rooms: 1, garden: 'no' }])),
    );
    expect(error.message).toBe('Field "instances[0].area" is the string "50"; expected a number.');
  });

  it('takes null only where its graph supports missing numbers', async () => {
    const { inference } = await open('tabular/sklearn-imputed');
    const refusal = (row: JsonValue) => rejectionOf(inferOutput(inference, rowsInput([row])));
    expect((await refusal([null, null, 'red'])).message).toBe(
      'Field "instances[0][1]" (length) is null; expected a number.',
    );
    expect((await refusal([1, 2, null])).message).toBe(
      'Field "instances[0][2]" (colour) is null; expected a string.',
    );
    expect((await refusal(['1', 2, 'red'])).message).toBe(
      'Field "instances[0][0]" (width) is the string "1"; expected a number or null.',
    );
    const whole = await open('tabular/sklearn-zipmap');
    expect((await rejectionOf(inferOutput(whole.inference, rowsInput([[1, 2, 3, null]])))).message).toBe(
      'Field "instances[0][3]" is null; expected a number.',
    );
  });

  it('takes true and false, 1 and 0 for a column of booleans', async () => {
    const { inference } = await open('tabular/sklearn-booleans');
    const scores = async (garden: JsonValue) => {
      const output = await inferOutput(inference, rowsInput([{ garden, area: 90 }]));
      return output.kind === 'classification' ? [...(output.predictions[0]?.scores ?? [])] : [];
    };
    expect(await scores(true)).toEqual(await scores(1));
    expect(await scores(false)).toEqual(await scores(0));
    expect(await scores(true)).not.toEqual(await scores(false));
    const error = await rejectionOf(inferOutput(inference, rowsInput([{ garden: 'yes', area: 90 }])));
    expect(error.message).toBe('Field "instances[0].garden" is the string "yes"; expected true or false.');
  });

  it('gives all outputs by row where each row has several labels', async () => {
    const { inference, describe } = await open('tabular/sklearn-several-labels');
    const { rows, predictions } = readGolden<TabularGolden>('tabular/sklearn-several-labels');
    expect(await describe()).toMatchObject({ config: { task: 'tabular' } });
    const byRow = await inferOutput(inference, rowsInput(rows));
    const given = byRow.kind === 'rows' ? byRow.tensors.get(byRow.labels ?? '') : undefined;
    expect(given && [...toNumbers(given)]).toEqual(predictions.flat());
    const output = await inferOutput(inference, tensorsInput({ X: [...rows] }));
    const labels = output.kind === 'tensors' ? output.tensors.get('output_label') : undefined;
    expect(labels && [...toNumbers(labels)]).toEqual(predictions.flat());
  });

  it('takes the names of labels.txt for its numbers, when there are as many', async () => {
    const { inference } = await open('tabular/sklearn-zipmap', { 'labels.txt': 'a\nb\nc\n' });
    const { rows } = readGolden<TabularGolden>('tabular/sklearn-zipmap');
    expect(await inferOutput(inference, rowsInput(rows))).toMatchObject({
      labels: ['a', 'b', 'c'],
      predictions: [{ label: 'a' }, { label: 'b' }, { label: 'c' }, { label: 'c' }],
    });
    const two = await open('tabular/sklearn-zipmap', { 'labels.txt': 'a\nb\n' });
    await expect(two.describe()).rejects.toThrow(
      'its labels.txt names 2 labels, output "output_probability" has 3',
    );
    const named = await open('tabular/sklearn-zipmap-names', { 'labels.txt': 'a\nb\nc\n' });
    expect((await named.describe()).labels).toEqual(['setosa', 'versicolor', 'virginica']);
  });
});

describe('an exported regressor without model.json', () => {
  it.each(REGRESSORS)('%s answers as its framework does', async (name) => {
    const golden = readGolden<TabularGolden>(`tabular/${name}`);
    const { inference, describe } = await open(`tabular/${name}`);
    const output = await inferOutput(inference, rowsInput(golden.rows));
    if (output.kind !== 'regression') expect.fail(`it gives ${output.kind}`);
    for (const [row, expected] of golden.predictions.entries()) {
      const error = Math.abs(Number(output.predictions[row]) - Number(expected));
      expect(error, `${name} row ${row}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(Number(expected))));
    }
    expect(await describe()).toMatchObject({ format: 'onnx', config: { task: 'tabular-regression' } });
  });

  it('is recognised where its converter supports only tables and it gives numbers', async () => {
    const { describe } = await open('tabular/sklearn-mlp');
    expect(await describe()).toMatchObject({ format: 'onnx', config: { task: 'tabular-regression' } });
  });
});

interface TextGolden {
  readonly texts: readonly string[];
  readonly labels: readonly string[];
  readonly scores: readonly (readonly number[])[];
}

/** float32 sums in another order differ in their last digits. */
function expectNear(got: ArrayLike<number>, expected: readonly number[]): void {
  expect(got).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) expect(got[index], `[${index}]`).toBeCloseTo(value, 4);
}

describe('a text model that Optimum exported', () => {
  it.each(['bert-sentiment', 'bert-multi-label'])('%s classifies as transformers does', async (name) => {
    const golden = readGolden<TextGolden>(`optimum/${name}`);
    const { inference, describe } = await open(`optimum/${name}`);
    const output = await inferOutput(inference, textsInput(golden.texts));
    if (output.kind !== 'classification') expect.fail(`it gives ${output.kind}`);
    expect(output.labels).toEqual(golden.labels);
    for (const [row, scores] of golden.scores.entries()) {
      expectNear(output.predictions[row]?.scores ?? [], scores);
    }
    expect(await describe()).toMatchObject({ format: 'optimum', config: { task: 'text-classification' } });
  });

  it('gives a vector per token, as the pipeline of transformers does', async () => {
    const { texts, embeddings } = readGolden<{ texts: string[]; embeddings: number[][][] }>(
      'optimum/bert-features',
    );
    const { inference } = await open('optimum/bert-features');
    const predictions = embeddingsOf(await inferOutput(inference, textsInput(texts)));
    for (const [row, tokens] of embeddings.entries()) {
      expect(predictions[row]?.shape).toEqual([tokens.length, 8]);
      expectNear(numbersOf(predictions[row]), tokens.flat());
    }
  });

  it.each([
    ['sentence-mean', { pooling: 'mean', normalize: true, maxTokens: 24 }],
    ['sentence-cls', { pooling: 'cls', normalize: false }],
    ['sentence-dense', { pooling: 'mean', normalize: true, dense: ['2_Dense', '3_Dense'] }],
  ])('%s gives the vectors that sentence-transformers gives', async (name, config) => {
    const { texts, embeddings } = readGolden<{ texts: string[]; embeddings: number[][] }>(`optimum/${name}`);
    const { inference, describe } = await open(`optimum/${name}`);
    const predictions = embeddingsOf(await inferOutput(inference, textsInput(texts)));
    for (const [row, vector] of embeddings.entries()) expectNear(numbersOf(predictions[row]), vector);
    expect(await describe()).toMatchObject({
      format: 'optimum',
      config: { task: 'feature-extraction', ...config },
    });
  });
});

function embeddingsOf(output: Awaited<ReturnType<typeof inferOutput>>): readonly Tensor[] {
  return output.kind === 'embedding' ? output.predictions : expect.fail(`it gives ${output.kind}`);
}

function numbersOf(tensor: Tensor | undefined): ArrayLike<number> {
  return tensor ? toNumbers(tensor) : [];
}

interface ImageGolden {
  readonly image: string;
  readonly scores?: readonly number[];
  readonly embedding?: readonly (readonly number[])[];
}

/** Whether images can be resized by their shorter side, which some formats need. */
const canKeepProportions = imageStepSchema.safeParse({ step: 'resize', shortestEdge: 256 }).success;

describe('an image model', () => {
  it.each([
    ['optimum/vit', false],
    ['optimum/vit-bicubic', false],
    ['optimum/vit-features', false],
    ['optimum/vit-crop', true],
    ['optimum/convnext', true],
    ['torchserve', true],
  ])('%s sees what its framework sees', async (path, keepsProportions) => {
    const { inference } = await open(path);
    const golden = readGolden<ImageGolden>(path);
    const image = readFormatFile(`optimum/${golden.image.split('/').at(-1)}`);
    const inferring = inferOutput(inference, imagesInput([image]));
    if (keepsProportions && !canKeepProportions) {
      expect((await rejectionOf(inferring)).message).toMatch('its preprocessing cannot be done here');
      return;
    }
    const output = await inferring;
    if (golden.scores && output.kind === 'classification') {
      expectNear(output.predictions[0]?.scores ?? [], golden.scores);
    } else {
      expectNear(numbersOf(embeddingsOf(output)[0]), golden.embedding?.flat() ?? []);
    }
  });

  it('has the labels of its export', async () => {
    expect(await (await open('optimum/vit')).describe()).toMatchObject({
      format: 'optimum',
      config: { task: 'image-classification' },
      labels: ['cat', 'dog', 'fox'],
    });
  });
});

describe('a model that MLflow saved', () => {
  it('has the columns of its signature and the input example', async () => {
    const { inference, describe } = await open('mlflow/columns');
    const golden = readGolden<TabularGolden>('mlflow/columns');
    expect(await inferOutput(inference, rowsInput(golden.rows))).toMatchObject({
      predictions: golden.predictions.map((label) => ({ label })),
    });
    const { format, features, example } = await describe();
    expect(format).toBe('mlflow');
    expect(features?.map(({ name, type }) => [name, type])).toEqual([
      ['sepal length (cm)', 'number'],
      ['sepal width (cm)', 'number'],
      ['petal length (cm)', 'number'],
      ['petal width (cm)', 'number'],
    ]);
    expect(example).toEqual({
      features: {
        'sepal length (cm)': 5.099999904632568,
        'sepal width (cm)': 3.5,
        'petal length (cm)': 1.399999976158142,
        'petal width (cm)': 0.20000000298023224,
      },
    });
  });

  it('gives numbers where its signature takes a table and its graph has no other hint', async () => {
    const { inference } = await open('mlflow/numbers');
    const golden = readGolden<TabularGolden>('mlflow/numbers');
    const output = await inferOutput(inference, rowsInput(golden.rows));
    expect(output.kind === 'regression' && output.predictions.map(Number)).toEqual(
      golden.predictions.map((value) => expect.closeTo(Number(value), 5)),
    );
  });

  it('takes tensors where its signature does', async () => {
    const { inference, describe } = await open('mlflow/tensors');
    const { inputs, outputs } = readGolden<{ inputs: JsonValue; outputs: { y: number[][] } }>(
      'mlflow/tensors',
    );
    const output = await inferOutput(inference, tensorsInput(inputs));
    expectNear(numbersOf(output.kind === 'tensors' ? output.tensors.get('y') : undefined), outputs.y.flat());
    expect(await describe()).toMatchObject({ format: 'mlflow', config: { task: 'tensor' } });
  });

  it('may give its graph another name', async () => {
    const { 'model.onnx': model = '', MLmodel = '', ...others } = readFormatFolder('mlflow/numbers');
    const renamed = String(MLmodel).replaceAll('data: model.onnx', 'data: graphs/linear.onnx');
    const inference = await serve({ ...others, 'graphs/linear.onnx': model, MLmodel: renamed });
    const golden = readGolden<TabularGolden>('mlflow/numbers');
    expect(await inferOutput(inference, rowsInput(golden.rows))).toMatchObject({ kind: 'regression' });
  });
});
