import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  floatInitializer,
  graphAttribute,
  INT64,
  integerAttribute,
  integersAttribute,
  tensorValue,
  textAttribute,
} from '../../support/build-model.ts';
import { untypedValue } from '../../sweep/open-model.ts';
import type { ChildRequest } from './request-in-child.ts';

interface Neighbour extends ChildRequest {
  readonly name: string;
  /** Feeds with an answer. */
  readonly ordinary: ChildRequest['feeds'];
}

type Feeds = Readonly<Record<string, Tensor>>;

const ones = (...shape: number[]) =>
  createTensor('FP32', shape, Array(shape.reduce((a, b) => a * b, 1)).fill(1));
const axis = (value: number) => integerAttribute('axis', value);
const toBoolean = { attributes: [integerAttribute('to', BOOL)] };

/** Other models than the smallest ones that end the process in the same ways. */
export const NEIGHBOURS: readonly Neighbour[] = [
  ...(
    [
      ['bij,bkj->bik', [0, 2, 2], [0, 2, 2], [2, 2, 2]],
      ['bij,bkj->bik', [2, 2, 0], [2, 2, 0], [2, 2, 2]],
      ['ij,kj->ik', [2, 0], [3, 0], [2, 2]],
    ] as const
  ).map(([equation, x, y, both]) =>
    single(
      'Einsum',
      `${equation} of [${x}]`,
      { x: ones(...x), k: ones(...y) },
      { x: ones(...both), k: ones(...both) },
      [textAttribute('equation', equation)],
    ),
  ),
  ...['Identity', 'Mul', 'Transpose'].map((between) =>
    neighbour(
      `MatMul, of a Transpose after which comes ${between}`,
      { q: ones(0, 2, 8), k: ones(2, 8, 0), two: ones(1) },
      { q: ones(3, 2, 8), k: ones(2, 8, 3), two: ones(1) },
      [
        buildNode('Transpose', ['q'], ['t'], { attributes: [integersAttribute('perm', [1n, 0n, 2n])] }),
        between === 'Transpose'
          ? buildNode('Transpose', ['t'], ['s'], { attributes: [integersAttribute('perm', [0n, 1n, 2n])] })
          : buildNode(between, between === 'Mul' ? ['t', 'two'] : ['t'], ['s']),
        buildNode('MatMul', ['s', 'k'], ['z']),
        buildNode('Add', ['z', 'two'], ['y']),
      ],
    ),
  ),
  single('Concat', 'along the first axis', { a: ones(0), b: ones(1, 1) }, { a: ones(2, 1), b: ones(1, 1) }, [
    axis(0),
  ]),
  single('Concat', 'along the last axis', { a: ones(0), b: ones(1, 1) }, { a: ones(1, 0), b: ones(1, 1) }, [
    axis(-1),
  ]),
  neighbour(
    'ConcatFromSequence, on a new axis',
    { a: ones(0), b: ones(1, 1) },
    { a: ones(1, 1), b: ones(1, 1) },
    [
      buildNode('SequenceConstruct', ['a', 'b'], ['sequence']),
      buildNode('ConcatFromSequence', ['sequence'], ['y'], {
        attributes: [axis(1), integerAttribute('new_axis', 1)],
      }),
    ],
  ),
  neighbour(
    'Loop, with a body that gives an empty condition',
    { none: ones(0), x: ones(1) },
    { none: ones(1), x: ones(1) },
    [
      buildNode('Cast', ['none'], ['empty'], toBoolean),
      buildNode('Constant', [], ['turns'], { attributes: [integerAttribute('value_int', 3)] }),
      buildNode('Loop', ['turns', '', 'x'], ['y'], {
        attributes: [
          graphAttribute('body', {
            nodes: [buildNode('Identity', ['empty'], ['on']), buildNode('Add', ['before', 'x'], ['after'])],
            inputs: [
              tensorValue('turn', INT64, []),
              tensorValue('cond', BOOL, []),
              tensorValue('before', FLOAT),
            ],
            outputs: [tensorValue('on', BOOL), tensorValue('after', FLOAT)],
          }),
        ],
      }),
    ],
  ),
  neighbour(
    'MatMul of what is transposed, which the runtime makes one node of',
    { a: ones(0, 0, 0), b: ones(0, 0, 0) },
    { a: ones(2, 3, 4), b: ones(3, 4, 5) },
    [
      buildNode('Transpose', ['a'], ['t'], { attributes: [integersAttribute('perm', [1n, 0n, 2n])] }),
      buildNode('MatMul', ['t', 'b'], ['y']),
    ],
    18,
    false,
  ),
  single('Attention', 'no heads of the keys', heads(2, 0), heads(2, 1), [], 23),
  single(
    'Attention',
    'three axes and no number of heads',
    { q: ones(1, 1, 4), k: ones(1, 1, 4), v: ones(1, 1, 4) },
    heads(1, 1),
    [],
    23,
  ),
  single(
    'DFT',
    'one element of half a spectrum in an older operator set',
    { x: ones(1, 1, 2) },
    { x: ones(1, 3, 2) },
    [integerAttribute('onesided', 1), integerAttribute('inverse', 1)],
    17,
  ),
  single('DFT', 'no axis', { x: ones(1, 0, 1) }, { x: ones(1, 4, 1) }, [], 20),
  single(
    'MaxRoiPool',
    'five axes',
    { x: ones(1, 2, 6, 6, 0), rois: ones(2, 5) },
    { x: ones(2, 2, 6, 6), rois: ones(2, 5) },
    [integersAttribute('pooled_shape', [2n, 2n])],
  ),
  single('Multinomial', 'four axes', { x: ones(1, 1, 0, 0) }, { x: ones(2, 1) }, [floatAttribute('seed', 1)]),
  {
    name: 'FeatureVectorizer, in a model without the default operator set',
    model: buildModel({
      nodes: [
        buildNode('FeatureVectorizer', ['a', 'b'], ['y'], {
          domain: 'ai.onnx.ml',
          attributes: [integersAttribute('inputdimensions', [1n, 1n])],
        }),
      ],
      inputs: ['a', 'b'].map((name) => tensorValue(name, FLOAT, ['n', 1])),
      outputs: [tensorValue('y', FLOAT)],
      opsets: { 'ai.onnx.ml': 1 },
    }),
    feeds: new Map(['a', 'b'].map((name) => [name, ones(0, 1)])),
    ordinary: new Map(['a', 'b'].map((name) => [name, ones(3, 1)])),
  },
  single(
    'Resize',
    'a thousand scales in an older operator set',
    { x: ones(1, 1, 2, 2), scales: ones(1000) },
    { x: ones(1, 1, 2, 2), scales: ones(4) },
    [textAttribute('mode', 'linear')],
    10,
  ),
  ...['If', 'Loop', 'a function'].map((place) => ({
    name: `LSTM, in ${place}`,
    model: lstmIn(place),
    feeds: new Map([['x', ones(1, 0, 2)]]),
    ordinary: new Map([['x', ones(3, 2, 2)]]),
  })),
  ...[7, 9, 10, 12, 13, 22].map((opset) =>
    single(
      'Conv',
      `scalars, in operator set ${opset}`,
      { x: ones(), w: ones() },
      { x: ones(1, 2, 5), w: ones(3, 2, 3) },
      [],
      opset,
    ),
  ),
  ...[6, 7, 11, 22].map((opset) =>
    single(
      'InstanceNormalization',
      `no places, in operator set ${opset}`,
      { x: ones(1, 1, 0), s: ones(1), b: ones(1) },
      { x: ones(2, 1, 3), s: ones(1), b: ones(1) },
      [],
      opset,
    ),
  ),
  ...[1, 6, 7, 11, 22].map((opset) =>
    single(
      'ConvTranspose',
      `no places, in operator set ${opset}`,
      { x: ones(1, 1, 0), w: ones(1, 1, 3) },
      { x: ones(1, 1, 2), w: ones(1, 1, 3) },
      [],
      opset,
    ),
  ),
];

