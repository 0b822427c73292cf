import { describe, expect, it } from 'vitest';
import { suggestConfig } from '../../../../functions/cli/inspect/suggest-config.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';

function suggest(
  input: readonly (number | string)[],
  output: readonly (number | string)[],
  datatype = 'FP32',
  probabilities: readonly string[] = [],
  given = 'FP32',
) {
  const inputs = [{ name: 'x', datatype, shape: input }];
  const outputs = [{ name: 'y', datatype: given, shape: output }];
  return suggestConfig(
    { inputs, outputs },
    { probabilities: new Set(probabilities), metadata: [] },
    'a/model.json',
  );
}

const COLUMNS = [{ name: 'column 0' }, { name: 'column 1' }];
const CLASSES = {
  task: 'tabular-classification',
  features: COLUMNS,
  labels: ['class 0', 'class 1', 'class 2'],
};

describe('suggestConfig', () => {
  it.each([
    [['n', 3, 32, 48], 'NCHW', 48, 32],
    [['n', 32, 48, 3], 'NHWC', 48, 32],
    [[1, 3, 'h', 'w'], 'NCHW', 224, 224],
    [['n', '?', '?', 3], 'NHWC', 224, 224],
  ])('reads %j as pictures in %s of %i x %i', async (shape, layout, width, height) => {
    const { model_json } = suggest(shape, ['n', 4]) ?? {};
    expect(await KNOWN_TASKS.parse(JSON.stringify(model_json))).toMatchObject({
      task: 'image-classification',
      labels: ['class 0', 'class 1', 'class 2', 'class 3'],
      preprocess: expect.arrayContaining([
        expect.objectContaining({ step: 'resize', width, height }),
        { step: 'layout', layout },
      ]),
      postprocess: [{ step: 'softmax' }],
    });
  });

  it('has no softmax if the graph ends in one', () => {
    const { model_json } = suggest(['n', 3, 32, 48], ['n', 4], 'FP32', ['y']) ?? {};
    expect(model_json).toMatchObject({ task: 'image-classification' });
    expect(model_json).not.toHaveProperty('postprocess');
  });

  it('leaves many labels to a separate file', () => {
    const { model_json, note } = suggest(['n', 3, 32, 32], ['n', 1000]) ?? {};
    expect(model_json).not.toHaveProperty('labels');
    expect(note).toMatch(/save this as a\/model\.json; the mean and std .* labels\.txt with 1000 lines/);
  });

  it.each([
    ['bytes', ['n', 3, 32, 32], ['n', 4], 'UINT8'],
    ['tokens', ['n', 128], ['n', 4], 'INT64'],
    ['rows of any length', ['n', 'm'], ['n', 4], 'FP32'],
    ['sequences', ['n', 10, 4], ['n', 4], 'FP32'],
    ['signals of one channel', ['n', 1, 1, 500], ['n', 4], 'FP32'],
    ['signals in the other layout', ['n', 500, 1, 1], ['n', 4], 'FP32'],
    ['several channels', ['n', 5, 32, 32], ['n', 4], 'FP32'],
    ['whole numbers out', ['n', 4], ['n', 4], 'FP32', 'INT64'],
    ['feature maps', ['n', 3, 32, 32], ['n', 4, 8, 8], 'FP32'],
    ['single numbers', ['n', 3, 32, 32], ['n', 1], 'FP32'],
  ])('suggests nothing for %s', (_, input, output, datatype, given = 'FP32') => {
    expect(suggest(input, output, datatype, [], given)).toBeUndefined();
  });

  it.each([
    [['n', 1, 28, 28], 'NCHW', 28, 28],
    [['n', 28, 28, 1], 'NHWC', 28, 28],
    [['n', 1, 32, 48], 'NCHW', 48, 32],
    [[1, 1, 'h', 'w'], 'NCHW', 224, 224],
    [['n', 64, 48, 1], 'NHWC', 48, 64],
  ])('reads %j as grey pictures in %s of %i x %i', async (shape, layout, width, height) => {
    const { model_json, note } = suggest(shape, ['n', 10]) ?? {};
    expect(await KNOWN_TASKS.parse(JSON.stringify(model_json))).toMatchObject({
      task: 'image-classification',
      labels: expect.arrayContaining(['class 0', 'class 9']),
      preprocess: [
        { step: 'decode', decode: 'exact' },
        { step: 'convert', mode: 'grey' },
        { step: 'resize', width, height, filter: 'bilinear' },
        { step: 'rescale', scale: 1 / 255 },
        { step: 'layout', layout },
      ],
      postprocess: [{ step: 'softmax' }],
    });
    expect(note).toBe(
      'if it classifies images, save this as a/model.json; the values go from 0 to 1; if training normalised them, add a step "normalize"; choose the labels',
    );
  });

  it.each<[string, readonly (number | string)[], readonly (number | string)[], boolean, object]>([
    ['logits', ['n', 2], ['n', 3], false, { ...CLASSES, postprocess: [{ step: 'softmax' }] }],
    ['probabilities', ['n', 2], ['n', 3], true, { ...CLASSES, postprocess: [] }],
    [
      'one probability',
      ['n', 2],
      ['n', 1],
      true,
      { ...CLASSES, labels: ['class 0', 'class 1'], postprocess: [] },
    ],
    ['one number', ['n', 2], ['n', 1], false, { task: 'tabular-regression', features: COLUMNS }],
    ['a number without an axis', [1, 2], [1], false, { task: 'tabular-regression', features: COLUMNS }],
    ['one number of many columns', ['n', 100], ['n', 1], false, { task: 'tabular-regression' }],
  ])(
    'recognises a network on a table that gives %s',
    async (_, input, output, areProbabilities, expected) => {
      const { model_json } = suggest(input, output, 'FP32', areProbabilities ? ['y'] : []) ?? {};
      expect(await KNOWN_TASKS.parse(JSON.stringify(model_json))).toEqual(expected);
    },
  );

  it('says what to check for a table', () => {
    expect(suggest(['n', 2], ['n', 3])?.note).toBe(
      'if it classifies the rows of a table, save this as a/model.json; choose the names of the columns, in the order of training; choose the labels; if it predicts numbers, use the "task" "tabular-regression" with "features" only',
    );
    expect(suggest(['n', 100], ['n', 1])?.note).toBe(
      'if it predicts a number for each row, save this as a/model.json; "features" can name its 100 columns; without them rows are lists',
    );
  });

  it('reads several inputs of one column as a table with names', () => {
    const inputs = ['age', 'height'].map((name) => ({ name, datatype: 'FP32', shape: ['n', 1] }));
    const outputs = [{ name: 'y', datatype: 'FP32', shape: ['n', 1] }];
    const graph = { probabilities: new Set<string>(), metadata: [] };
    const { model_json } = suggestConfig({ inputs, outputs }, graph, 'a/model.json') ?? {};
    expect(model_json).toEqual({
      task: 'tabular-regression',
      features: [{ name: 'age' }, { name: 'height' }],
    });
  });

  it('repeats all labels that the model has already', () => {
    const known = Array.from({ length: 12 }, (_, index) => `name ${index}`);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: ['n', 3, 32, 32] }];
    const outputs = [{ name: 'y', datatype: 'FP32', shape: ['n', 12] }];
    const graph = { probabilities: new Set<string>(), metadata: [] };
    const { model_json, note } = suggestConfig({ inputs, outputs }, graph, 'a/model.json', known) ?? {};
    expect(model_json).toMatchObject({ labels: known });
    expect(note).toMatch(/; the labels are those of the model \(all of them with --json\)$/);
  });

  it('names the columns of a table as in the metadata', async () => {
    const table = (value: string, output: readonly (number | string)[]) =>
      suggestConfig(
        {
          inputs: [{ name: 'X', datatype: 'FP64', shape: ['n', 2] }],
          outputs: [{ name: 'Y', datatype: 'FP64', shape: output }],
        },
        { probabilities: new Set(), metadata: [{ key: 'feature_names', value, bytes: value.length }] },
        'a/model.json',
      );
    const { model_json, note } = table('["age", "height"]', ['n', 1]) ?? {};
    expect(await KNOWN_TASKS.parse(JSON.stringify(model_json))).toEqual({
      task: 'tabular-regression',
      features: [{ name: 'age' }, { name: 'height' }],
    });
    expect(note).toBe(
      'if it predicts a number for each row, save this as a/model.json; the names of the columns come from its metadata',
    );
    expect(table('["age", "height"]', ['n'])).toBeDefined();
    expect(table('["age", "height"]', ['n', 3])?.model_json).toMatchObject({
      task: 'tabular-classification',
      features: [{ name: 'age' }, { name: 'height' }],
    });
    expect(table('["age"]', ['n', 1])?.note).toContain('choose the names of the columns');
  });
});
