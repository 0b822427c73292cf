import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../../shared/inference/load-model.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import {
  type Axis,
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  identityModel,
  sequenceValue,
  tensorValue,
} from '../../support/build-model.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { MODELS } from '../../support/project.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { makeTrials } from '../../support/trials.ts';
import { folderOf } from './folder-of.ts';

const read = (path: string) => readFileSync(join(MODELS, path));
const irisModel = read('iris/2/model.onnx');
const irisConfig = JSON.parse(read('iris/2/model.json').toString());
const digitsModel = read('digits/1/model.onnx');
const digitsConfig = JSON.parse(read('digits/1/model.json').toString());

async function load(model: Uint8Array | string, config?: object) {
  const path = await makeFolder({ 'model.onnx': model });
  const warmUpErrors: unknown[] = [];
  const loaded = await loadModel(
    { name: 'm', version: '1' },
    {
      ...folderOf(path),
      sizeBytes: 123,
      config: config && (await KNOWN_TASKS.parse(JSON.stringify(config))),
    },
    {
      tasks: KNOWN_TASKS,
      openSession: openModelFile,
      intraOpThreads: 1,
      trials: makeTrials(),
      onWarmUpError: (error) => warmUpErrors.push(error),
    },
  );
  await loaded.release();
  return { ...loaded, warmUpErrors };
}

/** The reason why a model cannot be served, with a check that it reveals nothing internal. */
async function reasonOf(model: Uint8Array | string, config?: object): Promise<string> {
  const error = await load(model, config).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ModelError)) expect.fail(`expected a ModelError, but got ${error}`);
  expect(error.message).not.toMatch(/\/tmp|\/onnxruntime|\.cc|model\.onnx failed/);
  return error.message;
}

describe('loadModel', () => {
  it.each([
    ['with the model', irisModel, ['loaded', 'released']],
    ['when it cannot be loaded', 'nonsense', ['released']],
  ])('releases the folder %s', async (_, model, expected) => {
    const path = await makeFolder({ 'model.onnx': model });
    const events: string[] = [];
    const release = async () => {
      events.push('released');
    };
    const folder = {
      ...folderOf(path),
      config: await KNOWN_TASKS.parse(JSON.stringify(irisConfig)),
      release,
    };
    const options = {
      tasks: KNOWN_TASKS,
      openSession: openModelFile,
      intraOpThreads: 1,
      trials: makeTrials(),
      onWarmUpError: () => undefined,
    };
    const loaded = await loadModel({ name: 'm', version: '1' }, folder, options).catch(() => undefined);
    if (loaded) events.push('loaded');
    await loaded?.release();
    expect(events).toEqual(expected);
  });

  it('gives the model with its config, its contract, its size and an example', async () => {
    const model = await load(irisModel, irisConfig);
    expect(model.reference).toEqual({ name: 'm', version: '1' });
    expect(model.sizeBytes).toBe(123);
    expect(model.config.task).toBe('tabular-classification');
    expect(model.session.inputs).toEqual([
      { name: 'features', datatype: 'FP32', shape: [-1, 4], axes: ['batch', 4], batchAxis: 0 },
    ]);
    expect(model.task.labels).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(model.example).toEqual({ features: [10, 10, 10, 10] });
  });

  it('serves a model without model.json as one of tensors', async () => {
    const model = await load(irisModel);
    expect(model.config).toEqual({ task: 'tensor' });
    expect(model.example).toEqual({ inputs: { features: [[0, 0, 0, 0]] } });
    expect(model.warmUpErrors).toEqual([]);
  });

  it('recognises a scikit-learn classifier without model.json', async () => {
    const model = await load(read('iris/1/model.onnx'));
    expect(model.config.task).toBe('tabular-classification');
    expect(model.task.labels).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(model.session.outputs.map(({ datatype }) => datatype)).toEqual(['BYTES', 'FP32']);
  });

  it('loads a model though made-up input does not suit it, and reports that', async () => {
    const product = buildModel({
      nodes: [buildNode('MatMul', ['x', 'weights'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 'width'])],
      outputs: [tensorValue('y', FLOAT, ['n', 1])],
      initializers: [floatInitializer('weights', [5, 1], [1, 1, 1, 1, 1])],
    });
    for (const config of [undefined, { task: 'tabular-regression' }]) {
      const { warmUpErrors } = await load(product, config);
      expect(warmUpErrors.map(String)).toEqual([expect.stringContaining('dimension mismatch')]);
    }
  });
});

describe('a file that is not a model', () => {
  it.each([
    ['an empty file', '', 'its model.onnx is empty'],
    ['an HTML page', '<!DOCTYPE html>\n<html><body>Not Found</body></html>', 'is a web page'],
    ['XML', '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', 'is a web page'],
    [
      'a Git LFS pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n',
      'run git lfs pull',
    ],
    ['JSON', '{"message": "Access denied"}', 'not an ONNX file'],
    ['a pickle', Uint8Array.of(0x80, 0x04, 0x95, 0, 1, 2, 3), 'not an ONNX file'],
    ['a message without a graph', Uint8Array.of(0x08, 0x08), 'its model.onnx holds no graph'],
  ])('is refused: %s', async (_, content, reason) => {
    expect(await reasonOf(content)).toMatch(reason);
  });

  it('is refused wherever a model is cut off', async () => {
    for (const share of [0.01, 0.1, 0.5, 0.9, 0.999]) {
      const cut = irisModel.subarray(0, Math.floor(irisModel.length * share));
      expect(await reasonOf(cut, irisConfig)).toMatch(/truncated|holds no graph|damaged/);
    }
  });

  it('is refused when the file is missing', async () => {
    const path = await makeFolder({});
    const loaded = loadModel({ name: 'm', version: '1' }, folderOf(path, []), {
      tasks: KNOWN_TASKS,
      openSession: openModelFile,
      intraOpThreads: 1,
      trials: makeTrials(),
      onWarmUpError: () => undefined,
    });
    await expect(loaded).rejects.toThrow('ENOENT');
  });
});

