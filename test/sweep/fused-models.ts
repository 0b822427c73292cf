import { readGraph } from '../../shared/onnx/graph.ts';
import { bytesSource } from '../../shared/onnx/protobuf.ts';
import { DATATYPES } from '../../shared/tensor/datatype.ts';
import { createTensor, type Tensor } from '../../shared/tensor/tensor.ts';
import {
  type Axis,
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  floatInitializer,
  graphAttribute,
  initializer,
  int64Initializer,
  integerAttribute,
  integersAttribute,
  tensorValue,
  textAttribute,
  UINT8,
} from '../support/build-model.ts';
import type { Feeds } from './conditions.ts';
import { untypedValue } from './open-model.ts';
import type { SweepCase } from './read-suite.ts';

/** A graph of plain operators that the runtime replaces by others when it loads it. */
export interface FusedModel {
  /** The operator that the runtime must write for the case to be meaningful. */
  readonly writes: readonly string[];
  readonly text: string;
  readonly model: Uint8Array;
  readonly feeds: Feeds;
}

/**
 * Graphs that the runtime changes while it loads them, as cases of the first operator that it writes. They keep the shapes
 * that they declare, by which it finds its patterns, and have no other form.
 */
export async function fusedCases(): Promise<SweepCase[]> {
  const choices = nestedChoices().map((choice) => ({ ...choice, writes: ['If'] }));
  const cases = [...fusedModels(), ...choices].map(
    async ({ writes: [operator = ''], text, model, feeds }) => ({
      name: text,
      label: text,
      domain: FUSED,
      operator,
      opset: FUSED_OPSET,
      types: [],
      inputs: [],
      nodes: (await readGraph(bytesSource(model))).operators.size,
      attributes: text,
      feeds,
      open: () => model,
    }),
  );
  return await Promise.all(cases);
}

/** Stands for the domain of operators that the runtime writes itself. */
export const FUSED = 'fused';
const FUSED_OPSET = 17;

interface Parts {
  readonly text: string;
  /** The inputs of clients, with the declared axes: a fixed number, or a name. */
  readonly inputs: Readonly<Record<string, readonly [tensor: Tensor, axes?: readonly Axis[]]>>;
  readonly nodes: readonly Uint8Array[];
  readonly weights?: readonly Uint8Array[];
  readonly opset?: number;
  readonly functions?: readonly Uint8Array[];
}

const f = (...shape: number[]): Tensor =>
  createTensor(
    'FP32',
    shape,
    Array.from({ length: product(shape) }, (_, at) => ((at % 7) + 1) / 4),
  );
const u8 = (...shape: number[]): Tensor =>
  createTensor(
    'UINT8',
    shape,
    Array.from({ length: product(shape) }, (_, at) => at % 5),
  );
const weights = (name: string, ...shape: number[]) =>
  floatInitializer(
    name,
    shape,
    Array.from({ length: product(shape) }, (_, at) => Math.sin(at + 1)),
  );
const bytes = (name: string, ...shape: number[]) =>
  initializer(
    name,
    UINT8,
    shape,
    Uint8Array.from({ length: product(shape) }, (_, at) => at % 5),
  );
const numbers = (name: string, shape: readonly number[], ...values: readonly number[]) =>
  floatInitializer(name, shape, values);
const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
const one = (type: string, inputs: readonly string[], output: string, ...attributes: Uint8Array[]) =>
  buildNode(type, inputs, [output], { attributes });
const whole = (name: string, ...values: readonly number[]) => integersAttribute(name, values.map(BigInt));
const n = integerAttribute;

/** Scale and zero point of all that is quantized. */
const QUANTIZATION = [numbers('scale', [], 0.05), bytes('zero')];
const toFloats = (input: string, output: string) => one('DequantizeLinear', [input, 'scale', 'zero'], output);
const toBytes = (input: string, output: string) => one('QuantizeLinear', [input, 'scale', 'zero'], output);
/** A value as it is between two quantized operators. */
const quantized = (input: string, output: string) => [
  toBytes(input, `${output} q`),
  toFloats(`${output} q`, output),
];

