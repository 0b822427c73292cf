import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { DATATYPES } from '../../../shared/tensor/datatype.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  floatsAttribute,
  initializer,
  integerAttribute,
  integersAttribute,
  stringsAttribute,
  tensorValue,
  textAttribute,
} from '../../support/build-model.ts';
import { untypedValue } from '../../sweep/open-model.ts';

/** A model whose output is as large as a client asks for. */
export interface SizedModel {
  readonly name: string;
  readonly model: Uint8Array;
  /** Inputs that ask for gigabytes, or for endless turns. */
  readonly huge: NamedTensors;
  /** Inputs that ask for little. */
  readonly small: NamedTensors;
}

type Feeds = Readonly<Record<string, Tensor>>;

interface Parts {
  /** Values that are in the file. */
  readonly constants?: Feeds;
  /** Whether the inputs are declared without a shape. */
  readonly isOpen?: boolean;
  readonly others?: Feeds;
  readonly attributes?: readonly Uint8Array[];
  readonly opset?: number;
  /** The inputs of the node in order, '' for one that is left out. By default all inputs, as they are listed. */
  readonly order?: readonly string[];
  readonly domain?: string;
}

const floats = (shape: readonly number[]) =>
  createTensor(
    'FP32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at + 1)),
  );
const list = (...values: readonly number[]) => createTensor('INT64', [values.length], values);
const scalar = (value: number) => createTensor('INT64', [], [value]);
const scales = (...values: readonly number[]) => createTensor('FP32', [values.length], values);
const x = floats([2, 3]);
const picture = floats([1, 1, 2, 3]);
/** They take more bytes than numbers do. */
const texts: Tensor = {
  datatype: 'BYTES',
  shape: [1],
  data: ['a text that is too long to be kept in its place'],
};

/** One model for each operator whose size a client can choose, and each of its forms. */
export const SIZED_MODELS: readonly SizedModel[] = [
  sized('ConstantOfShape', { n: list(1e5, 1e5) }, { n: list(3, 0) }),
  sized('Expand', { n: list(1e10, 2, 3) }, { n: list(4, 1, 3) }, { others: { x } }),
  sized('Expand', { n: list(1e10) }, { n: list(1) }, { others: { x: floats([2, 1]) } }),
  sized('Tile', { n: list(1e5, 1e5) }, { n: list(2, 0) }, { others: { x } }),
  sized(
    'Range',
    { a: scalar(0), n: scalar(1e10), s: scalar(1) },
    { a: scalar(5), n: scalar(1), s: scalar(-2) },
  ),
  sized(
    'Range',
    { a: one('FP32', 0), n: one('FP32', 1), s: one('FP32', 1e-10) },
    { a: one('FP32', 0), n: one('FP32', 1), s: one('FP32', 0.25) },
  ),
  sized(
    'Range',
    { a: one('INT32', -(2 ** 31)), n: one('INT32', 2 ** 31 - 1), s: one('INT32', 1) },
    { a: one('INT32', 3), n: one('INT32', 3), s: one('INT32', 1) },
  ),
  sized(
    'OneHot',
    { n: scalar(1e10) },
    { n: scalar(3) },
    {
      others: { i: list(0, 1), v: createTensor('FP32', [2], [0, 1]) },
      order: ['i', 'n', 'v'],
    },
  ),
  sized('Pad', { n: list(0, 1e5, 1e5, 0) }, { n: list(-1, 1, 1, 0) }, { others: { x } }),
  sized(
    'Pad',
    { n: list(1e9, 0) },
    { n: list(1, 1) },
    {
      others: { x, v: createTensor('FP32', [], [7]), axes: list(-1) },
      order: ['x', 'n', 'v', 'axes'],
    },
  ),
  sized(
    'Resize',
    { n: list(1, 1, 1e5, 1e5) },
    { n: list(1, 1, 3, 3) },
    {
      others: { x: picture },
      order: ['x', '', '', 'n'],
    },
  ),
  sized(
    'Resize',
    { n: list(1e5, 1e5) },
    { n: list(4, 4) },
    {
      others: { x: picture },
      order: ['x', '', '', 'n'],
      attributes: [integersAttribute('axes', [2n, 3n])],
    },
  ),
  sized(
    'Resize',
    { n: list(1, 1e9) },
    { n: list(4, 4) },
    {
      others: { x: picture },
      order: ['x', '', '', 'n'],
      attributes: [
        integersAttribute('axes', [2n, 3n]),
        textAttribute('keep_aspect_ratio_policy', 'not_smaller'),
      ],
    },
  ),
  sized(
    'Resize',
    { n: scales(1, 1, 1e5, 1e5) },
    { n: scales(1, 1, 2, 2) },
    {
      others: { x: picture },
      order: ['x', '', 'n'],
    },
  ),
  sized(
    'Resize',
    { n: scales(1, 1, 1e5, 1e5) },
    { n: scales(1, 1, 2, 2) },
    {
      others: { x: picture },
      opset: 10,
    },
  ),
  sized(
    'Upsample',
    { n: scales(1, 1, 1e5, 1e5) },
    { n: scales(1, 1, 2, 2) },
    {
      others: { x: picture },
      opset: 9,
    },
  ),
  sized('CenterCropPad', { n: list(1e5, 1e5) }, { n: list(4, 1) }, { others: { x } }),
  sized(
    'CenterCropPad',
    { n: list(1e9) },
    { n: list(2) },
    {
      others: { x },
      attributes: [integersAttribute('axes', [1n])],
    },
  ),
  sized(
    'MaxUnpool',
    { n: list(1, 1, 1e5, 1e5) },
    { n: list(1, 1, 4, 6) },
    {
      others: { x: picture, i: createTensor('INT64', [1, 1, 2, 3], [0, 1, 2, 3, 4, 5]) },
      order: ['x', 'i', 'n'],
      attributes: [integersAttribute('kernel_shape', [2n, 2n]), integersAttribute('strides', [2n, 2n])],
    },
  ),
  sized(
    'AffineGrid',
    { n: list(1, 1, 1e5, 1e5) },
    { n: list(1, 64, 2, 3) },
    {
      others: { x: floats([1, 2, 3]) },
      opset: 20,
    },
  ),
  ...['Hann', 'Hamming', 'Blackman'].map((name) =>
    sized(`${name}Window`, { n: scalar(1e10) }, { n: scalar(4) }),
  ),
  sized('DFT', { n: scalar(1e9) }, { n: scalar(5) }, { others: { x: floats([1, 4, 1]) } }),
  sized(
    'DFT',
    { n: scalar(1e9) },
    { n: scalar(5) },
    {
      others: { x: floats([1, 4, 1]), axis: scalar(1) },
      order: ['x', 'n', 'axis'],
      opset: 20,
    },
  ),
];

