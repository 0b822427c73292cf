import { describe, expect, it } from 'vitest';
import { locateModel } from '../../../../shared/models/formats/locate.ts';
import { readMlflowExample, recogniseMlflow } from '../../../../shared/models/formats/mlflow.ts';
import { ModelError } from '../../../../shared/models/model-config.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const FLAVORS = 'flavors:\n  onnx:\n    data: model.onnx\n';
const mlmodel = (inputs: readonly object[]) =>
  `${FLAVORS}signature:\n  inputs: '${JSON.stringify(inputs)}'\n  outputs: null\n`;
const matrix = viewOf([['x', 'FP32', [-1, 2]]], [['y', 'FP32', [-1, 1]]]);
const columns = viewOf(
  [
    ['city', 'BYTES', [-1, 1]],
    ['area', 'FP32', [-1, 1]],
  ],
  [['y', 'FP32', [-1, 1]]],
);
const recognise = (text: string, view = matrix) => recogniseMlflow(folderOf({ MLmodel: text }), view);
const AREA = { type: 'float', name: 'area' };
const CITY = { type: 'string', name: 'city' };

describe('a folder with MLmodel', () => {
  it('has the columns of its signature', async () => {
    const wide = { type: 'double', name: 'b', required: true };
    expect(await recognise(mlmodel([AREA, wide]))).toEqual({
      task: 'tabular-regression',
      features: [
        { name: 'area', type: 'number' },
        { name: 'b', type: 'number' },
      ],
    });
    expect(await recognise(mlmodel([AREA, CITY]), columns)).toMatchObject({
      features: [
        { name: 'area', type: 'number' },
        { name: 'city', type: 'string' },
      ],
    });
    expect(await recognise(mlmodel([{ type: 'float' }, { type: 'float' }]))).toEqual({
      task: 'tabular-regression',
    });
  });

  it('takes tensors where its signature does, or where it has none', async () => {
    const spec = { type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: [-1, 2] } };
    expect(await recognise(mlmodel([spec]))).toEqual({ task: 'tensor' });
    expect(await recognise(FLAVORS)).toEqual({ task: 'tensor' });
    const cube = viewOf([['x', 'FP32', [-1, 2, 3]]], [['y', 'FP32', [-1, 1]]]);
    expect(await recognise(mlmodel([AREA]), cube)).toEqual({ task: 'tensor' });
  });

  it('is not recognised without the file', async () => {
    expect(await recogniseMlflow(folderOf({}), matrix)).toBeUndefined();
  });

  it.each([
    ['flavors: {a: 1}', 'its MLmodel is not valid (flavors.a: the number 1; expected an object)'],
    ['flavors: {a: *b}', 'its MLmodel cannot be read: line 1, column 15: unidentified alias "b"'],
    ['', 'its MLmodel cannot be read: expected a document, but the input is empty'],
    ['a: 1', 'its MLmodel is not valid (flavors: missing; expected an object)'],
    [mlmodel([AREA]), 'its MLmodel signature has 1 columns, but its graph takes 2'],
    [
      mlmodel([AREA, CITY]),
      'its MLmodel signature says that "city" is a string, but its graph takes numbers there',
    ],
    [
      mlmodel([{ type: 'tensor', name: 'z', 'tensor-spec': {} }]),
      'its MLmodel signature takes the inputs z, but its graph takes x',
    ],
    [`${FLAVORS}signature:\n  inputs: '{'\n`, 'its MLmodel signature is not valid JSON at line 1, column 2'],
  ])('is refused: %j', async (text, reason) => {
    expect(await reasonOf(recognise(text))).toBe(reason);
  });

  it('is refused when its columns are not the inputs of the graph', async () => {
    expect(await reasonOf(recognise(mlmodel([AREA, { ...CITY, name: 'town' }]), columns))).toBe(
      'its MLmodel signature takes the inputs area, town, but its graph takes city, area',
    );
  });
});

describe('the input example', () => {
  const withExample = (content: object | string) =>
    folderOf({
      MLmodel: `${mlmodel([AREA, CITY])}saved_input_example_info:\n  artifact_path: input_example.json\n  type: dataframe\n`,
      'input_example.json': content,
    });
  const config = { task: 'tabular-regression' as const, features: [{ name: 'area' }, { name: 'city' }] };

  it('is the first row, in both forms that MLflow writes', async () => {
    const row = { features: { area: 1.5, city: 'Bern' } };
    const split = withExample({
      columns: ['area', 'city'],
      data: [
        [1.5, 'Bern'],
        [2, 'Rome'],
      ],
    });
    expect(await readMlflowExample(split, config)).toEqual(row);
    expect(await readMlflowExample(withExample([{ area: 1.5, city: 'Bern' }]), config)).toEqual(row);
  });

  it('is not an example when it is something else', async () => {
    expect(await readMlflowExample(withExample('{'), config)).toBeUndefined();
    expect(await readMlflowExample(withExample({ inputs: [1] }), config)).toBeUndefined();
    expect(await readMlflowExample(withExample([{ area: 1 }]), { task: 'tensor' })).toBeUndefined();
    const folder = withExample([]);
    const read = async (path: string) => {
      if (path === 'input_example.json') throw new ModelError('its input_example.json is too large');
      return await folder.read(path);
    };
    expect(await readMlflowExample({ ...folder, read }, config)).toBeUndefined();
  });
});

describe('locateModel', () => {
  it.each([
    [['model.onnx'], undefined, 'model.onnx'],
    [['onnx/model.onnx', 'config.json'], undefined, 'onnx/model.onnx'],
    [['model.onnx', 'onnx/model.onnx'], undefined, 'model.onnx'],
    [['graphs/a.onnx'], 'flavors:\n  onnx:\n    data: graphs/a.onnx', 'graphs/a.onnx'],
    [['model.onnx'], 'flavors:\n  sklearn:\n    pickled_model: model.pkl', 'model.onnx'],
    [['model.onnx'], 'flavors:\n  onnx:\n    code: null', 'model.onnx'],
  ])('finds the graph among %j', async (files, mlmodel, expected) => {
    const contents = Object.fromEntries(files.map((file) => [file, '']));
    const folder = folderOf({ ...contents, ...(mlmodel === undefined ? {} : { MLmodel: mlmodel }) });
    expect(await locateModel(folder)).toBe(expected);
  });

  it.each([
    [
      'flavors:\n  sklearn:\n    pickled_model: model.pkl\n  python_function: {}',
      'its MLmodel has the flavors sklearn, python_function; only models of the flavor onnx can be served',
    ],
    [
      'flavors:\n  onnx:\n    data: other.onnx',
      'its MLmodel names the file "other.onnx", which does not exist',
    ],
    [
      'flavors:\n  onnx:\n    data: ../a.onnx',
      'its MLmodel names the file "../a.onnx", which does not exist',
    ],
    [undefined, 'it has none of the files *.onnx, onnx/*.onnx, MLmodel, MAR-INF/MANIFEST.json'],
  ])('says what is missing: %j', async (mlmodel, reason) => {
    expect(await reasonOf(locateModel(folderOf(mlmodel === undefined ? {} : { MLmodel: mlmodel })))).toBe(
      reason,
    );
  });
});