function fused(
  writes: string | readonly string[],
  { text, inputs, nodes, weights: constants = [], opset = FUSED_OPSET, functions = [] }: Parts,
): FusedModel {
  const given = Object.entries(inputs);
  return {
    writes: typeof writes === 'string' ? [writes] : writes,
    text,
    model: buildModel({
      nodes,
      inputs: given.map(([name, [tensor, axes]]) =>
        tensorValue(
          name,
          DATATYPES[tensor.datatype].code,
          axes ?? tensor.shape.map((_, axis) => `axis ${axis}`),
        ),
      ),
      outputs: [untypedValue('y')],
      initializers: [...QUANTIZATION, ...constants],
      opsets: { '': opset, ...(functions.length > 0 && { local: 1 }) },
      functions,
    }),
    feeds: new Map(given.map(([name, [tensor]]) => [name, tensor])),
  };
}

/** A quantized operator of one or more inputs, between floats that clients send and get. */
function quantizedOperator(
  writes: string,
  type: string,
  count: number,
  shape: readonly number[],
  attributes: readonly Uint8Array[] = [],
  before: readonly string[] = [],
): FusedModel {
  const names = Array.from({ length: count }, (_, index) => `x${index}`);
  return fused(writes, {
    text: `quantized ${type}`,
    inputs: Object.fromEntries(names.map((name) => [name, [f(...shape)] as const])),
    nodes: [
      ...before.map((name) => one('Greater', ['x0', 'scale'], name)),
      ...names.flatMap((name) => quantized(name, `${name} d`)),
      one(type, [...before, ...names.map((name) => `${name} d`)], 'z', ...attributes),
      ...quantized('z', 'y'),
    ],
  });
}

const conv = (input: string, filter: string, output: string, ...attributes: Uint8Array[]) => [
  toFloats(filter, `${output} w`),
  one('Conv', [input, `${output} w`], `${output} c`, ...attributes),
  ...quantized(`${output} c`, output),
];
const POOLED = whole('kernel_shape', 2, 2);

/** A quantized network: a picture, filters, a pool, filters. */
const quantizedNetwork = (writes: readonly string[], pool: string, ...attributes: Uint8Array[]) =>
  fused(writes, {
    text: `${pool} between quantized filters`,
    inputs: { x: [f(1, 8, 6, 6), ['n', 8, 'h', 'w']] },
    weights: [bytes('w1', 8, 8, 3, 3), bytes('w2', 8, 8, 1, 1)],
    nodes: [
      ...quantized('x', 'a'),
      ...conv('a', 'w1', 'b', whole('pads', 1, 1, 1, 1)),
      one(pool, ['b'], 'c', ...attributes),
      ...quantized('c', 'd'),
      ...conv('d', 'w2', 'y'),
    ],
  });

const ROWS = { x: [f(2, 3, 4), ['b', 's', 4]], skip: [f(2, 3, 4), ['b', 's', 4]] } as const;

const ROOT_WEIGHTS = [weights('g', 4), numbers('two', [], 2), numbers('e', [], 1e-5)];
/** The rows of `a` by their root mean squares. */
const ROOT = [
  one('Pow', ['a', 'two'], 'b'),
  one('ReduceMean', ['b'], 'c', whole('axes', -1)),
  one('Add', ['c', 'e'], 'd'),
  one('Sqrt', ['d'], 'r'),
  one('Div', ['a', 'r'], 'v'),
  one('Mul', ['v', 'g'], 'y'),
];

const PERMUTATIONS = [
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
] as const;
const BETWEEN = ['nothing', 'Identity', 'Mul', 'Div', 'Dropout', 'Cast', 'Transpose'] as const;

