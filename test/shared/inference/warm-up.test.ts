import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifest } from '../../support/artifact-setup.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  integerAttribute,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferOutput, lookAt, makeInference, tensorsInput } from '../../support/make-inference.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** A division of whole numbers fails on the zeros of a made-up input. */
const quotient = (type: number) =>
  buildModel({
    nodes: [buildNode('Div', ['a', 'b'], ['y'])],
    inputs: [tensorValue('a', type, [1]), tensorValue('b', type, [1])],
    outputs: [tensorValue('y', type, [1])],
  });

describe('the first run on made-up input', () => {
  it('leaves a model that fails on it without an example', async () => {
    const { inference, log } = makeInference(await makeFolder({ 'm/1/model.onnx': quotient(INT64) }));
    const output = await inferOutput(inference, tensorsInput({ a: [7], b: [2] }));
    expect(output.kind === 'tensors' && output.tensors.get('y')?.data).toEqual(BigInt64Array.of(3n));
    expect(log.map(({ message }) => message)).toEqual(['warm-up failed', 'model loaded']);
    const seen = await lookAt(inference, { name: 'm', version: '1' }, ({ example, problem }) => ({
      example,
      problem,
    }));
    expect(seen).toEqual({
      example: undefined,
      problem: expect.stringMatching(/^The model cannot compute with these inputs/),
    });
  });

  it('is left to the first request of a version that was tried when it was published', async () => {
    const model = Buffer.from(quotient(INT64));
    const reference = Buffer.from(
      JSON.stringify({ cases: [{ request: { inputs: { a: [7], b: [2] } }, expected: {} }] }),
    );
    const files = { 'm/1/model.onnx': model, 'm/1/reference.json': reference };
    const input = tensorsInput({ a: [7], b: [2] });
    const messagesOf = async (others: Readonly<Record<string, string>>, preloaded: readonly string[]) => {
      const { inference, log } = makeInference(await makeFolder({ ...files, ...others }));
      await inference.preload(preloaded);
      const output = await inferOutput(inference, input);
      expect(output.kind === 'tensors' && output.tensors.get('y')?.data).toEqual(BigInt64Array.of(3n));
      return log.map(({ message }) => message);
    };
    const published = {
      'm/1/files.json': manifest({ 'model.onnx': model, 'reference.json': reference }),
    };
    expect(await messagesOf(published, [])).toEqual(['model loaded']);
    // Nobody waits for a preloaded model.
    expect(await messagesOf(published, ['m'])).toEqual(['model loaded', 'warm-up failed']);
    expect(await messagesOf({}, [])).toEqual(['warm-up failed', 'model loaded']);
  });

  it('does not keep a model from being served when it fails', async () => {
    const model = buildModel({
      nodes: [buildNode('MatMul', ['a', 'b'], ['y'])],
      inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['m', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 'k'])],
    });
    const { inference, log } = makeInference(await makeFolder({ 'm/1/model.onnx': model }));
    const output = await inferOutput(
      inference,
      tensorsInput({
        a: [[1, 2]],
        b: [
          [3, 4],
          [5, 6],
        ],
      }),
    );
    expect(output.kind === 'tensors' && output.tensors.get('y')?.data).toEqual(Float32Array.of(13, 16));
    expect(log.map(({ message }) => message)).toEqual(['warm-up failed', 'model loaded']);
  });

  it('is not made of a billion rows where a graph takes exactly that number', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, [1_000_000_000, 3])],
      outputs: [tensorValue('y', FLOAT, [1_000_000_000, 3])],
    });
    const config = JSON.stringify({ task: 'tabular-classification' });
    const folder = await makeFolder({ 'm/1/model.onnx': model, 'm/1/model.json': config });
    const { inference, log } = makeInference(folder);
    const example = await lookAt(inference, { name: 'm', version: '1' }, (loaded) => loaded.example);
    expect([example, log.map(({ message }) => message)]).toEqual([undefined, ['model loaded']]);
  });

  it.each([
    ['of any size', 1, 1],
    ['that filters need eight of', 8, 8],
    ['that filters need 40 of', 40, 64],
  ])('is made with open axes %s', async (_, least, found) => {
    const model = buildModel({
      nodes: [
        buildNode('MaxPool', ['x'], ['y'], {
          attributes: [integersAttribute('kernel_shape', [BigInt(least), BigInt(least)])],
        }),
      ],
      inputs: [tensorValue('x', FLOAT, ['n', 1, 'h', 'w'])],
      outputs: [tensorValue('y', FLOAT, ['n', 1, 'a', 'b'])],
    });
    const { inference } = makeInference(await makeFolder({ 'm/1/model.onnx': model }));
    const row = new Array<number>(found).fill(0);
    const example = await lookAt(inference, { name: 'm', version: '1' }, (loaded) => loaded.example);
    expect(example).toEqual({ inputs: { x: [[new Array<number[]>(found).fill(row)]] } });
  });
});

