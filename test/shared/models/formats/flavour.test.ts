import { describe, expect, it } from 'vitest';
import { findFlavour } from '../../../../shared/models/formats/flavour.ts';
import { recogniseModel } from '../../../../shared/models/formats/recognise.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

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

  it.each([
    ['xgboost', { model_class: 'xgboost.core.Booster' }, 'booster'],
    ['xgboost', { model_class: 'xgboost.sklearn.XGBClassifier' }, 'xgboost'],
    ['lightgbm', { model_class: 'lightgbm.basic.Booster' }, 'booster'],
    ['lightgbm', { model_class: 'lightgbm.sklearn.LGBMRegressor' }, 'lightgbm'],
    ['catboost', { model_type: 'CatBoost' }, 'catboost-raw'],
    ['catboost', { model_type: 'CatBoostClassifier' }, 'catboost'],
    ['sklearn', { model_class: 'some.Booster' }, 'sklearn'],
  ])('of the flavor %s with %j in MLmodel is %s', async (name, members, expected) => {
    const MLmodel = { flavors: { python_function: {}, [name]: members } };
    expect(await findFlavour(folderOf({ MLmodel }))).toBe(expected);
  });

  it('of a booster is not another one than that of its library', async () => {
    const view = viewOf([['x', 'FP32', [-1, 3]]], [['y', 'FP32', [-1, 1]]]);
    const files = {
      'model-settings.json': { implementation: 'mlserver_xgboost.XGBoostModel' },
      MLmodel: { flavors: { xgboost: { model_class: 'xgboost.core.Booster' } } },
    };
    expect(await recogniseModel(folderOf(files), view, KNOWN_TASKS)).toMatchObject({ flavour: 'xgboost' });
  });

  it.each([
    ['mlserver_sklearn.SKLearnModel', 'sklearn'],
    ['mlserver_xgboost.xgboost.XGBoostModel', 'xgboost'],
    ['mlserver_lightgbm.LightGBMModel', 'lightgbm'],
    ['mlserver_catboost.CatboostModel', 'catboost'],
    ['mlserver_huggingface.HuggingFaceRuntime', 'transformers'],
    ['mlserver_mlflow.MLflowRuntime', undefined],
    ['models.MyRuntime', undefined],
  ])('of the implementation %s of MLServer is %s', async (implementation, expected) => {
    expect(await findFlavour(folderOf({ 'model-settings.json': { implementation } }))).toBe(expected);
    const shared = { 'model-settings.json': JSON.stringify({ implementation }) };
    expect(await findFlavour(folderOf({}, shared))).toBe(expected);
  });

  it.each([
    ['sklearn', 'sklearn'],
    ['xgboost', 'xgboost'],
    ['huggingface', 'transformers'],
    ['tensorflow', 'tensorflow'],
    ['onnx', undefined],
    ['triton', undefined],
    ['mlflow', undefined],
  ])('of the modelFormat %s of KServe is %s', async (name, expected) => {
    const predictor = { model: { modelFormat: { name } } };
    const text = `kind: InferenceService\nspec: {predictor: ${JSON.stringify(predictor)}}\n`;
    expect(await findFlavour(folderOf({ 'service.yaml': text }))).toBe(expected);
  });

  it('of a runtime for all of MLflow is that of MLmodel', async () => {
    const files = {
      'model-settings.json': { implementation: 'mlserver_mlflow.MLflowRuntime' },
      MLmodel: { flavors: { lightgbm: null } },
    };
    expect(await findFlavour(folderOf(files))).toBe('lightgbm');
  });

  it('is not guessed where two files name different ones', async () => {
    const view = viewOf([['x', 'FP32', [-1, 3]]], [['y', 'FP32', [-1, 1]]]);
    const files = {
      'model-settings.json': { implementation: 'mlserver_xgboost.XGBoostModel' },
      'service.yaml': 'kind: InferenceService\nspec: {predictor: {sklearn: {}}}',
    };
    expect(await reasonOf(recogniseModel(folderOf(files), view, KNOWN_TASKS))).toBe(
      'its model-settings.json names xgboost, its service.yaml names sklearn: remove the wrong file, or write a model.json',
    );
  });

  it('is not known of a folder without such files', async () => {
    expect(await findFlavour(folderOf({ 'model.onnx': '' }))).toBeUndefined();
  });

  it('is known of a model that was recognised', async () => {
    const view = viewOf([['x', 'FP32', [-1, 3]]], [['y', 'FP32', [-1, 1]]]);
    expect(await recogniseModel(mlmodelOf('onnx', 'sklearn'), view, KNOWN_TASKS)).toMatchObject({
      format: 'mlflow',
      flavour: 'sklearn',
    });
  });
});