/** A product of transposed matrices: 2 by 3 and 3 by 4, in a batch of 5. */
function transposed(perm: readonly number[], between: (typeof BETWEEN)[number], side: string): FusedModel {
  const shape = side === 'first' ? [5, 2, 3] : [5, 3, 4];
  const given = perm.map((_, axis) => shape[perm.indexOf(axis)] ?? 0);
  const other = side === 'first' ? [5, 3, 4] : [5, 2, 3];
  const transpose = (input: string, output: string, by: readonly number[]) =>
    one('Transpose', [input], output, whole('perm', ...by));
  const steps = {
    nothing: [transpose('a', 'u', perm)],
    Identity: [transpose('a', 't', perm), one('Identity', ['t'], 'u')],
    Mul: [transpose('a', 't', perm), one('Mul', ['t', 'k'], 'u')],
    Div: [transpose('a', 't', perm), one('Div', ['t', 'k'], 'u')],
    Dropout: [transpose('a', 't', perm), one('Dropout', ['t'], 'u')],
    Cast: [transpose('a', 't', perm), one('Cast', ['t'], 'u', n('to', FLOAT))],
    // The first of both changes nothing.
    Transpose: [transpose('a', 't', [0, 1, 2]), transpose('t', 'u', perm)],
  };
  return fused('com.microsoft.FusedMatMul', {
    text: `MatMul, its ${side} input transposed by ${perm.join(' ')}, then ${between}`,
    inputs: { a: [f(...given), ['p', 'q', 'r']], b: [f(...other), ['s', 't', 'u']] },
    weights: [numbers('k', [], 0.5)],
    nodes: [...steps[between], one('MatMul', side === 'first' ? ['u', 'b'] : ['b', 'u'], 'y')],
  });
}

/**
 * Choices within choices of constant conditions, which the runtime inlines, those inside first. They end its process at
 * the load where freed memory is overwritten, so they are not among `fusedModels`, which tests load.
 */
function nestedChoices(): Pick<FusedModel, 'text' | 'model' | 'feeds'>[] {
  const negated = (name: string) => ({
    nodes: [one('Neg', ['x'], name)],
    outputs: [tensorValue(name, FLOAT, ['n', 2])],
  });
  const choice = (name: string, condition: string, taken: ReturnType<typeof negated>) => ({
    ...negated(name),
    nodes: [
      one(
        'If',
        [condition],
        name,
        graphAttribute('then_branch', taken),
        graphAttribute('else_branch', negated(`${name} other`)),
      ),
    ],
  });
  const open = choice('inner', 'some', negated('absolute'));
  const sized = {
    ...open,
    nodes: [one('Size', ['x'], 'size'), one('Cast', ['size'], 'some', n('to', BOOL)), ...open.nodes],
  };
  const twice = (inner: typeof open) => choice('y', 'yes', choice('middle', 'yes', inner));
  const graphs = {
    'an If in two of constant conditions': twice(sized),
    'an If in three of constant conditions': choice(
      'y',
      'yes',
      choice('outer', 'yes', choice('middle', 'yes', sized)),
    ),
    'three Ifs of constant conditions': twice(choice('inner', 'yes', negated('absolute'))),
  };
  return Object.entries(graphs).map(([text, { nodes }]) => ({
    text,
    model: buildModel({
      nodes,
      inputs: [tensorValue('x', FLOAT, ['n', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 2])],
      initializers: [initializer('yes', BOOL, [], Uint8Array.of(1))],
      opsets: { '': FUSED_OPSET },
    }),
    feeds: new Map([['x', f(2, 2)]]),
  }));
}

