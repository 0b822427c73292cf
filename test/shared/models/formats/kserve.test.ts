import { describe, expect, it } from 'vitest';
import { readInferenceService, recogniseKserve } from '../../../../shared/models/formats/kserve.ts';
import { locateModel } from '../../../../shared/models/formats/locate.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const view = viewOf([['x', 'FP32', [-1, 2]]], [['y', 'FP32', [-1, 1]]], { regressions: new Set(['y']) });
const serviceOf = (predictor: object, name = 'm') =>
  `apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: ${name}}\nspec: {predictor: ${JSON.stringify(predictor)}}\n`;
const model = { modelFormat: { name: 'sklearn' }, protocolVersion: 'v2', storageUri: 's3://b/m/net.onnx' };

describe('a folder with an InferenceService', () => {
  it('has the values of its predictor, in the current form and in the earlier one', async () => {
    const said = {
      name: 'm',
      modelFormat: 'sklearn',
      protocolVersion: 'v2',
      storageUri: 's3://b/m/net.onnx',
    };
    expect(await readInferenceService(folderOf({ 'a.yaml': serviceOf({ model }) }))).toEqual({
      ...said,
      file: 'a.yaml',
    });
    const { modelFormat: _, ...legacy } = model;
    expect(await readInferenceService(folderOf({ 'a.yml': serviceOf({ sklearn: legacy }) }))).toEqual({
      ...said,
      file: 'a.yml',
    });
    expect(await readInferenceService(folderOf({ 'a.yaml': 'kind: InferenceService' }))).toMatchObject({
      modelFormat: undefined,
    });
  });

  it('is one among other resources and files', async () => {
    const text = `kind: ServiceAccount\n--- # and\n${serviceOf({ model })}---\nkind: Secret\n`;
    const folder = folderOf({
      'conda.yaml': 'name: x',
      'all.yaml': text,
      'k8s/b.yaml': serviceOf({ model }),
    });
    expect(await readInferenceService(folder)).toMatchObject({ file: 'all.yaml' });
    expect(await recogniseKserve(folder, view)).toEqual({ task: 'tabular-regression' });
    expect(await recogniseKserve(folderOf({ 'conda.yaml': 'name: x' }), view)).toBeUndefined();
  });

  it.each([
    [
      { 'a.yaml': serviceOf({ model }), 'b.yaml': serviceOf({ model }) },
      'it has 2 InferenceServices in a.yaml and b.yaml; expected only the one of this model',
    ],
    [
      { 'a.yaml': 'kind: InferenceService\nspec: {predictor: {model: 1}}' },
      'its a.yaml is not valid (spec.predictor.model: the number 1; expected an object)',
    ],
    [
      { 'a.yaml': 'kind: InferenceService\nspec: {{ .Values.spec }}' },
      /^its a\.yaml (?:cannot be read|is not valid)/,
    ],
  ])('is refused: %j', async (files, reason) => {
    const given = await reasonOf(recogniseKserve(folderOf(files), view));
    if (typeof reason === 'string') expect(given).toBe(reason);
    else expect(given).toMatch(reason);
  });
});

describe('the graph of a folder with an InferenceService', () => {
  const locate = (storageUri: string, ...graphs: readonly string[]) =>
    locateModel(
      folderOf({
        'a.yaml': serviceOf({ model: { ...model, storageUri } }),
        ...Object.fromEntries(graphs.map((path) => [path, ''])),
      }),
    );

  it('is the one of several that the storageUri ends in', async () => {
    expect(await locate('s3://b/m/net.onnx', 'net.onnx', 'other.onnx')).toBe('net.onnx');
    expect(await locate('https://b/m/net.onnx?sig=1', 'onnx/net.onnx', 'other.onnx')).toBe('onnx/net.onnx');
    expect(await locate('pvc://claim/gone.onnx', 'only.onnx')).toBe('only.onnx');
  });

  it('is not guessed where the storageUri names none of them, or two', async () => {
    const several = /^it has several graphs: /;
    expect(await reasonOf(locate('s3://b/m', 'net.onnx', 'other.onnx'))).toMatch(several);
    expect(await reasonOf(locate('s3://b/net.onnx', 'net.onnx', 'onnx/net.onnx'))).toMatch(several);
  });
});
