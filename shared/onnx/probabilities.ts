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
import { readConstant } from './constants.ts';
import { GRAPH, NODE, TENSOR, VALUE_INFO } from './fields.ts';
import { countIds, ensembleBounds, forestBounds } from './forest-bounds.ts';
import { readList } from './ml-outputs.ts';
import { findAttribute, readFloat, readFloats, readNumber, readString } from './node-attributes.ts';
import { ML_DOMAIN, type Node, readName, readNode } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

/** Longest way back from an output; a graph can have circles only when it is broken. */
const LONGEST_WAY = 48;

/** Real graphs need a few dozen steps: a file can be made to need as many as there are ways through it. */
const MOST_STEPS = 100_000;

/** What keeps a sum from being 0; each can have a sum on either side, so that more of them take long to look through. */
const MOST_GUARDS = 6;

/** Operators that hand on the values of their first input, all or some of them, wherever they put them. */
const PASSING = new Set([
  ...['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose', 'Dropout'],
  ...['ArrayFeatureExtractor', 'Gather', 'GatherElements', 'GatherND', 'Slice', 'Split', 'Expand', 'Tile'],
  ...['Compress', 'TopK', 'ZipMap'],
  ...['ReduceMax', 'ReduceMin', 'ReduceMean', 'MaxPool', 'GlobalMaxPool', 'GlobalAveragePool'],
]);
/** Operators that hand on all values of their first input, each once. */
const SHAPING = ['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose'];
const JOINING = ['Concat', 'Mean'];

/** What holds for the outputs of operators whatever they are given. */
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
  ...Object.fromEntries(
    [
      'Equal',
      'Less',
      'LessOrEqual',
      'Greater',
      'GreaterOrEqual',
      'And',
      'Or',
      'Xor',
      'Not',
      'IsNaN',
      'IsInf',
    ].map((type) => [type, SHARE]),
  ),
};

/** Functions of one value that grow with it. */
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
 * The outputs whose values are probabilities as far as the graph says: each lies between 0 and 1, whatever the inputs
 * are. Their bounds follow from the operators and their attributes, from the output back. It is known of a softmax or
 * sigmoid, of the shares of a sum, of the leaves of a forest, and of the classifiers of `ai.onnx.ml` with a
 * `post_transform` or `prob_a`; margins, logits and votes have no bounds.
 *
 * Source: the ONNX and ONNX-ML operator lists.
 *
 * @param graph the field of the file that holds the graph
 */
export function findProbabilities(
  source: ByteSource,
  graph: Field,
  outputs: readonly string[],
): ReadonlySet<string> {
  const search = startSearch(source, graph);
  const isProbability = (output: string) => {
    const { low, high } = boundsOf(search, output, 0);
    return low >= 0 && high <= 1 + SHARE_ROUNDING;
  };
  return new Set(outputs.filter(isProbability));
}

interface Search {
  readonly source: ByteSource;
  /** The node that makes each value. */
  readonly makers: ReadonlyMap<string, Field>;
  readonly initializers: ReadonlyMap<string, Field>;
  /** Nodes that were read. */
  readonly nodes: Map<Field, Maker>;
  /** Values that were looked at: many can come from one of them. */
  readonly found: Map<string, Bounds>;
  /** How many more nodes are looked at; then nothing more is known. */
  left: number;
}

function startSearch(source: ByteSource, graph: Field): Search {
  const makers = new Map<string, Field>();
  const initializers = new Map<string, Field>();
  const inputs: string[] = [];
  for (const part of readFields(source, graph.start, graph.end)) {
    if (part.number === GRAPH.input) inputs.push(readName(source, part, VALUE_INFO.name));
    if (part.number === GRAPH.initializer) initializers.set(readName(source, part, TENSOR.name), part);
    if (part.number !== GRAPH.node) continue;
    const outputs = readFields(source, part.start, part.end, (number) => number === NODE.output);
    for (const output of outputs) makers.set(readText(source, output), part);
  }
  // Clients can send other values for those that are inputs as well.
  for (const name of inputs) initializers.delete(name);
  return { source, makers, initializers, nodes: new Map(), found: new Map(), left: MOST_STEPS };
}