/** Patterns that the runtime's own optimiser looks for, whose fused operators have ended the process (operators.json). */
export function fusedModels(): FusedModel[] {
  return [
    fused('com.microsoft.SkipLayerNormalization', {
      text: 'a sum that is normalized',
      inputs: ROWS,
      weights: [weights('g', 4), weights('h', 4)],
      nodes: [one('Add', ['x', 'skip'], 'z'), one('LayerNormalization', ['z', 'g', 'h'], 'y', n('axis', -1))],
    }),
    fused('com.microsoft.SkipLayerNormalization', {
      text: 'a sum with a bias that is normalized',
      inputs: ROWS,
      weights: [weights('g', 4), weights('h', 4), weights('i', 4)],
      nodes: [
        one('Add', ['x', 'i'], 'z'),
        one('Add', ['z', 'skip'], 'v'),
        one('LayerNormalization', ['v', 'g', 'h'], 'y', n('axis', -1)),
      ],
    }),
    fused('com.microsoft.SkipLayerNormalization', {
      text: 'a sum of open width that is normalized',
      inputs: { x: [f(2, 3, 4), ['b', 's', 'w']], skip: [f(2, 3, 4), ['b', 's', 'w']] },
      weights: [weights('g', 4), weights('h', 4)],
      nodes: [one('Add', ['x', 'skip'], 'z'), one('LayerNormalization', ['z', 'g', 'h'], 'y', n('axis', -1))],
    }),
    fused('SimplifiedLayerNormalization', {
      text: 'a sum by its root mean square',
      inputs: ROWS,
      weights: ROOT_WEIGHTS,
      nodes: [one('Add', ['x', 'skip'], 'a'), ...ROOT],
    }),
    fused('SimplifiedLayerNormalization', {
      text: 'a root mean square in a function',
      inputs: { a: ROWS.x },
      weights: ROOT_WEIGHTS,
      nodes: [buildNode('Root', ['a', 'g', 'two', 'e'], ['y'], { domain: 'local' })],
      functions: [
        buildFunction({
          name: 'Root',
          inputs: ['a', 'g', 'two', 'e'],
          outputs: ['y'],
          nodes: ROOT,
          opsets: { '': FUSED_OPSET },
        }),
      ],
    }),
    fused('com.microsoft.BiasGelu', {
      text: 'a bias and Gelu',
      inputs: { x: [f(2, 3, 4), ['b', 's', 4]] },
      weights: [
        weights('i', 4),
        numbers('root', [], Math.SQRT2),
        numbers('one', [], 1),
        numbers('half', [], 0.5),
      ],
      nodes: [
        one('Add', ['x', 'i'], 'a'),
        one('Div', ['a', 'root'], 'b'),
        one('Erf', ['b'], 'c'),
        one('Add', ['c', 'one'], 'd'),
        one('Mul', ['a', 'd'], 'e'),
        one('Mul', ['e', 'half'], 'y'),
      ],
    }),
    fused('com.microsoft.QuickGelu', {
      text: 'Sigmoid times its input',
      inputs: { x: [f(2, 3)] },
      weights: [numbers('k', [], 1.702)],
      nodes: [one('Mul', ['x', 'k'], 'a'), one('Sigmoid', ['a'], 'b'), one('Mul', ['x', 'b'], 'y')],
    }),
    fused('com.microsoft.FusedMatMul', {
      text: 'MatMul of a constant scale',
      inputs: { a: [f(2, 3, 4), ['p', 'q', 'r']], b: [f(2, 4, 5), ['p', 's', 't']] },
      weights: [numbers('k', [], 0.5)],
      nodes: [one('MatMul', ['a', 'b'], 'z'), one('Mul', ['z', 'k'], 'y')],
    }),
    ...PERMUTATIONS.flatMap((perm) =>
      BETWEEN.flatMap((between) => ['first', 'second'].map((side) => transposed(perm, between, side))),
    ),
    ...['GlobalAveragePool', 'GlobalMaxPool'].flatMap((first) =>
      ['AveragePool', 'MaxPool', 'LpPool'].map((second) =>
        fused([second, first], {
          text: `${first} and ${second}`,
          inputs: { x: [f(1, 2, 6, 6), ['n', 2, 'h', 'w']] },
          nodes: [one(first, ['x'], 'g'), one(second, ['g'], 'y', POOLED)],
        }),
      ),
    ),
    ...['GlobalAveragePool', 'GlobalMaxPool'].flatMap((first) =>
      ['AveragePool', 'MaxPool'].map((second) =>
        fused(
          [second, first, 'Conv'].map((name) => `com.microsoft.nchwc.${name}`),
          {
            text: `filters of blocked channels with ${first} and ${second}`,
            inputs: { x: [f(1, 16, 6, 6), ['n', 16, 'h', 'w']] },
            weights: [weights('w', 16, 16, 3, 3)],
            nodes: [one('Conv', ['x', 'w'], 'a'), one(first, ['a'], 'g'), one(second, ['g'], 'y', POOLED)],
          },
        ),
      ),
    ),
    fused('com.microsoft.FusedGemm', {
      text: 'Gemm and Relu',
      inputs: { a: [f(2, 3)], b: [f(3, 4)] },
      nodes: [one('Gemm', ['a', 'b'], 'z'), one('Relu', ['z'], 'y')],
    }),
    fused('com.microsoft.nchwc.Conv', {
      text: 'Conv and Relu',
      inputs: { x: [f(1, 2, 5, 5), ['n', 2, 'h', 'w']] },
      weights: [weights('w', 3, 2, 3, 3)],
      nodes: [one('Conv', ['x', 'w'], 'z'), one('Relu', ['z'], 'y')],
    }),
    fused('com.microsoft.nchwc.Conv', {
      text: 'Conv, a sum and Relu',
      inputs: { x: [f(1, 2, 5, 5), ['n', 2, 'h', 'w']], v: [f(1, 3, 3, 3), ['n', 3, 'i', 'j']] },
      weights: [weights('w', 3, 2, 3, 3), weights('b', 3)],
      nodes: [one('Conv', ['x', 'w', 'b'], 'z'), one('Add', ['z', 'v'], 's'), one('Relu', ['s'], 'y')],
    }),
    ...['AveragePool', 'MaxPool', 'GlobalAveragePool', 'GlobalMaxPool'].map((pool) =>
      fused([`com.microsoft.nchwc.${pool}`, 'com.microsoft.nchwc.Conv'], {
        text: `filters of blocked channels with ${pool}`,
        inputs: { x: [f(1, 16, 6, 6), ['n', 16, 'h', 'w']] },
        weights: [weights('w', 16, 16, 3, 3), weights('v', 16, 16, 1, 1), weights('b', 16)],
        nodes: [
          one('Conv', ['x', 'w', 'b'], 'a', whole('pads', 1, 1, 1, 1)),
          one(pool, ['a'], 'p', ...(pool.startsWith('Global') ? [] : [POOLED])),
          one('Conv', ['p', 'v', 'b'], 'c'),
          one('Add', ['c', 'p'], 's'),
          one('Relu', ['s'], 'r'),
          one('Concat', ['r', 'p'], 'y', n('axis', 1)),
        ],
      }),
    ),
    fused(['com.microsoft.nchwc.Upsample', 'com.microsoft.nchwc.Conv'], {
      text: 'filters of blocked channels with Resize',
      inputs: { x: [f(1, 16, 6, 6), ['n', 16, 'h', 'w']] },
      weights: [weights('w', 16, 16, 3, 3), weights('v', 16, 1, 3, 3), numbers('scales', [4], 1, 1, 2, 2)],
      nodes: [
        one('Conv', ['x', 'w'], 'a'),
        one('Resize', ['a', '', 'scales'], 'r', textAttribute('mode', 'nearest'), ...ASYMMETRIC),
        one('Conv', ['r', 'v'], 'y', n('group', 16)),
      ],
    }),
    ...['u8', 'dynamic', 'dynamic constant'].map((kind) => {
      const isDynamic = kind !== 'u8';
      const isConstant = kind === 'dynamic constant';
      return fused(
        isDynamic ? ['com.microsoft.DynamicQuantizeMatMul'] : ['com.microsoft.MatMulIntegerToFloat'],
        {
          text: `MatMulInteger, ${kind}`,
          inputs: {
            a: isDynamic ? [f(2, 3), ['p', 'q']] : [u8(2, 3), ['p', 'q']],
            ...(!isConstant && { b: [u8(3, 4), ['r', 's']] as const }),
            ...(!isDynamic && { k: [f(), []] as const }),
          },
          weights: isConstant ? [bytes('b', 3, 4)] : [],
          nodes: [
            ...(isDynamic
              ? [
                  buildNode('DynamicQuantizeLinear', ['a'], ['aq', 'k', 'az']),
                  one('MatMulInteger', ['aq', 'b', 'az', 'zero'], 'i'),
                ]
              : [one('MatMulInteger', ['a', 'b', 'zero', 'zero'], 'i')]),
            one('Cast', ['i'], 'c', n('to', FLOAT)),
            one('Mul', ['k', 'scale'], 'm'),
            one('Mul', ['c', 'm'], 'y'),
          ],
        },
      );
    }),
    quantizedOperator('com.microsoft.QLinearAdd', 'Add', 2, [2, 3]),
    quantizedOperator('com.microsoft.QLinearMul', 'Mul', 2, [2, 3]),
    quantizedOperator('com.microsoft.QLinearConcat', 'Concat', 2, [2, 3], [n('axis', 0)]),
    quantizedOperator('com.microsoft.QLinearConcat', 'Concat', 3, [2, 3], [n('axis', -1)]),
    quantizedOperator('com.microsoft.QLinearSoftmax', 'Softmax', 1, [2, 3, 4], [n('axis', -1)]),
    quantizedOperator('com.microsoft.QLinearSoftmax', 'Softmax', 1, [2, 3, 4], [n('axis', 1)]),
    quantizedOperator('com.microsoft.QLinearSigmoid', 'Sigmoid', 1, [2, 3]),
    quantizedOperator(
      'com.microsoft.QLinearLeakyRelu',
      'LeakyRelu',
      1,
      [2, 3],
      [floatAttribute('alpha', 0.1)],
    ),
    quantizedOperator('com.microsoft.QLinearAveragePool', 'AveragePool', 1, [1, 2, 5, 5], [POOLED]),
    quantizedOperator('com.microsoft.QLinearGlobalAveragePool', 'GlobalAveragePool', 1, [1, 2, 5, 5]),
    quantizedOperator('com.microsoft.QLinearWhere', 'Where', 2, [2, 3], [], ['c']),
    quantizedOperator('QLinearMatMul', 'MatMul', 2, [2, 3, 3]),
    quantizedOperator('QLinearMatMul', 'MatMul', 2, [3, 3]),
    fused('com.microsoft.QGemm', {
      text: 'quantized Gemm',
      inputs: { x: [f(2, 3), ['n', 'm']] },
      weights: [bytes('w', 3, 4)],
      nodes: [
        ...quantized('x', 'a'),
        toFloats('w', 'b'),
        one('Gemm', ['a', 'b'], 'z'),
        ...quantized('z', 'y'),
      ],
    }),
    fused('com.microsoft.QGemm', {
      text: 'quantized Gemm of two inputs',
      inputs: { x: [f(2, 3), ['n', 'm']], w: [f(3, 4), ['o', 'p']] },
      nodes: [
        ...quantized('x', 'a'),
        ...quantized('w', 'b'),
        one('Gemm', ['a', 'b'], 'z'),
        ...quantized('z', 'y'),
      ],
    }),
    fused('com.microsoft.QLinearConv', {
      text: 'quantized Conv of sent filters',
      inputs: { x: [f(1, 2, 5, 5), ['n', 'c', 'h', 'w']], w: [f(3, 2, 3, 3), ['o', 'd', 'k', 'l']] },
      nodes: [
        ...quantized('x', 'a'),
        ...quantized('w', 'b'),
        one('Conv', ['a', 'b'], 'z'),
        ...quantized('z', 'y'),
      ],
    }),
    quantizedNetwork(
      ['com.microsoft.QLinearAveragePool', 'com.microsoft.QLinearConv'],
      'AveragePool',
      POOLED,
    ),
    quantizedNetwork(['com.microsoft.QLinearConv'], 'MaxPool', POOLED),
    quantizedNetwork(['com.microsoft.QLinearConv'], 'GlobalAveragePool'),
    quantizedNetwork(['com.microsoft.QLinearConv'], 'LeakyRelu'),
    quantizedNetwork(['com.microsoft.QLinearConv'], 'Softmax', n('axis', 1)),
    fused('com.microsoft.QLinearConv', {
      text: 'a sum of quantized filters with an input',
      inputs: { x: [f(1, 8, 6, 6), ['n', 8, 'h', 'w']], v: [f(1, 8, 4, 4), ['n', 8, 'i', 'j']] },
      weights: [bytes('w1', 8, 8, 3, 3), int64Initializer('unused', [1])],
      nodes: [
        ...quantized('x', 'a'),
        ...conv('a', 'w1', 'b'),
        ...quantized('v', 'c'),
        one('Add', ['b', 'c'], 'd'),
        ...quantized('d', 'e'),
        one('Concat', ['e', 'b'], 'g', n('axis', 1)),
        ...quantized('g', 'y'),
      ],
    }),
  ];
}

const ASYMMETRIC = [
  textAttribute('coordinate_transformation_mode', 'asymmetric'),
  textAttribute('nearest_mode', 'floor'),
];
