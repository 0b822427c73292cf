import {
  ANY,
  add,
  type Bounds,
  divide,
  join,
  largest,
  multiply,
  NOT_NEGATIVE,
  NOT_POSITIVE,
  negate,
  SHARE,
  SHARE_ROUNDING,
  sum,
} from './bounds.ts';
import { findMaker, LONGEST_WAY, type Maker, type Search, startSearch } from './bounds-search.ts';
import { CLASSIFIERS } from './classifier-bounds.ts';
import { readConstant } from './constants.ts';
import { BOOLEAN_OPERATORS } from './element-types.ts';
import { readFloat, readNumber, readString } from './node-attributes.ts';
import { ML_DOMAIN } from './nodes.ts';
import type { ByteSource, Field } from './protobuf.ts';
import { isLogOfShare, isShare, isTimesShare } from './shares.ts';

/** Operators whose outputs only have values of their first input: all or some of them, in any order. */
const PASSING = new Set([
  ...['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose', 'Dropout'],
  ...['ArrayFeatureExtractor', 'Gather', 'GatherElements', 'GatherND', 'Slice', 'Split', 'Expand', 'Tile'],
  ...['Compress', 'TopK', 'ZipMap'],
  ...['ReduceMax', 'ReduceMin', 'ReduceMean', 'MaxPool', 'GlobalMaxPool', 'GlobalAveragePool'],
]);
const JOINING = ['Concat', 'Mean'];

/** Bounds that hold for the outputs of operators with any input. */
const FIXED: Readonly<Record<string, Bounds>> = {
  Softmax: SHARE,
  Sigmoid: SHARE,
  HardSigmoid: SHARE,
  LogSoftmax: NOT_POSITIVE,
  Softplus: NOT_NEGATIVE,
  Abs: NOT_NEGATIVE,
  ReduceL1: NOT_NEGATIVE,
  ReduceL2: NOT_NEGATIVE,
  ReduceSumSquare: NOT_NEGATIVE,
  ArgMax: NOT_NEGATIVE,
  ArgMin: NOT_NEGATIVE,
  Shape: NOT_NEGATIVE,
  Size: NOT_NEGATIVE,
  ...Object.fromEntries(BOOLEAN_OPERATORS.map((type) => [type, SHARE])),
};

/** Monotonically increasing functions of one value. */
const GROWING: Readonly<Record<string, (value: number) => number>> = {
  Exp: Math.exp,
  Tanh: Math.tanh,
  Relu: (value) => Math.max(0, value),
  Sqrt: (value) => Math.sqrt(Math.max(0, value)),
  Sign: Math.sign,
  Floor: Math.floor,
  Ceil: Math.ceil,
};

/**
 * The outputs whose values the graph shows to be probabilities: each is between 0 and 1 for any input. Their bounds
 * follow from the operators and their attributes, from the output backwards. Bounds are known for a softmax or sigmoid,
 * for the shares of a sum, for the leaves of a forest, and for the classifiers of `ai.onnx.ml` with a `post_transform`
 * or `prob_a`. Margins, logits and votes have no bounds.
 *
 * Source: the ONNX and ONNX-ML operator lists.
 *
 * @param graph the field of the file that holds the graph
 * @param outputs the outputs with their values in the graph
 */
export function findProbabilities(
  source: ByteSource,
  graph: Field,
  outputs: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const search = startSearch(source, graph, boundsOf);
  const isProbability = (value: string) => {
    const { low, high } = boundsOf(search, value, 0);
    return low >= 0 && high <= 1 + SHARE_ROUNDING;
  };
  return new Set([...outputs].flatMap(([name, value]) => (isProbability(value) ? [name] : [])));
}

function boundsOf(search: Search, name: string, steps: number): Bounds {
  const known = search.found.get(name);
  if (known) return known;
  if (steps > LONGEST_WAY) return ANY;
  const maker = findMaker(search, name);
  const bounds = maker ? boundsMade(search, maker, name, steps) : constantBounds(search, name);
  search.found.set(name, bounds);
  return bounds;
}

/** In other domains an operator with the same name may do anything. */
const DOMAINS = ['', 'ai.onnx', ML_DOMAIN, 'com.microsoft'];

