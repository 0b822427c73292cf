import { describe, expect, it } from 'vitest';
import { guardOperators } from '../../../shared/onnx/guard-operators.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { DATATYPES } from '../../../shared/tensor/datatype.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  graphAttribute,
  INT32,
  INT64,
  initializer,
  int64Initializer,
  integerAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { untypedValue } from '../../sweep/open-model.ts';
import { requestInChild } from './request-in-child.ts';

type Feeds = Readonly<Record<string, Tensor>>;
type Parts = Partial<Parameters<typeof buildModel>[0]>;

const SMALLEST = -(2 ** 63);
const int64s = (...values: readonly number[]) => createTensor('INT64', [values.length], values);
const int32s = (...values: readonly number[]) => createTensor('INT32', [values.length], values);
const operators = ['Div', 'Mod'] as const;

function divide(nodes: readonly Uint8Array[], feeds: Feeds, parts: Parts = {}) {
  const model = buildModel({
    nodes,
    inputs: Object.entries(feeds).map(([name, { datatype }]) => tensorValue(name, DATATYPES[datatype].code)),
    outputs: [untypedValue('y')],
    ...parts,
  });
  return { model, feeds: new Map(Object.entries(feeds)) };
}

const inFunction = (operator: string, a: Tensor, b: Tensor) =>
  divide(
    [buildNode('Share', ['a', 'b'], ['y'], { domain: 'local' })],
    { a, b },
    {
      opsets: { '': 18, local: 1 },
      functions: [
        buildFunction({
          name: 'Share',
          inputs: ['p', 'q'],
          outputs: ['z'],
          nodes: [buildNode(operator, ['p', 'q'], ['z'])],
        }),
      ],
    },
  );

const branches = (of: string) =>
  ['then_branch', 'else_branch'].map((name) =>
    graphAttribute(name, {
      nodes: [of === 'Identity' ? buildNode(of, ['a'], [name]) : buildNode(of, ['a', 'b'], [name])],
      outputs: [tensorValue(name, INT64)],
    }),
  );
const toBoolean = buildNode('Cast', ['c'], ['yes'], { attributes: [integerAttribute('to', BOOL)] });
const pair = { c: createTensor('INT32', [], [1]), a: int64s(SMALLEST, 7), b: int64s(-1, -1) };

/** A tensor of one int32 whose bits are written as a number without a sign. */
const DISGUISED = Buffer.from('080110062a05ffffffff0f420162', 'hex');

/** Models in which the smallest number meets -1, with the bits of the answer. */
const FATAL = operators.flatMap((operator) => {
  const isRest = operator === 'Mod';
  const smallest32 = isRest ? '00000000' : '00000080';
  const smallest64 = isRest ? '0000000000000000' : '0000000000000080';
  const minusSeven = isRest ? '0000000000000000' : 'f9ffffffffffffff';
  const divided = (name: string) => buildNode(operator, [name, 'b'], ['y']);
  const cases: readonly (readonly [place: string, request: ReturnType<typeof divide>, answer: string])[] = [
    ['a function', inFunction(operator, int64s(SMALLEST), int64s(-1)), `y INT64 [1] ${smallest64}`],
    [
      'a function, as int32',
      inFunction(operator, int32s(-(2 ** 31)), int32s(-1)),
      `y INT32 [1] ${smallest32}`,
    ],
    [
      'a branch',
      divide([toBoolean, buildNode('If', ['yes'], ['y'], { attributes: branches(operator) })], pair),
      `y INT64 [2] ${smallest64}${minusSeven}`,
    ],
    [
      'what a branch gives',
      divide(
        [toBoolean, buildNode('If', ['yes'], ['w'], { attributes: branches('Identity') }), divided('w')],
        pair,
        { opsets: { '': 13 } },
      ),
      `y INT64 [2] ${smallest64}${minusSeven}`,
    ],
    [
      'an old operator set',
      divide([divided('a')], { a: int64s(SMALLEST), b: int64s(-1) }, { opsets: { '': isRest ? 10 : 7 } }),
      `y INT64 [1] ${smallest64}`,
    ],
    [
      'a constant whose sign cannot be seen',
      divide([divided('a')], { a: int32s(-(2 ** 31)) }, { initializers: [DISGUISED] }),
      `y INT32 [1] ${smallest32}`,
    ],
    [
      'a constant that is divided',
      divide([divided('a')], { b: int64s(-1) }, { initializers: [int64Initializer('a', [SMALLEST])] }),
      `y INT64 [1] ${smallest64}`,
    ],
    [
      'a long constant',
      divide(
        [divided('a')],
        { a: int64s(SMALLEST) },
        { initializers: [int64Initializer('b', Array(200).fill(-1))] },
      ),
      `y INT64 [200] ${smallest64.repeat(200)}`,
    ],
  ];
  return cases.map(([place, request, answer]) => ({ name: `${operator}, ${place}`, request, answer }));
});