/** One model for each operator that makes a huge tensor from a small file, or from two inputs of a client. */
export const GROWING_MODELS: readonly SizedModel[] = [
  sized(
    'Range',
    { a: scalar(0), n: scalar(1e10), s: scalar(1) },
    { a: scalar(5), n: scalar(1), s: scalar(-2) },
    own(),
  ),
  sized('Range', { a: scalar(0), n: scalar(1e10) }, { a: scalar(5), n: scalar(8) }, own()),
  sized(
    'Pad',
    { n: list(2e5, 2e5, 0, 0) },
    { n: list(-1, 1, 1, 0) },
    own({ others: { x }, order: ['x', 'n'] }),
  ),
  sized('Tile', { n: list(1e8) }, { n: list(3) }, { others: { x: texts } }),
  sized('Expand', { n: list(1e8) }, { n: list(3) }, { others: { x: texts } }),
  sized('Tile', { n: list(1e5, 1e5) }, { n: list(2, 0) }, { others: { x }, opset: 7 }),
  grown('ConvTranspose', floats([1, 1, 9]), floats([1, 1, 2000]), {
    constants: { w: floats([1, 1, 1]) },
    attributes: [integersAttribute('strides', [1_000_000n])],
  }),
  grown('ConvTranspose', floats([2, 1, 2, 3]), floats([2, 1, 2000, 2]), {
    constants: { w: floats([1, 3, 2, 2]) },
    attributes: [integersAttribute('dilations', [9n, 100_000n])],
  }),
  grown('ConvTranspose', floats([2, 1, 3]), floats([400, 1, 3]), {
    constants: { w: floats([1, 1, 2]) },
    attributes: [integersAttribute('strides', [400_000n]), integersAttribute('output_shape', [800_000n])],
  }),
  grown(
    'Tile',
    texts,
    { datatype: 'BYTES', shape: [15_000], data: Array(15_000).fill('a') },
    { constants: { t: list(5000) } },
  ),
  grown('Tile', floats([2, 3]), floats([2000, 3]), { constants: { r: list(1, 100_000) } }),
  grown('Expand', floats([2, 1]), floats([30_000, 1]), { constants: { r: list(1, 10_000) } }),
  grown('Resize', floats([1, 1, 2, 3]), floats([1, 1, 200, 300]), {
    constants: { s: scales(1, 1, 100, 100) },
    order: ['x', '', 's'],
  }),
  grown('Resize', floats([1, 1, 2, 3]), floats([400, 1, 3, 3]), {
    constants: { s: list(1000, 1000) },
    order: ['x', '', '', 's'],
    attributes: [integersAttribute('axes', [2n, 3n])],
  }),
  grown('Upsample', floats([1, 1, 2, 3]), floats([1, 1, 200, 300]), {
    constants: { s: scales(1, 1, 100, 100) },
    opset: 9,
  }),
  grown('Upsample', floats([1, 1, 2, 3]), floats([1, 1, 200, 300]), {
    attributes: [floatsAttribute('scales', [1, 1, 100, 100])],
    opset: 7,
  }),
  grown('AveragePool', floats([1, 1, 2]), floats([50_000, 1, 2]), {
    attributes: [integersAttribute('kernel_shape', [6000n]), integersAttribute('pads', [5999n, 5999n])],
  }),
  grown('DFT', floats([2, 1, 1]), floats([40_000, 1, 1]), { constants: { l: scalar(8192) } }),
  grown('STFT', floats([1, 8200, 1]), floats([1, 50_000, 1]), {
    constants: { s: scalar(1), l: scalar(8192) },
    order: ['x', 's', '', 'l'],
  }),
  grown('OneHot', list(1, 2), list(...Array(400).fill(1)), {
    constants: { d: scalar(1_000_000), v: createTensor('FP32', [2], [0, 1]) },
  }),
  grown('Pad', floats([1, 2]), floats([40_000, 2]), { constants: { p: list(0, 5000, 0, 5000) } }),
  grown('Pad', floats([1, 2]), floats([40_000, 2]), {
    attributes: [integersAttribute('pads', [0n, 5000n, 0n, 5000n])],
    opset: 10,
  }),
  grown('Pad', floats([1, 2]), floats([40_000, 2]), {
    attributes: [integersAttribute('pads', [0n, 5000n, 0n, 5000n])],
    opset: 7,
  }),
  grown('MaxUnpool', floats([1, 1, 2]), floats([1, 1, 400]), {
    others: { i: createTensor('INT64', [1, 1, 2], [0, 1]) },
    attributes: [integersAttribute('kernel_shape', [2n]), integersAttribute('strides', [1_000_000n])],
  }),
  grown('Conv', floats([1, 1, 3]), floats([3000, 1, 3]), {
    constants: { w: floats([2, 1, 3]) },
    attributes: [integersAttribute('pads', [50_000n, 50_000n])],
  }),
  grown('FeatureVectorizer', floats([2, 3]), floats([400, 3]), {
    domain: 'ai.onnx.ml',
    attributes: [integersAttribute('inputdimensions', [1_000_000n])],
  }),
  grown('TreeEnsembleRegressor', floats([2, 3]), floats([400, 3]), {
    domain: 'ai.onnx.ml',
    attributes: [
      ...['treeids', 'nodeids', 'featureids', 'truenodeids', 'falsenodeids'].map((name) =>
        integersAttribute(`nodes_${name}`, [0n]),
      ),
      stringsAttribute('nodes_modes', ['LEAF']),
      floatsAttribute('nodes_values', [0]),
      ...['ids', 'nodeids', 'treeids'].map((name) => integersAttribute(`target_${name}`, [0n])),
      floatsAttribute('target_weights', [2]),
      integerAttribute('n_targets', 1_000_000),
    ],
  }),
  grown('TfIdfVectorizer', list(1, 2), createTensor('INT64', [400, 1], Array(400).fill(1)), {
    attributes: [
      integerAttribute('min_gram_length', 1),
      integerAttribute('max_gram_length', 1),
      integerAttribute('max_skip_count', 0),
      integersAttribute('ngram_counts', [0n]),
      integersAttribute('ngram_indexes', [999_999n]),
      integersAttribute('pool_int64s', [1n]),
      textAttribute('mode', 'TF'),
    ],
    isOpen: true,
  }),
  grown('MatMul', floats([2, 1]), floats([20_000, 1]), {
    others: { w: floats([1, 3]) },
    huge: { w: floats([1, 20_000]) },
  }),
  grown('Gemm', floats([2, 1]), floats([20_000, 1]), {
    others: { w: floats([3, 1]) },
    huge: { w: floats([20_000, 1]) },
    attributes: [integerAttribute('transB', 1)],
  }),
  grown('CDist', floats([2, 1]), floats([20_000, 1]), {
    ...own(),
    others: { w: floats([3, 1]) },
    huge: { w: floats([20_000, 1]) },
    attributes: [textAttribute('metric', 'sqeuclidean')],
  }),
  grown('Gather', floats([2, 3]), floats([1, 40_000]), {
    others: { i: list(0, 1) },
    huge: { i: list(...Array(10_000).fill(0)) },
  }),
  grown('GatherND', floats([2, 3]), floats([1, 40_000]), {
    others: { i: createTensor('INT64', [2, 1], [0, 1]) },
    huge: { i: createTensor('INT64', [10_000, 1], Array(10_000).fill(0)) },
  }),
  grown('ArrayFeatureExtractor', floats([2, 3]), floats([20_000, 2]), {
    domain: 'ai.onnx.ml',
    others: { i: list(0, 1) },
    huge: { i: list(...Array(20_000).fill(0)) },
  }),
  grown('GridSample', floats([1, 2, 3, 3]), floats([1, 20_000, 1, 1]), {
    others: { g: floats([1, 2, 2, 2]) },
    huge: { g: floats([1, 200, 100, 2]) },
  }),
  grown('RoiAlign', floats([1, 2, 6, 6]), floats([1, 20_000, 1, 1]), {
    others: { r: floats([2, 4]), b: list(0, 0) },
    huge: { r: floats([200, 4]), b: list(...Array(200).fill(0)) },
    attributes: [
      integerAttribute('output_height', 10),
      integerAttribute('output_width', 10),
      integerAttribute('sampling_ratio', 1),
    ],
  }),
  grown('Einsum', floats([2]), floats([20_000]), {
    others: { w: floats([3]) },
    huge: { w: floats([20_000]) },
    attributes: [textAttribute('equation', 'i,j->ij')],
  }),
];