describe('a task that the outputs cannot fulfil', () => {
  const toRgb = [
    { step: 'decode' },
    { step: 'convert', mode: 'RGB' },
    { step: 'resize', width: 8, height: 8 },
    { step: 'layout', layout: 'NCHW' },
  ];
  const image = { task: 'image-classification', preprocess: toRgb, labels: ['no', 'yes'] };
  const table = { task: 'tabular-classification', labels: ['no', 'yes'] };
  const picture = tensorValue('x', FLOAT, ['batch', 3, 8, 8]);
  const row = tensorValue('x', FLOAT, ['batch', 4]);
  const swap = integersAttribute('perm', [1n, 0n]);

  it.each([
    [
      'a mask of open size',
      image,
      [buildNode('ReduceMean', ['x'], ['y'], { attributes: [integersAttribute('axes', [1n])] })],
      tensorValue('x', FLOAT, ['batch', 3, 'h', 'w']),
      ['batch', 1, 'h', 'w'],
      'its output "y" has the shape [1,1,8,8] for 1 instance; a classifier needs [1,2], one score for each class',
    ],
    [
      'a mask',
      image,
      [buildNode('Identity', ['x'], ['y'])],
      picture,
      ['batch', 3, 8, 8],
      'its output "y" is [-1,3,8,8], which is 192 scores for each instance; a classifier needs one for each of the 2 labels that its model.json names',
    ],
    [
      'steps that come first',
      table,
      [buildNode('Transpose', ['x'], ['y'], { attributes: [swap] })],
      row,
      [4, 'batch'],
      'its model.json names 2 labels, output "y" has 4 scores',
    ],
    [
      'more scores than the graph says',
      table,
      [buildNode('Identity', ['x'], ['y'])],
      row,
      ['batch', 'classes'],
      'its model.json names 2 labels, output "y" has 4 scores',
    ],
    [
      'one number for all',
      { task: 'tabular-regression' },
      [
        buildNode('ReduceMean', ['x'], ['y'], {
          attributes: [integersAttribute('axes', [0n, 1n]), integerAttribute('keepdims', 0)],
        }),
      ],
      row,
      [],
      'its output "y" has the shape [] for 1 instance; a regressor needs [1] or [1,numbers]',
    ],
    [
      'two rows for each',
      { task: 'tabular-regression' },
      [buildNode('Concat', ['x', 'x'], ['y'], { attributes: [integerAttribute('axis', 0)] })],
      row,
      ['rows', 4],
      'its output "y" has the shape [2,4] for 1 instance; a regressor needs [1] or [1,numbers]',
    ],
  ] as const)('is refused at load: %s', async (_, config, nodes, input, output, problem) => {
    const model = buildModel({
      opsets: { '': 13 },
      nodes,
      inputs: [input],
      outputs: [tensorValue('y', FLOAT, output)],
    });
    const files = { 'm/1/model.onnx': model, 'm/1/model.json': JSON.stringify(config) };
    const { inference } = makeInference(await makeFolder(files));
    const error = await rejectionOf(lookAt(inference, { name: 'm', version: '1' }, () => undefined));
    expect(error.message).toBe(`Model "m" version "1" cannot be loaded: ${problem}.`);
  });
});

describe('the example of a table', () => {
  it.each([
    ['sklearn-columns', ['Bern', 117, 5, 'no']],
    ['sklearn-linear', [5.84, 3.06, 3.76]],
    ['sklearn-texts', ['An example of a text.']],
    ['xgboost', [0, 0, 0, 0]],
  ])('has what the encoders and scalers of %s know', async (name, features) => {
    const path = new URL(`../../fixtures/formats/tabular/${name}/model.onnx`, import.meta.url);
    const { inference } = makeInference(await makeFolder({ 'm/1/model.onnx': readFileSync(path) }));
    const example = await lookAt(inference, { name: 'm', version: '1' }, (loaded) => loaded.example);
    expect(example).toEqual({ features });
  });
});