/** Types that functions do not declare, with their smallest and largest numbers. */
const OTHERS = operators.flatMap((operator) =>
  (
    [
      ['UINT64', BigUint64Array.of(2n ** 64n - 1n, 2n ** 63n, 9n), BigUint64Array.of(2n ** 64n - 1n, 5n, 3n)],
      ['UINT8', Uint8Array.of(255, 128, 9), Uint8Array.of(255, 5, 3)],
      ['INT8', Int8Array.of(-128, 127, 9), Int8Array.of(-1, -1, 3)],
      ['INT16', Int16Array.of(-32768, 127, 9), Int16Array.of(3, -1, 3)],
      ['FP32', Float32Array.of(-(2 ** 31), 5, -0), Float32Array.of(-1, -1, -1.5)],
    ] as const
  )
    .filter(([datatype]) => operator === 'Div' || datatype !== 'FP32')
    .map(([datatype, a, b]) => ({
      name: `${operator}, ${datatype}`,
      request: {
        ...inFunction(operator, { datatype, shape: [3], data: a }, { datatype, shape: [3], data: b }),
        isCompared: true,
      },
    })),
);

describe('the smallest whole number by -1', async () => {
  const outcomes = await requestInChild([...FATAL, ...OTHERS].map(({ request }) => request));

  it.each(FATAL.map(({ name, answer }, index) => [name, answer, outcomes[index]] as const))(
    'is divided as in other languages, in %s',
    (_, answer, outcome) => {
      expect(outcome).toEqual({ kind: 'answered', tensors: [answer] });
    },
  );

  it.each(OTHERS.map(({ name }, index) => [name, outcomes[FATAL.length + index]] as const))(
    'changes nothing of other types in a function: %s',
    (_, outcome) => {
      expect(outcome).toMatchObject({ kind: 'answered' });
      if (outcome?.kind === 'answered') expect(outcome.tensors).toEqual(outcome.bare);
    },
  );
});

describe('a division that cannot be fatal', () => {
  const ends = { inputs: [tensorValue('a', INT64), tensorValue('f', FLOAT)], outputs: [untypedValue('y')] };
  const by = (values: readonly number[]) => ({ initializers: [int64Initializer('c', values)] });
  const bytes = initializer('u', 2, [1], Uint8Array.of(255));
  const shared = (inputs: readonly string[], attributes: readonly Uint8Array[] = []) =>
    operators.map((operator) => buildNode(operator, inputs, [operator], { attributes }));

  it.each([
    ['by another constant', shared(['a', 'c']), by([8, -3, 0])],
    ['of a constant that is not the smallest', shared(['c', 'a']), by([-5, 2 ** 31 - 1])],
    ['of floats', [buildNode('Div', ['f', 'f'], ['y'])], {}],
    [
      'of what is computed of floats',
      [buildNode('Tanh', ['f'], ['t']), buildNode('Div', ['t', 't'], ['y'])],
      {},
    ],
    ['of bytes', shared(['u', 'u']), { initializers: [bytes] }],
    ['as floats', [buildNode('Mod', ['a', 'a'], ['y'], { attributes: [integerAttribute('fmod', 1)] })], {}],
    [
      'of sizes as bytes',
      [buildNode('Cast', ['a'], ['b'], { attributes: [integerAttribute('to', 3)] }), ...shared(['b', 'b'])],
      {},
    ],
  ])('is left as it is: %s', (_, nodes, parts) => {
    const model = buildModel({ nodes, ...ends, ...parts });
    const guarded = rewriteModel(bytesSource(model), [guardOperators(2 ** 26)]);
    expect(Buffer.compare(guarded, model)).toBe(0);
  });

  it('is changed where a constant has -1, or is of an unknown type', () => {
    const models = [
      buildModel({ nodes: shared(['a', 'c']), ...ends, ...by([2, -1]) }),
      inFunction('Div', int64s(1), int64s(1)).model,
      buildModel({
        nodes: [
          buildNode('Cast', ['f'], ['i'], { attributes: [integerAttribute('to', INT32)] }),
          ...shared(['i', 'i']),
        ],
        ...ends,
      }),
    ];
    for (const model of models) {
      const guarded = rewriteModel(bytesSource(model), [guardOperators(2 ** 26)]);
      expect(Buffer.compare(guarded, model)).not.toBe(0);
    }
  });
});