describe('a model that does not fit its model.json', () => {
  const forest = { task: 'tabular-classification' };

  it('has another number of features', async () => {
    const features = irisConfig.features.slice(0, 3);
    expect(await reasonOf(irisModel, { ...irisConfig, features })).toBe(
      'its model.json names 3 features, but its input takes 4',
    );
  });

  it('has another number of labels', async () => {
    expect(await reasonOf(irisModel, { ...irisConfig, labels: ['a', 'b'] })).toBe(
      'its model.json names 2 labels, output "logits" has 3 scores',
    );
  });

  it('has no output of that name', async () => {
    expect(await reasonOf(irisModel, { ...irisConfig, output: 'scores' })).toBe(
      `its model.json names the output "scores", but the graph's outputs are: logits`,
    );
    expect(await reasonOf(irisModel, { task: 'tabular-regression', output: 'scores' })).toBe(
      'its model.json must name the "output" that holds the prediction: one of logits',
    );
  });

  it('has several outputs that could hold the scores', async () => {
    const model = buildModel({
      nodes: [buildNode('Neg', ['x'], ['a']), buildNode('Abs', ['x'], ['b'])],
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', 2])],
    });
    expect(await reasonOf(model, forest)).toBe(
      'its model.json must name the "output" that holds the scores: one of a, b',
    );
    expect(await reasonOf(model, { task: 'tabular-regression' })).toContain(
      'the "output" that holds the prediction: one of a, b',
    );
  });

  it('has inputs that are not columns', async () => {
    expect(await reasonOf(identityModel(FLOAT, ['n', 2, 3]), forest)).toBe(
      'a tabular model takes columns or a matrix of them, but its input "x" is FP32 [-1,2,3]',
    );
    expect(await reasonOf(identityModel(FLOAT, []), forest)).toContain('its input "x" is FP32 []');
    const inputs = (width: Axis) =>
      buildModel({
        nodes: [buildNode('Add', ['a', 'b'], ['y'])],
        inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['n', width])],
        outputs: [tensorValue('y', FLOAT, ['n', 2])],
      });
    expect(await reasonOf(inputs('width'), forest)).toBe(
      'a tabular model with several inputs must say how many columns each has, but its input "b" is [-1,-1]',
    );
    expect(await reasonOf(inputs(2), digitsConfig)).toBe('an image model has one input, but its graph has 2');
  });

  it('has features of another type', async () => {
    const config = (feature: object) => ({ task: 'tabular-regression', features: [feature] });
    const numbers = identityModel(FLOAT, ['n', 1]);
    const reason =
      'its model.json has other values for the feature "a" than its input "x", which takes numbers';
    expect(await reasonOf(numbers, config({ name: 'a', type: 'string' }))).toBe(reason);
    expect(await reasonOf(numbers, config({ name: 'a', values: [1, 'b'] }))).toBe(reason);
  });

  it('takes images of another shape than the steps make', async () => {
    const [convert, resize, ...others] = digitsConfig.preprocess;
    const large = { ...resize, width: 9 };
    expect(await reasonOf(digitsModel, { ...digitsConfig, preprocess: [convert, large, ...others] })).toBe(
      'its preprocess steps make images of shape [N,1,8,9], but its input "image" takes FP32 [-1,1,8,8]',
    );
    const colour = { step: 'convert', mode: 'RGB' };
    expect(
      await reasonOf(digitsModel, { ...digitsConfig, preprocess: [colour, resize, ...others] }),
    ).toContain('[N,3,8,8], but its input "image" takes FP32 [-1,1,8,8]');
    expect(await reasonOf(irisModel, digitsConfig)).toContain(
      '[N,1,8,8], but its input "features" takes FP32 [-1,4]',
    );
  });
});

const UNKNOWN_OPERATOR = 'it uses an operator that the runtime does not have';

describe('a model the runtime refuses', () => {
  it.each([
    ['an operator nobody has', buildNode('Frobnicate', ['x'], ['y']), { '': 18 }, UNKNOWN_OPERATOR],
    [
      'an operator of a domain nobody has',
      buildNode('Identity', ['x'], ['y'], { domain: 'com.example' }),
      { '': 18, 'com.example': 1 },
      UNKNOWN_OPERATOR,
    ],
    [
      'an operator set of the future',
      buildNode('Identity', ['x'], ['y']),
      { '': 99 },
      'its operator set 99 is too new for the runtime, which supports up to 26',
    ],
  ])("is reported in Ternion's words: %s", async (_, node, opsets, reason) => {
    const model = buildModel({
      nodes: [node],
      inputs: [tensorValue('x', FLOAT, [1])],
      outputs: [tensorValue('y', FLOAT, [1])],
      opsets,
    });
    expect(await reasonOf(model)).toBe(reason);
  });

  it('says so of types that it cannot take', async () => {
    expect(await reasonOf(identityModel(16, [1]))).toBe(
      'input "x" has the type bfloat16, which cannot be served',
    );
    const sequences = buildModel({
      nodes: [
        buildNode('SequenceInsert', ['empty', 'x'], ['pair']),
        buildNode('SequenceEmpty', [], ['empty']),
      ].reverse(),
      inputs: [tensorValue('x', FLOAT, [2])],
      outputs: [sequenceValue('pair', FLOAT)],
    });
    expect(await reasonOf(sequences)).toBe('none of its outputs is a tensor');
  });
});