function boundsMade(search: Search, maker: Maker, name: string, steps: number): Bounds {
  const { type, inputs } = maker;
  if (!DOMAINS.includes(maker.domain)) return ANY;
  const of = (index: number) => boundsOf(search, inputs[index] ?? '', steps + 1);
  const all = () => inputs.map((_, index) => of(index));
  if (maker.domain === ML_DOMAIN && CLASSIFIERS[type]) {
    return name === maker.outputs[type === 'TreeEnsemble' ? 0 : 1] ? CLASSIFIERS[type](maker) : ANY;
  }
  const fixed = FIXED[type];
  if (fixed) return fixed;
  if (type === 'Dropout' && inputs.length > 2) return ANY;
  if (type === 'ArrayFeatureExtractor' && search.initializers.has(inputs[0] ?? ''))
    return constantBounds(search, inputs[0] ?? '', MOST_LEAVES);
  if (PASSING.has(type)) return name === maker.outputs[0] || type === 'Split' ? of(0) : ANY;
  if (JOINING.includes(type)) return join(all());
  const grow = GROWING[type];
  if (grow) return { low: grow(of(0).low), high: grow(of(0).high) };
  switch (type) {
    case 'Constant':
      return rangeOf(readConstant(search.source, { kind: 'node', field: maker.field }));
    case 'Where':
      return join([of(1), of(2)]);
    case 'OneHot':
      return of(2);
    case 'Clip':
      return clip(maker, of(0), inputs[1] ? of(1) : undefined, inputs[2] ? of(2) : undefined);
    case 'Erf':
      return { low: of(0).low >= 0 ? 0 : -1, high: of(0).high <= 0 ? 0 : 1 };
    case 'Round':
      return { low: Math.floor(of(0).low), high: Math.ceil(of(0).high) };
    case 'DequantizeLinear':
      return dequantisedBounds(search, maker, steps);
    case 'Max':
      return largest(all());
    case 'Min':
      return negate(largest(all().map(negate)));
    case 'Neg':
      return negate(of(0));
    case 'Add':
    case 'Sum':
      return sum(all());
    case 'Sub':
      return isLogOfShare(search, maker) ? NOT_POSITIVE : add(of(0), negate(of(1)));
    case 'Mul':
      return isTimesShare(search, maker, of(0), steps) ? SHARE : multiply(of(0), of(1));
    case 'Div':
      return isShare(search, maker, of(0), steps) ? SHARE : divide(of(0), of(1));
    case 'Reciprocal':
      return divide({ low: 1, high: 1 }, of(0));
    case 'ReduceSum':
      return of(0).low >= 0 ? NOT_NEGATIVE : ANY;
    case 'Pow':
      return of(0).low >= 0 ? NOT_NEGATIVE : ANY;
    case 'Normalizer':
      return readString(maker, 'norm') === 'L1' && of(0).low >= 0 ? SHARE : ANY;
    case 'LpNormalization':
      return readNumber(maker, 'p', 2) === 1 && of(0).low >= 0 ? SHARE : ANY;
    default:
      return ANY;
  }
}

function constantBounds({ source, initializers }: Search, name: string, most?: number): Bounds {
  const field = initializers.get(name);
  return field ? rangeOf(readConstant(source, { kind: 'tensor', field }, most)) : ANY;
}

/** Most leaf values of one tree that are checked: 2 MB of them. */
const MOST_LEAVES = 2 ** 19;

function rangeOf(numbers: readonly number[] | undefined): Bounds {
  if (!numbers || numbers.length === 0) return ANY;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of numbers) {
    if (Number.isNaN(value)) return ANY;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

function clip(maker: Maker, value: Bounds, low: Bounds | undefined, high: Bounds | undefined): Bounds {
  // Before operator set 11 these were attributes.
  const least = low ?? constantOf(readFloat(maker, 'min', ANY.low));
  const most = high ?? constantOf(readFloat(maker, 'max', ANY.high));
  return {
    low: Math.min(Math.max(value.low, least.low), most.low),
    high: Math.min(Math.max(value.high, least.high), most.high),
  };
}

function constantOf(value: number): Bounds {
  return { low: value, high: value };
}

/**
 * If a value is dequantised with the scale and zero point that it was quantised with, its bounds are the original ones.
 */
function dequantisedBounds(search: Search, { inputs: [name = '', ...scale] }: Maker, steps: number): Bounds {
  const quantiser = findMaker(search, name);
  const [value = '', ...others] = quantiser?.inputs ?? [];
  const isUndone = (own: readonly string[]) => String(own) === String(scale);
  if (quantiser?.type === 'QuantizeLinear' && isUndone(others)) return boundsOf(search, value, steps + 1);
  const givesShares = quantiser?.type === 'QLinearSoftmax' || quantiser?.type === 'QLinearSigmoid';
  return givesShares && isUndone(others.slice(2)) ? SHARE : ANY;
}
