import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { DATATYPES } from '../../../shared/tensor/datatype.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { untypedValue } from '../../sweep/open-model.ts';
import { buildModel, buildNode, integersAttribute, tensorValue, textAttribute } from '../onnx/build-model.ts';

/** A model that makes as much as a client asks for. */
export interface SizedModel {
  readonly name: string;
  readonly model: Uint8Array;
  /** What asks for gigabytes, or for turns without end. */
  readonly huge: NamedTensors;
  /** What asks for little. */
  readonly small: NamedTensors;
}

type Feeds = Readonly<Record<string, Tensor>>;

interface Parts {
  readonly others?: Feeds;
  readonly attributes?: readonly Uint8Array[];
  readonly opset?: number;
  /** The inputs of the node in order, '' for one that is left out; as they come by default. */
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

function one(datatype: 'FP32' | 'INT32', value: number): Tensor {
  return { ...createTensor(datatype, [], [value]) };
}

function sized(operator: string, huge: Feeds, small: Feeds, parts: Parts = {}): SizedModel {
  const {
    others = {},
    attributes = [],
    opset = 18,
    order = [...Object.keys(others), ...Object.keys(small)],
  } = parts;
  const feeds = { ...others, ...small };
  return {
    name: `${operator} ${opset} ${order}`,
    model: buildModel({
      nodes: [buildNode(operator, order, ['y'], { attributes })],
      inputs: Object.entries(feeds).map(([name, { datatype, shape }]) =>
        tensorValue(
          name,
          DATATYPES[datatype].code,
          // Resize takes no list of any length.
          shape.map((size, axis) => (name === 'n' ? size : `${name}${axis}`)),
        ),
      ),
      outputs: [untypedValue('y')],
      opsets: { '': opset },
    }),
    huge: new Map(Object.entries({ ...others, ...huge })),
    small: new Map(Object.entries(feeds)),
  };
}