function heads(own: number, others: number): Feeds {
  return { q: ones(1, own, 1, 4), k: ones(1, others, 1, 4), v: ones(1, others, 1, 4) };
}

function single(
  operator: string,
  cause: string,
  fatal: Feeds,
  ordinary: Feeds,
  attributes: readonly Uint8Array[] = [],
  opset = 18,
): Neighbour {
  const node = buildNode(operator, Object.keys(fatal), ['y'], { attributes });
  return neighbour(`${operator}, ${cause}`, fatal, ordinary, [node], opset);
}

function neighbour(
  name: string,
  fatal: Feeds,
  ordinary: Feeds,
  nodes: readonly Uint8Array[],
  opset = 18,
  isOpen = true,
): Neighbour {
  const model = buildModel({
    nodes,
    inputs: Object.entries(fatal).map(([input, { shape }]) =>
      tensorValue(input, FLOAT, isOpen ? undefined : shape.map((_, at) => `${input}${at}`)),
    ),
    outputs: [untypedValue('y')],
    opsets: { '': opset },
  });
  return { name, model, feeds: new Map(Object.entries(fatal)), ordinary: new Map(Object.entries(ordinary)) };
}

function lstmIn(place: string): Uint8Array {
  const attributes = [integerAttribute('hidden_size', 1)];
  const lstm = (output: string) => buildNode('LSTM', ['x', 'w', 'r'], [output], { attributes });
  const weights = (name: string, width: number) =>
    floatInitializer(
      name,
      [1, 4, width],
      Array.from({ length: 4 * width }, (_, at) => Math.sin(at)),
    );
  const parts = {
    inputs: [tensorValue('x', FLOAT)],
    outputs: [tensorValue('y', FLOAT)],
    initializers: [weights('w', 2), weights('r', 1)],
  };
  if (place === 'a function') {
    return buildModel({
      ...parts,
      nodes: [buildNode('Cell', ['x', 'w', 'r'], ['y'], { domain: 'local' })],
      opsets: { '': 18, local: 1 },
      functions: [
        buildFunction({ name: 'Cell', inputs: ['x', 'w', 'r'], outputs: ['z'], nodes: [lstm('z')] }),
      ],
    });
  }
  const count = buildNode('Size', ['x'], ['size']);
  if (place === 'If') {
    const branches = ['then_branch', 'else_branch'].map((name) =>
      graphAttribute(name, { nodes: [lstm(name)], outputs: [tensorValue(name, FLOAT)] }),
    );
    return buildModel({
      ...parts,
      nodes: [
        count,
        buildNode('Cast', ['size'], ['some'], toBoolean),
        buildNode('If', ['some'], ['y'], { attributes: branches }),
      ],
    });
  }
  const body = graphAttribute('body', {
    nodes: [buildNode('Identity', ['cond'], ['on']), lstm('cell')],
    inputs: [tensorValue('turn', INT64, []), tensorValue('cond', BOOL, []), tensorValue('before', FLOAT)],
    outputs: [tensorValue('on', BOOL, []), tensorValue('cell', FLOAT)],
  });
  return buildModel({
    ...parts,
    nodes: [
      buildNode('Constant', [], ['turns'], { attributes: [integerAttribute('value_int', 1)] }),
      buildNode('Loop', ['turns', '', 'x'], ['y'], { attributes: [body] }),
    ],
  });
}
