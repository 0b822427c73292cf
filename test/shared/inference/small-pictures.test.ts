import { describe, expect, it } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  graphAttribute,
  initializer,
  int64Initializer,
  integerAttribute,
  integersAttribute,
  tensorValue,
  textAttribute,
  UINT8,
} from '../../support/build-model.ts';
import { untypedValue } from '../../sweep/open-model.ts';
import { CANNOT_COMPUTE, requestInChild } from './request-in-child.ts';

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
const weights = (name: string, ...shape: number[]) =>
  floatInitializer(
    name,
    shape,
    Array.from({ length: product(shape) }, (_, at) => Math.sin(at + 1)),
  );
const one = (type: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]) =>
  buildNode(type, inputs, [output], { attributes });
const whole = (name: string, ...values: readonly number[]) => integersAttribute(name, values.map(BigInt));
const filled = (shape: readonly number[]) =>
  createTensor(
    'FP32',
    shape,
    Array.from({ length: product(shape) }, (_, at) => Math.cos(at)),
  );

interface Pools {
  readonly name: string;
  /** The nodes from `a`, the output of the first filters, to `y`. */
  readonly nodes: readonly Uint8Array[];
  /** The smallest number of rows of a picture that leaves some for each pool. */
  readonly least: number;
  readonly opset?: number;
  readonly isQuantized?: boolean;
}

const POOL = whole('kernel_shape', 2, 2);
const STRIDES = whole('strides', 2, 2);
const filters = (input: string, output: string, ...attributes: Uint8Array[]) =>
  one('Conv', [input, 'w'], output, ...attributes);
const quantized = (input: string, output: string) => [
  one('QuantizeLinear', [input, 'scale', 'zero'], `${output} q`),
  one('DequantizeLinear', [`${output} q`, 'scale', 'zero'], output),
];
const branch = (name: string) =>
  graphAttribute(name, {
    nodes: [filters('x', `${name} a`), one('MaxPool', [`${name} a`], `${name} y`, POOL)],
    outputs: [untypedValue(`${name} y`)],
  });

/** Pools after filters of 3 by 3. The runtime fuses them into its own operators, which divide by the number of places. */
const POOLS: readonly Pools[] = [
  ...[7, 8, 9, 10, 11, 13, 18, 22].map((opset) => ({
    name: `MaxPool in operator set ${opset}`,
    nodes: [one('MaxPool', ['a'], 'y', POOL)],
    least: 4,
    opset,
  })),
  { name: 'AveragePool', nodes: [one('AveragePool', ['a'], 'y', whole('kernel_shape', 3, 3))], least: 5 },
  {
    name: 'two pools',
    nodes: [one('MaxPool', ['a'], 'b', POOL, STRIDES), one('AveragePool', ['b'], 'y', POOL, STRIDES)],
    least: 6,
  },
  {
    name: 'after an activation',
    nodes: [one('Relu', ['a'], 'b'), one('MaxPool', ['b'], 'y', POOL)],
    least: 4,
  },
  {
    name: 'after normalization',
    nodes: [one('BatchNormalization', ['a', 'm', 'm', 'm', 'v'], 'b'), one('MaxPool', ['b'], 'y', POOL)],
    least: 4,
  },
  {
    name: 'after padding',
    nodes: [one('Pad', ['a', 'pads'], 'b'), one('MaxPool', ['b'], 'y', whole('kernel_shape', 5, 5))],
    least: 5,
  },
  {
    name: 'after more filters',
    nodes: [filters('a', 'b', STRIDES), one('MaxPool', ['b'], 'y', POOL)],
    least: 7,
  },
  {
    name: 'after dilated filters',
    nodes: [filters('a', 'b', whole('dilations', 2, 2)), one('MaxPool', ['b'], 'y', POOL)],
    least: 8,
  },
  {
    name: 'after padded filters',
    nodes: [filters('a', 'b', whole('pads', 1, 1, 1, 1)), one('MaxPool', ['b'], 'y', POOL)],
    least: 4,
  },
  {
    name: 'of padded places',
    nodes: [one('MaxPool', ['a'], 'y', whole('kernel_shape', 4, 4), whole('pads', 1, 1, 1, 1))],
    least: 4,
  },
  {
    name: 'of a last place that is not whole',
    nodes: [
      one('MaxPool', ['a'], 'y', whole('kernel_shape', 3, 3), STRIDES, integerAttribute('ceil_mode', 1)),
    ],
    least: 4,
  },
  {
    name: 'of as many places',
    nodes: [one('MaxPool', ['a'], 'y', POOL, STRIDES, textAttribute('auto_pad', 'SAME_UPPER'))],
    least: 3,
  },
  {
    name: 'of what is joined',
    nodes: [
      filters('x', 'b'),
      one('Concat', ['a', 'b'], 'c', integerAttribute('axis', 1)),
      one('MaxPool', ['c'], 'y', POOL),
    ],
    least: 4,
  },
  {
    name: 'of a sum',
    nodes: [filters('x', 'b'), one('Add', ['a', 'b'], 'c'), one('MaxPool', ['c'], 'y', POOL)],
    least: 4,
  },
  {
    name: 'of channels that are weighted',
    nodes: [
      one('GlobalAveragePool', ['a'], 'g'),
      one('Conv', ['g', 'u'], 'h'),
      one('Sigmoid', ['h'], 'i'),
      one('Mul', ['a', 'i'], 'c'),
      one('MaxPool', ['c'], 'y', POOL),
    ],
    least: 4,
  },
  {
    name: 'of quantized places',
    isQuantized: true,
    nodes: [
      ...quantized('a', 'b'),
      one('AveragePool', ['b'], 'c', POOL),
      ...quantized('c', 'd'),
      filters('d', 'e', whole('pads', 1, 1, 1, 1)),
      ...quantized('e', 'y'),
    ],
    least: 4,
  },
  {
    name: 'in a branch',
    nodes: [one('If', ['yes'], 'y', branch('then_branch'), branch('else_branch'))],
    least: 4,
  },
];

