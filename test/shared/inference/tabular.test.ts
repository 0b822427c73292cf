import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  floatsAttribute,
  INT32,
  INT64,
  identityModel,
  integerAttribute,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
  UINT8,
  zipMapValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import {
  imagesInput,
  inferOutput,
  lookAt,
  rowsInput,
  serve,
  tensorsInput,
  textsInput,
} from '../../support/make-inference.ts';
import { MODELS } from '../../support/project.ts';

/** Three numbers in; their product with a matrix of 3 rows out. */
function productModel(columns: number, weights: readonly number[]): Uint8Array {
  return buildModel({
    nodes: [buildNode('MatMul', ['x', 'w'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n', 3])],
    outputs: [tensorValue('y', FLOAT, ['n', columns])],
    initializers: [floatInitializer('w', [3, columns], weights)],
  });
}

const regression = JSON.stringify({ task: 'tabular-regression' });
const classification = JSON.stringify({ task: 'tabular-classification' });

describe('tabular regression', () => {
  it('predicts a number per row', async () => {
    const inference = await serve({ 'model.onnx': productModel(1, [1, 10, 0.1]), 'model.json': regression });
    expect(
      await inferOutput(
        inference,
        rowsInput([
          [1, 2, 3],
          [0, 0, 1],
        ]),
      ),
    ).toEqual({
      kind: 'regression',
      // 21.3 and 0.1 as float32, with their own digits.
      predictions: [21.3, 0.1],
    });
  });

  it('gives a list per row where the model predicts several', async () => {
    const weights = [1, 0, 0, 1, 0, 0];
    const inference = await serve({ 'model.onnx': productModel(2, weights), 'model.json': regression });
    expect(
      await inferOutput(
        inference,
        rowsInput([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ),
    ).toEqual({
      kind: 'regression',
      predictions: [
        [1, 2],
        [4, 5],
      ],
    });
  });

  it('reads the output its model.json names', async () => {
    const model = buildModel({
      nodes: [buildNode('Neg', ['x'], ['a']), buildNode('Abs', ['x'], ['b'])],
      inputs: [tensorValue('x', FLOAT, ['n', 1])],
      outputs: [tensorValue('a', FLOAT, ['n', 1]), tensorValue('b', FLOAT, ['n', 1])],
    });
    const config = JSON.stringify({ task: 'tabular-regression', output: 'b' });
    const inference = await serve({ 'model.onnx': model, 'model.json': config });
    expect(await inferOutput(inference, rowsInput([[-2]]))).toMatchObject({ predictions: [2] });
  });
});

describe('tabular classification', () => {
  const scores = identityModel(FLOAT, ['n', 3]);

  it('numbers the classes where nothing names them, and takes the largest score', async () => {
    const inference = await serve({ 'model.onnx': scores, 'model.json': classification });
    expect(
      await inferOutput(
        inference,
        rowsInput([
          [0.25, 0.5, 0.25],
          [7, -1, 7],
        ]),
      ),
    ).toEqual({
      kind: 'classification',
      labels: [0, 1, 2],
      areProbabilities: false,
      predictions: [
        { classId: 1, label: 1, scores: Float64Array.of(0.25, 0.5, 0.25) },
        { classId: 0, label: 0, scores: Float64Array.of(7, -1, 7) },
      ],
    });
  });

  it('makes probabilities of logits where its model.json says softmax', async () => {
    const config = {
      task: 'tabular-classification',
      labels: ['a', 'b', 'c'],
      postprocess: [{ step: 'softmax' }],
    };
    const inference = await serve({ 'model.onnx': scores, 'model.json': JSON.stringify(config) });
    const output = await inferOutput(inference, rowsInput([[5, 5, 5]]));
    expect(output).toMatchObject({
      predictions: [{ label: 'a', scores: Float64Array.of(1 / 3, 1 / 3, 1 / 3) }],
    });
  });

  /** Its labels are -1, 1 and 2. It chooses the label of the smallest score, which an argmax would not choose. */
  const contrary = buildModel({
    nodes: [
      buildNode('ArgMin', ['x'], ['index'], {
        attributes: [integerAttribute('axis', 1), integerAttribute('keepdims', 0)],
      }),
      buildNode('LabelEncoder', ['index'], ['label'], {
        domain: 'ai.onnx.ml',
        attributes: [
          integersAttribute('keys_int64s', [0n, 1n, 2n]),
          integersAttribute('values_int64s', [-1n, 1n, 2n]),
        ],
      }),
      buildNode('ZipMap', ['x'], ['scores'], {
        domain: 'ai.onnx.ml',
        attributes: [integersAttribute('classlabels_int64s', [-1n, 1n, 2n])],
      }),
    ],
    inputs: [tensorValue('x', FLOAT, ['n', 3])],
    outputs: [tensorValue('label', INT64, ['n']), zipMapValue('scores', INT64)],
    opsets: { '': 18, 'ai.onnx.ml': 2 },
  });
  const contraryRows = rowsInput([
    [0.5, 0.25, 0.75],
    [0.125, 0.25, 0.75],
  ]);

  it("takes the graph's own label, not the largest score", async () => {
    const inference = await serve({ 'model.onnx': contrary });
    expect(await inferOutput(inference, contraryRows)).toEqual({
      kind: 'classification',
      given: { datatype: 'INT64', shape: [2], data: BigInt64Array.of(1n, -1n) },
      labels: [-1, 1, 2],
      areProbabilities: false,
      predictions: [
        { classId: 1, label: 1, scores: Float64Array.of(0.5, 0.25, 0.75) },
        { classId: 0, label: -1, scores: Float64Array.of(0.125, 0.25, 0.75) },
      ],
    });
  });

  it("gives the graph's own label the name its model.json has for the class", async () => {
    const config = { task: 'tabular-classification', labels: ['low', 'mid', 'high'] };
    const inference = await serve({ 'model.onnx': contrary, 'model.json': JSON.stringify(config) });
    expect(await inferOutput(inference, contraryRows)).toMatchObject({
      labels: ['low', 'mid', 'high'],
      predictions: [
        { classId: 1, label: 'mid' },
        { classId: 0, label: 'low' },
      ],
    });
  });

  it("gives a class the config's name, though the graph has labels of its own", async () => {
    const forest = readFileSync(join(MODELS, 'iris/1/model.onnx'));
    const config = { task: 'tabular-classification', labels: ['S', 'Ve', 'Vi'] };
    const inference = await serve({ 'model.onnx': forest, 'model.json': JSON.stringify(config) });
    const output = await inferOutput(inference, rowsInput([[5.1, 3.5, 1.4, 0.2]]));
    expect(output).toMatchObject({ labels: ['S', 'Ve', 'Vi'], predictions: [{ label: 'S', classId: 0 }] });
  });
});

describe('the input of a tabular model', () => {
  it('is rows, neither images nor tensors', async () => {
    const inference = await serve({ 'model.onnx': identityModel(FLOAT, ['n', 2]), 'model.json': regression });
    for (const input of [imagesInput([Uint8Array.of(1)]), tensorsInput({ x: [[1, 2]] })]) {
      const error = await rejectionOf(inferOutput(inference, input));
      expect(error.message).toMatch(/^The request brings .*; this model takes features/);
    }
  });

  it('is as many numbers as its graph says', async () => {
    const inference = await serve({ 'model.onnx': identityModel(FLOAT, ['n', 2]), 'model.json': regression });
    const error = await rejectionOf(inferOutput(inference, rowsInput([[1, 2], [3]])));
    expect(error.message).toBe('Field "instances[1]" has 1 value; expected a list of 2 numbers.');
  });

  it('is as many numbers as in the first row, where its graph says nothing', async () => {
    const open = identityModel(FLOAT, ['n', 'width']);
    const inference = await serve({ 'model.onnx': open, 'model.json': regression });
    expect(await inferOutput(inference, rowsInput([[1, 2, 3]]))).toMatchObject({ predictions: [[1, 2, 3]] });
    const error = await rejectionOf(inferOutput(inference, rowsInput([[1, 2], [3]])));
    expect(error.message).toBe('Field "instances[1]" has 1 value; expected a list of 2 numbers.');
  });

  it('has at most as many numbers as the limit', async () => {
    const inference = await serve(
      { 'model.onnx': identityModel(FLOAT, ['n', 2]), 'model.json': regression },
      { limits: { tensorElements: 3 } },
    );
    const error = await rejectionOf(
      inferOutput(
        inference,
        rowsInput([
          [1, 2],
          [3, 4],
        ]),
      ),
    );
    expect(error.message).toBe('The request has more than 3 values, the limit (MAX_TENSOR_ELEMENTS).');
  });

  it.each([
    ['INT64', INT64, [2 ** 53 - 1], [2 ** 53, 1e30]],
    ['INT32', INT32, [-(2 ** 31), 2 ** 31 - 1], [-(2 ** 31) - 1, 2 ** 31]],
    ['UINT8', UINT8, [0, 255], [-1, 256]],
  ])('is whole numbers of the range of %s where its input is that', async (_, code, good, bad) => {
    const model = buildModel({
      nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [integerAttribute('to', DOUBLE)] })],
      inputs: [tensorValue('x', code, ['n', 1])],
      outputs: [tensorValue('y', DOUBLE, ['n', 1])],
    });
    const inference = await serve({ 'model.onnx': model, 'model.json': regression });
    const output = await inferOutput(inference, rowsInput(good.map((value) => [value])));
    expect(output).toMatchObject({ predictions: good });
    for (const value of [...bad, 0.5]) {
      const error = await rejectionOf(inferOutput(inference, rowsInput([[value]])));
      expect(error.message).toMatch(
        /^Field "instances\[0\]\[0\]" is .*(?:; expected a whole number|send it as an integer with all)/,
      );
    }
  });
});

const DOUBLE = 11;

describe('the output of a classifier', () => {
  const load = (model: Uint8Array, config: object) =>
    serve({
      'model.onnx': model,
      'model.json': JSON.stringify({ task: 'tabular-classification', ...config }),
    });

  it('is one score per class: a model with a single one is refused', async () => {
    const inference = await load(productModel(1, [1, 0, 0]), {});
    expect((await rejectionOf(inferOutput(inference, rowsInput([[1, 2, 3]])))).message).toMatch(
      'its output "y" has 1 score per row, but a classifier needs one per class',
    );
  });

  it('may be the score of the second of two named classes alone, as of a network that ends in one sigmoid', async () => {
    const labels = { labels: ['ham', 'spam'] };
    const single = productModel(1, [1, 0, 0]);
    const probable = await load(single, { ...labels, output: { probabilities: 'y' } });
    expect(
      await inferOutput(
        probable,
        rowsInput([
          [0.75, 0, 0],
          [0.25, 0, 0],
          [0.5, 0, 0],
        ]),
      ),
    ).toMatchObject({
      predictions: [
        { label: 'spam', classId: 1, scores: Float64Array.of(0.25, 0.75) },
        { label: 'ham', classId: 0, scores: Float64Array.of(0.75, 0.25) },
        { label: 'ham', classId: 0, scores: Float64Array.of(0.5, 0.5) },
      ],
    });
    expect((await rejectionOf(inferOutput(probable, rowsInput([[1.5, 0, 0]])))).message).toBe(
      'The model gives 1.5 for two classes; expected the probability of "spam". If this is a logit, add the step "sigmoid" to "postprocess" in its model.json.',
    );
    expect(
      (await rejectionOf(inferOutput(await load(single, labels), rowsInput([[1, 2, 3]])))).message,
    ).toMatch(
      /has one score for two classes, but its graph does not show what it means: if it is a logit, add "postprocess": \[\{"step": "sigmoid"\}\]/,
    );
    const logit = await load(single, { ...labels, postprocess: [{ step: 'sigmoid' }] });
    expect(await inferOutput(logit, rowsInput([[0, 0, 0]]))).toMatchObject({
      predictions: [{ label: 'ham', classId: 0, scores: Float64Array.of(0.5, 0.5) }],
    });
    const certain = await load(single, { ...labels, postprocess: [{ step: 'softmax' }] });
    expect((await rejectionOf(inferOutput(certain, rowsInput([[1, 2, 3]])))).message).toMatch(
      'softmax would always turn it into 1',
    );
  });

  it('is as many scores as labels, also where only a run shows how many there are', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 'columns'])],
      outputs: [tensorValue('y', FLOAT, ['n', 'columns'])],
    });
    const inference = await load(model, { labels: ['no', 'yes'] });
    expect((await rejectionOf(inferOutput(inference, rowsInput([[1, 2, 3]])))).message).toMatch(
      /output "y" has the shape \[1,3\] for 1 instance; a classifier needs \[1,2\]/,
    );
  });

  /** The label is that of the smallest score, so that it cannot be found by the largest one. */
  const labelled = (shape: readonly (string | number)[], ...nodes: Uint8Array[]) =>
    buildModel({
      nodes: [
        buildNode('Identity', ['x'], ['scores']),
        buildNode('ArgMin', ['x'], ['least'], {
          attributes: [integerAttribute('axis', 1), integerAttribute('keepdims', 1)],
        }),
        ...nodes,
      ],
      inputs: [tensorValue('x', FLOAT, ['n', 3])],
      outputs: [tensorValue('label', INT64, shape), tensorValue('scores', FLOAT, ['n', 3])],
    });
  const ROWS = [
    [0.9, 0.04, 0.06],
    [0.1, 0.2, 0.7],
    [0.3, 0.6, 0.1],
  ];

  it.each([
    ['a column', labelled(['n', 1], buildNode('Identity', ['least'], ['label']))],
    ['a column of open width', labelled(['n'], buildNode('Squeeze', ['least'], ['label']))],
    ['a row', labelled([1, 'n'], buildNode('Transpose', ['least'], ['label']))],
  ])('is the label that the graph gives in %s', async (_, model) => {
    const inference = await load(model, {});
    expect(await inferOutput(inference, rowsInput(ROWS))).toMatchObject({
      predictions: [{ classId: 1 }, { classId: 0 }, { classId: 2 }],
    });
  });

  it('is not read from labels that are not one for each row', async () => {
    const model = labelled(
      [1, 'n'],
      buildNode('Concat', ['least', 'least'], ['both'], {
        attributes: [integerAttribute('axis', 0)],
      }),
      buildNode('Transpose', ['both'], ['label']),
    );
    const inference = await load(model, {});
    expect((await rejectionOf(inferOutput(inference, rowsInput(ROWS)))).message).toBe(
      'Model "m" version "1" cannot be loaded: its output "label" has the shape [2,1] for 1 instance; a classifier needs one label for each.',
    );
  });

  it('does not treat whole-number classes as indices of named ones', async () => {
    // The label output says 1, the scores favour index 0: classes may begin at 1.
    const model = buildModel({
      nodes: [
        buildNode('Identity', ['x'], ['scores']),
        buildNode('ArgMin', ['x'], ['label'], {
          attributes: [integerAttribute('axis', 1), integerAttribute('keepdims', 0)],
        }),
      ],
      inputs: [tensorValue('x', FLOAT, ['n', 3])],
      outputs: [tensorValue('label', INT64, ['n']), tensorValue('scores', FLOAT, ['n', 3])],
    });
    const inference = await load(model, { labels: ['one', 'two', 'three'] });
    expect(await inferOutput(inference, rowsInput([[0.9, 0.04, 0.06]]))).toMatchObject({
      predictions: [{ label: 'one', classId: 0 }],
    });
  });
});