/** A small model of the operators that the runtime has besides the standard ones. */
function own(parts: Parts = {}): Parts {
  return { ...parts, domain: 'com.microsoft' };
}

interface GrownParts extends Parts {
  /** The inputs that make the result huge, besides the first operand. */
  readonly huge?: Feeds;
}

function grown(operator: string, small: Tensor, huge: Tensor, parts: GrownParts): SizedModel {
  const { huge: others = {}, ...rest } = parts;
  return sized(
    operator,
    { ...rest.others, ...others, x: huge },
    { x: small },
    {
      order: ['x', ...Object.keys(rest.others ?? {}), ...Object.keys(rest.constants ?? {})],
      ...rest,
    },
  );
}

function one(datatype: 'FP32' | 'INT32', value: number): Tensor {
  return { ...createTensor(datatype, [], [value]) };
}

function sized(operator: string, huge: Feeds, small: Feeds, parts: Parts = {}): SizedModel {
  const {
    others = {},
    constants = {},
    attributes = [],
    opset = 18,
    domain = '',
    order = [...Object.keys(others), ...Object.keys(small)],
  } = parts;
  const feeds = { ...others, ...small };
  return {
    name: `${domain} ${operator} ${opset} ${order}`.trim(),
    model: buildModel({
      nodes: [buildNode(operator, order, ['y'], { attributes, domain })],
      inputs: Object.entries(feeds).map(([name, { datatype, shape }]) =>
        tensorValue(
          name,
          DATATYPES[datatype].code,
          // Resize takes no list of any length.
          parts.isOpen ? undefined : shape.map((size, axis) => (name === 'n' ? size : `${name}${axis}`)),
        ),
      ),
      outputs: [untypedValue('y')],
      initializers: Object.entries(constants).map(([name, tensor]) => constant(name, tensor)),
      opsets: { '': opset, ...(domain && { [domain]: 1 }) },
    }),
    huge: new Map(Object.entries({ ...others, ...huge })),
    small: new Map(Object.entries(feeds)),
  };
}

function constant(name: string, { datatype, shape, data }: Tensor): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new Error(`the constant ${name} has texts`);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return initializer(name, DATATYPES[datatype].code, shape, bytes);
}
