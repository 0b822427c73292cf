import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listRewritings } from '../../../shared/inference/load-model.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  type Axis,
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  int64Initializer,
  integerAttribute,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { inferTensors, serve } from '../../support/make-inference.ts';
import { MODELS, PROJECT } from '../../support/project.ts';

const largest = (filter: readonly Uint8Array[], input: string) =>
  buildModel({
    nodes: [...filter, buildNode('TopK', [input, 'k'], ['values', 'places'])],
    inputs: [tensorValue('x', FLOAT, ['n', 4])],
    outputs: [tensorValue('values', FLOAT, ['m', 2]), tensorValue('places', INT64, ['m', 2])],
    initializers: [int64Initializer('k', [2]), int64Initializer('far', [9])],
  });

describe('a model with an operator that ends the process on no rows', () => {
  it.each([
    ['a request without rows', largest([], 'x'), [0, 4]],
    [
      'rows that the graph drops, as at the warm-up',
      largest([buildNode('Slice', ['x', 'far', 'far'], ['few'])], 'few'),
      [3, 4],
    ],
  ])('answers %s with none', async (_, model, shape) => {
    const inference = await serve({ 'model.onnx': model });
    const x = createTensor('FP32', shape, shape[0] === 0 ? [] : Array(12).fill(1));
    const { outputs } = await inferTensors(inference, {
      reference: { name: 'm', version: '1' },
      inputs: new Map([['x', x]]),
      outputs: undefined,
    });
    expect([...outputs].map(([name, tensor]) => [name, tensor.shape])).toEqual([
      ['values', [0, 2]],
      ['places', [0, 2]],
    ]);
  });
});

const FIXTURES = join(PROJECT, 'test/fixtures');

/** Two convolutions, with the usual nodes between them. */
const convolution = (shape: readonly Axis[] | undefined) =>
  buildModel({
    nodes: [
      buildNode('Conv', ['x', 'w'], ['a']),
      buildNode('Relu', ['a'], ['b']),
      buildNode('MaxPool', ['b'], ['c'], { attributes: [integersAttribute('kernel_shape', [1n, 1n])] }),
      buildNode('Concat', ['c', 'b'], ['d'], { attributes: [integerAttribute('axis', 0)] }),
      buildNode('Conv', ['d', 'w'], ['y']),
    ],
    inputs: [tensorValue('x', FLOAT, shape)],
    outputs: [tensorValue('y', FLOAT)],
    initializers: [floatInitializer('w', [3, 3, 1, 1], Array(9).fill(1))],
  });

/** Makes a tensor whose size is a value, or the shape of a value. */
const sizeOf = (operator: string) =>
  buildModel({
    nodes: [
      buildNode(operator, ['x'], ['sizes'], {
        attributes: operator === 'Cast' ? [integerAttribute('to', INT64)] : [],
      }),
      buildNode('ConstantOfShape', ['sizes'], ['y']),
    ],
    inputs: [tensorValue('x', FLOAT, [2])],
    outputs: [tensorValue('y', FLOAT)],
  });

describe('a model', () => {
  it.each([
    ['without anything to rewrite', readFileSync(join(MODELS, 'digits/1/model.onnx')), []],
    ['that ends in a ZipMap', readFileSync(join(MODELS, 'iris/1/model.onnx')), ['zipMaps']],
    ['with a TopK', largest([], 'x'), ['guards']],
    ['with a convolution of what may have any number of axes', convolution(undefined), ['guards']],
    ['with a pool after a convolution of pictures of any size', convolution(['n', 3, 'h', 'w']), ['guards']],
    ['with a pool after a convolution of pictures of one size', convolution(['n', 3, 8, 8]), []],
    ['with a size that is made of sizes', sizeOf('Shape'), []],
    ['with a size that is made of numbers of a client', sizeOf('Cast'), ['guards']],
  ])('%s is read into memory only when that is needed', async (_, model, expected) => {
    expect(listRewritings(await readGraph(bytesSource(model)))).toEqual(expected);
  });

  // The nearest neighbours are found by a TopK.
  const others = globSync('**/*.onnx', { cwd: FIXTURES }).filter((path) => !path.includes('neighbours'));

  it.each(others)('of an exporter needs no guards: %s', async (path) => {
    const { guards } = await readGraph(bytesSource(readFileSync(join(FIXTURES, path))));
    expect(guards).toEqual({ edits: [], refusals: [] });
  });
});