describe('a tabular model with several inputs', () => {
  /** Three columns, of strings, floats and whole numbers; it returns the numbers and the length of the string's code. */
  const columns = buildModel({
    nodes: [
      buildNode('LabelEncoder', ['city'], ['code'], {
        domain: 'ai.onnx.ml',
        attributes: [
          stringsAttribute('keys_strings', ['Bern', 'Rome']),
          floatsAttribute('values_floats', [100, 200]),
        ],
      }),
      buildNode('Cast', ['rooms'], ['roomsFloat'], { attributes: [integerAttribute('to', FLOAT)] }),
      buildNode('Concat', ['code', 'area', 'roomsFloat'], ['price'], {
        attributes: [integerAttribute('axis', 1)],
      }),
    ],
    inputs: [
      tensorValue('city', STRING, ['n', 1]),
      tensorValue('area', FLOAT, ['n', 1]),
      tensorValue('rooms', INT64, ['n', 1]),
    ],
    outputs: [tensorValue('price', FLOAT, ['n', 3])],
    opsets: { '': 13, 'ai.onnx.ml': 2 },
  });
  const open = (config: object = {}) =>
    serve({
      'model.onnx': columns,
      'model.json': JSON.stringify({ task: 'tabular-regression', ...config }),
    });

  it('takes rows by the names of the inputs, or in their order', async () => {
    const inference = await open();
    const rows = [['Rome', 55.5, 3], { rooms: 2, city: 'Bern', area: 40 }];
    expect(await inferOutput(inference, rowsInput(rows))).toEqual({
      kind: 'regression',
      predictions: [
        [200, 55.5, 3],
        [100, 40, 2],
      ],
    });
    const { example, features } = await lookAt(
      inference,
      { name: 'm', version: '1' },
      ({ example, task }) => ({
        example,
        features: task.preprocessor?.features?.named,
      }),
    );
    expect(example).toEqual({ features: ['Bern', 0, 0] });
    expect(features).toEqual([
      { name: 'city', type: 'string' },
      { name: 'area', type: 'number' },
      { name: 'rooms', type: 'number' },
    ]);
  });

  it('takes the features of its model.json for the inputs of the same names, in any order', async () => {
    const features = [
      { name: 'rooms', range: [1, 9] },
      { name: 'city', values: ['Bern', 'Rome'] },
      { name: 'area' },
    ];
    const inference = await open({ features });
    expect(await inferOutput(inference, rowsInput([[2, 'Bern', 40]]))).toMatchObject({
      predictions: [[100, 40, 2]],
    });
    const errorOf = async (row: JsonValue) =>
      (await rejectionOf(inferOutput(inference, rowsInput([row])))).message;
    expect(await errorOf([0, 'Bern', 40])).toBe(
      'Field "instances[0][0]" (rooms) is 0; expected a number from 1 to 9.',
    );
    expect(await errorOf({ rooms: 1, city: 'Oslo', area: 1 })).toBe(
      'Field "instances[0].city" is the string "Oslo"; expected one of "Bern", "Rome".',
    );
    expect(await errorOf([1.5, 'Bern', 40])).toMatch('(rooms) is 1.5; expected a whole number');
    expect(await errorOf([1, 2, 40])).toBe(
      'Field "instances[0][1]" (city) is the number 2; expected a string.',
    );
  });

  it('takes features of other names in the order of the inputs', async () => {
    const features = [{ name: 'Stadt' }, { name: 'Fläche' }, { name: 'Zimmer' }];
    const inference = await open({ features });
    const row = { Zimmer: 1, Fläche: 2, Stadt: 'Rome' };
    expect(await inferOutput(inference, rowsInput([row]))).toMatchObject({ predictions: [[200, 2, 1]] });
  });

  it('takes inputs of several columns and inputs without an axis for them', async () => {
    const model = buildModel({
      nodes: [
        buildNode('Unsqueeze', ['b'], ['column'], { attributes: [integersAttribute('axes', [1n])] }),
        buildNode('Concat', ['column', 'a'], ['y'], { attributes: [integerAttribute('axis', 1)] }),
      ],
      inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n'])],
      outputs: [tensorValue('y', FLOAT, ['n', 3])],
      opsets: { '': 11 },
    });
    const inference = await serve({ 'model.onnx': model, 'model.json': regression });
    const output = await inferOutput(
      inference,
      rowsInput([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    expect(output).toMatchObject({
      predictions: [
        [3, 1, 2],
        [6, 4, 5],
      ],
    });
    const error = await rejectionOf(inferOutput(inference, rowsInput([{ a: 1 }])));
    expect(error.message).toBe(
      'Field "instances[0]" is an object with the keys "a"; expected a list of 3 numbers.',
    );
  });

  it('takes texts where its only feature is called text', async () => {
    const inference = await serve({
      'model.onnx': buildModel({
        nodes: [
          buildNode('LabelEncoder', ['text'], ['y'], {
            domain: 'ai.onnx.ml',
            attributes: [stringsAttribute('keys_strings', ['a']), floatsAttribute('values_floats', [5])],
          }),
        ],
        inputs: [tensorValue('text', STRING, ['n', 1])],
        outputs: [tensorValue('y', FLOAT, ['n', 1])],
        opsets: { '': 13, 'ai.onnx.ml': 2 },
      }),
      'model.json': regression,
    });
    expect(await inferOutput(inference, textsInput(['a']))).toMatchObject({ predictions: [5] });
    expect(await inferOutput(inference, rowsInput([{ text: 'a' }, ['a']]))).toMatchObject({
      predictions: [5, 5],
    });
    expect((await rejectionOf(inferOutput(inference, imagesInput([])))).message).toMatch(
      'this model takes features',
    );
  });
});
