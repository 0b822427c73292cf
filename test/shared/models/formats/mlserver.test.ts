import { describe, expect, it } from 'vitest';
import { locateModel } from '../../../../shared/models/formats/locate.ts';
import { recogniseMlserver } from '../../../../shared/models/formats/mlserver.ts';
import { recogniseModel } from '../../../../shared/models/formats/recognise.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const matrix = viewOf([['x', 'FP32', [-1, 2]]], [['y', 'FP32', [-1, 1]]]);
const columns = viewOf(
  [
    ['city', 'BYTES', [-1, 1]],
    ['area', 'FP32', [-1, 1]],
  ],
  [['y', 'FP32', [-1, 1]]],
);
const input = (name: string, shape: readonly number[] = [-1, 1], datatype = 'FP64') => ({
  name,
  datatype,
  shape,
});
const settingsOf = (more: object) => folderOf({ 'model-settings.json': { name: 'm', ...more } });
const recognise = (inputs: readonly object[] | null, view = matrix) =>
  recogniseMlserver(settingsOf({ inputs }), view);

describe('a folder with model-settings.json', () => {
  it('has the columns of its inputs', async () => {
    const features = [
      { name: 'area', type: 'number' },
      { name: 'rooms', type: 'number' },
    ];
    const expected = { task: 'tabular-regression', features };
    expect(await recognise([input('area'), input('rooms')])).toEqual(expected);
    expect(await recognise([input('area', [-1]), input('rooms', [-1])])).toEqual(expected);
    expect(await recognise([input('area'), input('city', [-1, 1], 'BYTES')], columns)).toMatchObject({
      features: [
        { name: 'area', type: 'number' },
        { name: 'city', type: 'string' },
      ],
    });
    expect(await recognise([input('input-0'), input('input-1')])).toEqual({ task: 'tabular-regression' });
  });

  it('is served as its graph says where it names tensors, or no inputs', async () => {
    const given = [null, [], [input('predict', [-1, 2])], [input('any', [-1])], [input('x', [2])]];
    for (const inputs of given) expect(await recognise(inputs)).toEqual({ task: 'tensor' });
    const tensors = [input('city', [-1, 3]), input('area', [-1, 3])];
    const wide = viewOf(
      [
        ['city', 'FP32', [-1, 3]],
        ['area', 'FP32', [-1, -1]],
      ],
      [['y', 'FP32', [-1, 1]]],
    );
    expect(await recognise(tensors, wide)).toEqual({ task: 'tensor' });
  });

  it('may have them next to its versions', async () => {
    const shared = { 'model-settings.json': JSON.stringify({ inputs: [input('a'), input('b')] }) };
    expect(await recogniseMlserver(folderOf({}, shared), matrix)).toMatchObject({
      features: [{ name: 'a' }, { name: 'b' }],
    });
    expect(await recogniseMlserver(folderOf({}), matrix)).toBeUndefined();
  });

  it.each([
    [{ inputs: 1 }, 'its model-settings.json is not valid (inputs: the number 1; expected an array)'],
    [
      { inputs: [input('a'), input('b'), input('c')] },
      'its model-settings.json inputs has 3 columns, but its graph takes 2',
    ],
    [
      { inputs: [input('a'), input('b', [-1, 1], 'BYTES')] },
      'its model-settings.json inputs says that "b" is a BYTES, but its graph takes numbers there',
    ],
    [
      { inputs: [input('predict', [-1, 784])] },
      'its model-settings.json says that "predict" has the shape [-1,784], but its graph takes [-1,2]',
    ],
    [
      { inputs: [input('a', [-1, 2]), input('b', [-1, 2])] },
      'its model-settings.json takes the inputs a, b, but its graph takes x',
    ],
  ])('is refused where it contradicts the graph: %j', async (settings, reason) => {
    expect(await reasonOf(recogniseMlserver(settingsOf(settings), matrix))).toBe(reason);
  });

  it('adds its columns to what another format says', async () => {
    const files = { 'model-settings.json': { inputs: [input('a'), input('b')] } };
    const classifier = viewOf([['x', 'FP32', [-1, 2]]], [['y', 'FP32', [-1, 1]]], {
      regressions: new Set(['y']),
    });
    const folder = folderOf(files, { 'config.pbtxt': 'max_batch_size: 4' });
    expect(await recogniseModel(folder, classifier, KNOWN_TASKS)).toMatchObject({
      format: 'triton',
      config: {
        task: 'tabular-regression',
        maxBatchSize: 4,
        features: [{ name: 'a' }, { name: 'b' }],
      },
    });
  });
});

describe('the graph of a folder with model-settings.json', () => {
  const locate = (uri: string | undefined, ...graphs: readonly string[]) =>
    locateModel(
      folderOf({
        'model-settings.json': { parameters: { uri } },
        ...Object.fromEntries(graphs.map((path) => [path, ''])),
      }),
    );

  it.each([
    ['./net.onnx', 'net.onnx'],
    ['net.onnx', 'net.onnx'],
    ['/mnt/models/net.onnx', 'net.onnx'],
    ['file:///mnt/models/onnx/other.onnx', 'onnx/other.onnx'],
    ['./deep', 'deep/model.onnx'],
    ['.', 'model.onnx'],
    ['./model.joblib', 'model.onnx'],
    ['./gone.joblib', 'model.onnx'],
    ['s3://models/net.onnx', 'model.onnx'],
    ['/srv/net.onnx', 'model.onnx'],
    ['../net.onnx', 'model.onnx'],
    ['C:/net.onnx', 'model.onnx'],
    [undefined, 'model.onnx'],
  ])('is what the uri %s names', async (uri, expected) => {
    const files = [
      'model.onnx',
      'net.onnx',
      'onnx/other.onnx',
      'model.joblib',
      'deep/model.onnx',
      'deep/b.onnx',
    ];
    expect(await locate(uri, ...files)).toBe(expected);
  });

  it('is refused where the uri names one that is not there', async () => {
    expect(await reasonOf(locate('./gone.onnx', 'model.onnx'))).toBe(
      'its model-settings.json names the file "gone.onnx", which does not exist',
    );
  });
});