interface Maker extends Node {
  readonly source: ByteSource;
  readonly field: Field;
}

function findMaker(search: Search, name: string): Maker | undefined {
  const { source, makers, nodes } = search;
  const field = makers.get(name);
  search.left -= 1;
  if (!field || search.left < 0) return undefined;
  const node = nodes.get(field) ?? { source, field, ...readNode(source, field) };
  nodes.set(field, node);
  return node;
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

/** In others an operator of a known name may do anything. */
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

function constantBounds({ source, initializers }: Search, name: string): Bounds {
  const field = initializers.get(name);
  return field ? rangeOf(readConstant(source, { kind: 'tensor', field })) : ANY;
}

function rangeOf(numbers: readonly number[] | undefined): Bounds {
  if (!numbers || numbers.length === 0) return ANY;
  return join(numbers.map((value) => ({ low: value, high: value })));
}

function clip(maker: Maker, value: Bounds, low: Bounds | undefined, high: Bounds | undefined): Bounds {
  // Before operator set 11 they were attributes.
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

/** What is brought back by the scale and zero point that it was quantised with has the values that it had. */
function dequantisedBounds(search: Search, { inputs: [name = '', ...scale] }: Maker, steps: number): Bounds {
  const quantiser = findMaker(search, name);
  const [value = '', ...others] = quantiser?.inputs ?? [];
  const isUndone = (own: readonly string[]) => String(own) === String(scale);
  if (quantiser?.type === 'QuantizeLinear' && isUndone(others)) return boundsOf(search, value, steps + 1);
  const givesShares = quantiser?.type === 'QLinearSoftmax' || quantiser?.type === 'QLinearSigmoid';
  return givesShares && isUndone(others.slice(2)) ? SHARE : ANY;
}

/** The value that was brought into another shape or type. */
function rootOf(search: Search, name: string): string {
  let root = name;
  for (let steps = 0; steps < LONGEST_WAY; steps++) {
    const maker = findMaker(search, root);
    if (!maker || !SHAPING.includes(maker.type) || cutsFractions(maker)) return root;
    root = maker.inputs[0] ?? '';
  }
  return root;
}

/** A value that loses its fraction is another one. */
function cutsFractions(maker: Maker): boolean {
  return (
    maker.type === 'CastLike' || (maker.type === 'Cast' && !FLOATS.includes(readNumber(maker, 'to', 0) ?? 0))
  );
}

/** float32, float16, double and bfloat16, by their numbers in the standard. */
const FLOATS = [1, 10, 11, 16];

/** Whether a value is divided by the sum that it is a part of, to which small numbers may be added. */
function isShare(
  search: Search,
  { inputs: [part = '', divisor = ''] }: Maker,
  parts: Bounds,
  steps: number,
): boolean {
  if (parts.low < 0) return false;
  const root = rootOf(search, part);
  return isSumOf(search, divisor, root, steps) || isShareWhereNothing(search, root, divisor, steps);
}

/** The same by way of the reciprocal of the sum. */
function isTimesShare(
  search: Search,
  { inputs: [part = '', factor = ''] }: Maker,
  parts: Bounds,
  steps: number,
): boolean {
  const maker = findMaker(search, factor);
  const isReciprocal = parts.low >= 0 && maker?.type === 'Reciprocal';
  return isReciprocal && isSumOf(search, maker.inputs[0] ?? '', rootOf(search, part), steps);
}

/** Where all parts are 0, scikit-learn's converter adds 1 to each of them, and their number to the sum. */
function isShareWhereNothing(search: Search, part: string, divisor: string, steps: number): boolean {
  const [partMaker, sumMaker] = [findMaker(search, part), findMaker(search, rootOf(search, divisor))];
  if (partMaker?.type !== 'Add' || sumMaker?.type !== 'Add') return false;
  const [value = '', added = ''] = partMaker.inputs;
  const [sumOfValues = '', addedToSum = ''] = sumMaker.inputs;
  const multiple = findMaker(search, addedToSum);
  return (
    isSumOf(search, sumOfValues, rootOf(search, value), steps) &&
    multiple?.type === 'Mul' &&
    multiple.inputs[0] === added &&
    boundsOf(search, multiple.inputs[1] ?? '', steps + 1).low >= 1
  );
}

function isSumOf(search: Search, name: string, part: string, steps: number, guards = 0): boolean {
  if (guards > MOST_GUARDS) return false;
  const maker = findMaker(search, rootOf(search, name));
  if (!maker) return false;
  const { type, inputs } = maker;
  const isSum = (index: number) => isSumOf(search, inputs[index] ?? '', part, steps + 1, guards + 1);
  const isNotNegative = (index: number) => boundsOf(search, inputs[index] ?? '', steps + 1).low >= 0;
  switch (type) {
    case 'ReduceSum':
    case 'ReduceL1':
      // Without its axis the sum would go along another one, unless it is put back.
      return (keepsAxes(maker) || maker.outputs[0] !== name) && rootOf(search, inputs[0] ?? '') === part;
    case 'Clip':
      return !hasMost(maker) && isSum(0);
    case 'Expand':
      return isSum(0);
    case 'Add':
    case 'Max':
      return (isSum(0) && isNotNegative(1)) || (isSum(1) && isNotNegative(0));
    case 'Where':
      return isTestOf(search, inputs[0], inputs[2]) && isSum(2) && isNotNegative(1);
    default:
      return false;
  }
}

function keepsAxes(maker: Maker): boolean {
  return readNumber(maker, 'keepdims', 1) === 1;
}

function hasMost(maker: Maker): boolean {
  return Boolean(maker.inputs[2]) || findAttribute(maker, 'max') !== undefined;
}

/** Whether a condition is that a value is equal to another one, such as a sum to 0. */
function isTestOf(search: Search, condition = '', value = ''): boolean {
  const maker = findMaker(search, condition);
  const root = rootOf(search, value);
  return maker?.type === 'Equal' && maker.inputs.some((input) => rootOf(search, input) === root);
}

/** Whether the largest or the logarithm of the sum of its powers is subtracted from a value, as a softmax does. */
function isLogOfShare(search: Search, { inputs: [value = '', subtracted = ''] }: Maker): boolean {
  const maker = findMaker(search, rootOf(search, subtracted));
  const root = rootOf(search, value);
  if (maker?.type === 'ReduceLogSumExp' || maker?.type === 'ReduceMax') {
    return rootOf(search, maker.inputs[0] ?? '') === root;
  }
  const summed = maker?.type === 'Log' ? findMaker(search, rootOf(search, maker.inputs[0] ?? '')) : undefined;
  const powers =
    summed?.type === 'ReduceSum' ? findMaker(search, rootOf(search, summed.inputs[0] ?? '')) : undefined;
  return powers?.type === 'Exp' && rootOf(search, powers.inputs[0] ?? '') === root;
}

/**
 * What the classifiers of ONNX-ML give for scores. Of two classes for which there is one number the runtime makes two of
 * it, and then leaves out a softmax; SVMClassifier has one number for two classes unless it has `prob_a`.
 */
const CLASSIFIERS: Readonly<Record<string, (maker: Maker) => Bounds>> = {
  LinearClassifier: (maker) => (['LOGISTIC', 'SOFTMAX'].includes(transformOf(maker)) ? SHARE : ANY),
  SVMClassifier: (maker) => {
    if (readFloats(maker, 'prob_a').length > 0) return SHARE;
    const transform = transformOf(maker);
    return transform === 'LOGISTIC' ||
      (transform === 'SOFTMAX' && readList(maker.source, maker, 'classlabels')?.length !== 2)
      ? SHARE
      : ANY;
  },
  TreeEnsembleClassifier: (maker) => {
    const transform = transformOf(maker);
    if (transform === 'LOGISTIC') return SHARE;
    if (transform === 'SOFTMAX' && countIds(maker, 'class_ids') > 1) return SHARE;
    return transform === 'PROBIT' ? ANY : forestBounds(maker);
  },
  TreeEnsemble: ensembleBounds,
};

function transformOf(maker: Maker): string {
  const transform = readString(maker, 'post_transform') ?? 'NONE';
  return transform === 'SOFTMAX_ZERO' ? 'SOFTMAX' : transform;
}
