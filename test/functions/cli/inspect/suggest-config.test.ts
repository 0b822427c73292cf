import { describe, expect, it } from 'vitest';
import { suggestConfig } from '../../../../functions/cli/inspect/suggest-config.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';

function suggest(
  input: readonly (number | string)[],
  output: readonly (number | string)[],
  datatype = 'FP32',
  probabilities: readonly string[] = [],
) {
  const inputs = [{ name: 'x', datatype, shape: input }];
  const outputs = [{ name: 'y', datatype: 'FP32', shape: output }];
  return suggestConfig(
    { inputs, outputs },
    { probabilities: new Set(probabilities), metadata: [] },
    'a/model.json',
  );
}

describe('suggestConfig', () => {
  it.each([
    [['n', 3, 32, 48], 'NCHW', 48, 32],
    [['n', 32, 48, 3], 'NHWC', 48, 32],
    [[1, 3, 'h', 'w'], 'NCHW', 224, 224],
    [['n', '?', '?', 3], 'NHWC', 224, 224],
  ])('takes %j for pictures in %s of %i x %i', (shape, layout, width, height) => {
    const { model_json } = suggest(shape, ['n', 4]) ?? {};
    expect(KNOWN_TASKS.parse(JSON.stringify(model_json))).toMatchObject({
      task: 'image-classification',
      labels: ['class 0', 'class 1', 'class 2', 'class 3'],
      preprocess: expect.arrayContaining([
        expect.objectContaining({ step: 'resize', width, height }),
        { step: 'layout', layout },
      ]),
      postprocess: [{ step: 'softmax' }],
    });
  });

  it('has no softmax where the graph ends in one', () => {
    const { model_json } = suggest(['n', 3, 32, 48], ['n', 4], 'FP32', ['y']) ?? {};
    expect(model_json).toMatchObject({ task: 'image-classification' });
    expect(model_json).not.toHaveProperty('postprocess');
  });

  it('leaves many labels to a file of their own', () => {
    const { model_json, note } = suggest(['n', 3, 32, 32], ['n', 1000]) ?? {};
    expect(model_json).not.toHaveProperty('labels');
    expect(note).toMatch(/save this as a\/model\.json; the mean and std .* labels\.txt with 1000 lines/);
  });

  it.each([
    ['bytes', ['n', 3, 32, 32], ['n', 4], 'UINT8'],
    ['grey pictures', ['n', 1, 32, 32], ['n', 4], 'FP32'],
    ['rows', ['n', 4], ['n', 4], 'FP32'],
    ['feature maps', ['n', 3, 32, 32], ['n', 4, 8, 8], 'FP32'],
    ['single numbers', ['n', 3, 32, 32], ['n', 1], 'FP32'],
  ])('says nothing of %s', (_, input, output, datatype) => {
    expect(suggest(input, output, datatype)).toBeUndefined();
  });

  it('repeats the labels that the model has already, however many', () => {
    const known = Array.from({ length: 12 }, (_, index) => `name ${index}`);
    const inputs = [{ name: 'x', datatype: 'FP32', shape: ['n', 3, 32, 32] }];
    const outputs = [{ name: 'y', datatype: 'FP32', shape: ['n', 12] }];
    const graph = { probabilities: new Set<string>(), metadata: [] };
    const { model_json, note } = suggestConfig({ inputs, outputs }, graph, 'a/model.json', known) ?? {};
    expect(model_json).toMatchObject({ labels: known });
    expect(note).toMatch(/and the labels are those it has already \(all of them with --json\)$/);
  });

  it('names the columns of a table as the metadata do', () => {
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
    expect(KNOWN_TASKS.parse(JSON.stringify(model_json))).toEqual({
      task: 'tabular-regression',
      features: [{ name: 'age' }, { name: 'height' }],
    });
    expect(note).toBe(
      'if it predicts a number for each row, save this as a/model.json; the names of the columns are those of its metadata',
    );
    expect(table('["age", "height"]', ['n'])).toBeDefined();
    expect(table('["age", "height"]', ['n', 3])).toBeUndefined();
    expect(table('["age"]', ['n', 1])).toBeUndefined();
  });
});
