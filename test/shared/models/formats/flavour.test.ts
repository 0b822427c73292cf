import { describe, expect, it } from 'vitest';
import { findFlavour } from '../../../../shared/models/formats/flavour.ts';
import { recogniseModel } from '../../../../shared/models/formats/recognise.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, viewOf } from './make-folder-view.ts';

function mlmodelOf(...flavors: readonly string[]) {
  const data = { data: 'model.onnx' };
  return folderOf({ MLmodel: { flavors: Object.fromEntries(flavors.map((name) => [name, data])) } });
}

describe('the flavour of a folder', () => {
  it.each([
    [['onnx', 'python_function'], 'mlflow-onnx'],
    [['python_function', 'sklearn'], 'sklearn'],
    [['python_function', 'sklearn', 'onnx'], 'sklearn'],
    [['xgboost', 'python_function'], 'xgboost'],
    [['keras', 'python_function'], 'tensorflow'],
    [['sentence_transformers', 'onnx'], 'transformers'],
    [['python_function'], undefined],
    [['spark', 'python_function'], undefined],
  ])('of the flavors %j in MLmodel is %s', async (flavors, expected) => {
    expect(await findFlavour(mlmodelOf(...flavors))).toBe(expected);
  });

  it('is not known of a folder without such files', async () => {
    expect(await findFlavour(folderOf({ 'model.onnx': '' }))).toBeUndefined();
  });

  it('is told of a model that was recognised', async () => {
    const view = viewOf([['x', 'FP32', [-1, 3]]], [['y', 'FP32', [-1, 1]]]);
    expect(await recogniseModel(mlmodelOf('onnx', 'sklearn'), view, KNOWN_TASKS)).toMatchObject({
      format: 'mlflow',
      flavour: 'sklearn',
    });
  });
});