const poolModel = ({ nodes, opset = 18, isQuantized = false }: Pools) =>
  buildModel({
    nodes: [...(isQuantized ? quantized('x', 'q') : []), filters(isQuantized ? 'q' : 'x', 'a'), ...nodes],
    inputs: [tensorValue('x', FLOAT, ['n', 16, 'h', 'w'])],
    outputs: [untypedValue('y')],
    initializers: [
      weights('w', 16, 16, 3, 3),
      weights('u', 16, 16, 1, 1),
      weights('m', 16),
      floatInitializer('v', [16], Array(16).fill(1)),
      floatInitializer('scale', [], [0.1]),
      initializer('zero', UINT8, [], Uint8Array.of(0)),
      initializer('yes', 9, [], Uint8Array.of(1)),
      int64Initializer('pads', [0, 0, 1, 1, 0, 0, 1, 1]),
    ],
    opsets: { '': opset },
  });

describe('a picture that is too small for a pool', async () => {
  const picture = (rows: number): NamedTensors => new Map([['x', filled([1, 16, rows, 9])]]);
  const outcomes = await requestInChild([
    ...POOLS.map((pools) => ({ model: poolModel(pools), feeds: picture(pools.least - 1) })),
    ...POOLS.map((pools) => ({ model: poolModel(pools), feeds: picture(pools.least), isCompared: true })),
  ]);

  it.each(POOLS.map(({ name }, at) => [name, outcomes[at], outcomes[POOLS.length + at]] as const))(
    'is refused, and the smallest that is not gets the same bits as without: %s',
    (_, small, smallest) => {
      expect(small).toEqual(CANNOT_COMPUTE);
      expect(smallest).toMatchObject({ kind: 'answered' });
      if (smallest?.kind === 'answered') expect(smallest.tensors).toEqual(smallest.bare);
    },
  );
});

describe('a pool of a single place', async () => {
  const nodes = ['MaxPool', 'AveragePool'].map((pool) => [
    one('GlobalAveragePool', ['a'], 'b'),
    one(pool, ['b'], 'y', POOL),
  ]);
  const outcomes = await requestInChild(
    nodes.map((each) => ({
      model: poolModel({ name: '', nodes: each, least: 1 }),
      feeds: new Map([['x', filled([1, 16, 9, 9])]]),
    })),
  );

  it('is refused with every picture', () => {
    expect(outcomes).toEqual([CANNOT_COMPUTE, CANNOT_COMPUTE]);
  });
});

/** Filters, the nodes between, and a pool, for pictures of 9 by 9. */
const fixed = (...between: readonly Uint8Array[]) =>
  buildModel({
    nodes: [filters('x', 'a'), ...between, one('MaxPool', ['b'], 'y', POOL)],
    inputs: [tensorValue('x', FLOAT, ['n', 16, 9, 9])],
    outputs: [untypedValue('y')],
    initializers: [weights('w', 16, 16, 3, 3)],
  });

describe('a picture of a fixed size', () => {
  it.each([
    ['an activation', [one('Relu', ['a'], 'b')]],
    ['a pool and filters', [one('AveragePool', ['a'], 'c', POOL), filters('c', 'b')]],
    ['what is not part of the chain', [one('LRN', ['a'], 'b', integerAttribute('size', 3))]],
  ])('needs no check: %s before a pool', async (_, between) => {
    const { guards } = await readGraph(bytesSource(fixed(...between)));
    expect(guards.edits).toEqual([]);
  });
});
