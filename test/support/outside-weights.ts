import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  graphAttribute,
  INT64,
  initializer,
  int64Initializer,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorAttribute,
  tensorValue,
  textAttribute,
  zipMapValue,
} from './build-model.ts';

/** Makes the weights, a float32 tensor of two elements, by its name. */
type Weights = (name: string) => Uint8Array;

type Parts = Parameters<typeof buildModel>[0];

/** Nodes that a graph can have besides its sum, and for which it is rewritten when it is loaded. */
const EXTRAS: Readonly<Record<string, Pick<Parts, 'nodes' | 'outputs'>>> = {
  none: { nodes: [], outputs: [] },
  ZipMap: {
    nodes: [
      buildNode('ZipMap', ['y'], ['maps'], {
        domain: 'ai.onnx.ml',
        attributes: [integersAttribute('classlabels_int64s', [0n, 1n])],
      }),
    ],
    outputs: [zipMapValue('maps', INT64)],
  },
  StringNormalizer: {
    nodes: [
      buildNode('Constant', [], ['word'], { attributes: [stringsAttribute('value_strings', ['Ä'])] }),
      buildNode('StringNormalizer', ['word'], ['lowered'], {
        attributes: [textAttribute('case_change_action', 'LOWER'), textAttribute('locale', 'xx_XX.UTF-8')],
      }),
    ],
    outputs: [tensorValue('lowered', STRING, [1])],
  },
  TopK: {
    nodes: [
      buildNode('Constant', [], ['k'], { attributes: [tensorAttribute('value', int64Initializer('', [1]))] }),
      buildNode('TopK', ['y', 'k'], ['largest', 'places']),
    ],
    outputs: [tensorValue('largest', FLOAT), tensorValue('places', INT64)],
  },
};

const constant = (name: string, value: Uint8Array) =>
  buildNode('Constant', [], [name], { attributes: [tensorAttribute('value', value)] });

const branch = (name: string, weights: Weights) =>
  graphAttribute(name, {
    nodes: [buildNode('Add', ['x', `${name} w`], [`${name} y`])],
    outputs: [tensorValue(`${name} y`, FLOAT)],
    initializers: [weights(`${name} w`)],
  });

/** Where in a model the weights of its sum can be. */
const PLACES: Readonly<Record<string, (weights: Weights) => Partial<Parts>>> = {
  initializer: (weights) => ({
    nodes: [buildNode('Add', ['x', 'w'], ['y'])],
    initializers: [weights('w')],
  }),
  constant: (weights) => ({ nodes: [constant('w', weights('w')), buildNode('Add', ['x', 'w'], ['y'])] }),
  'nested graph': (weights) => ({
    nodes: [
      constant('yes', initializer('', BOOL, [], Uint8Array.of(1))),
      buildNode('If', ['yes'], ['y'], {
        attributes: [branch('then_branch', weights), branch('else_branch', weights)],
      }),
    ],
  }),
  function: (weights) => ({
    nodes: [buildNode('Sum', ['x'], ['y'], { domain: 'local' })],
    functions: [
      buildFunction({
        name: 'Sum',
        inputs: ['a'],
        outputs: ['b'],
        nodes: [constant('w', weights('w')), buildNode('Add', ['a', 'w'], ['b'])],
      }),
    ],
  }),
};

export const KINDS = Object.keys(EXTRAS).flatMap((extra) =>
  Object.keys(PLACES).map((place) => [extra, place] as const),
);

/** A model that adds its weights to its input `x`, float32 [n, 2], with an operator that is rewritten. */
export function sumModel(extra: string, place: string, weights: Weights): Uint8Array {
  const { nodes = [], outputs = [] } = EXTRAS[extra] ?? {};
  const sum = PLACES[place]?.(weights) ?? {};
  return buildModel({
    ...sum,
    nodes: [...(sum.nodes ?? []), ...nodes],
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2]), ...outputs],
    opsets: { '': 18, 'ai.onnx.ml': 3, local: 1 },
  });
}
