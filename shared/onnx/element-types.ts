import { ATTRIBUTE, ELEMENT_TYPES, GRAPH, TENSOR } from './fields.ts';
import type { NodeShapes } from './node-shapes.ts';
import { type ByteSource, type Field, readFields } from './protobuf.ts';
import { readValueInfo } from './value-info.ts';
import { nameOperator } from './walk.ts';

/** Operators whose outputs are booleans. */
export const BOOLEAN_OPERATORS = [
  ...['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual'],
  ...['And', 'Or', 'Xor', 'Not', 'IsNaN', 'IsInf'],
];

/** The element type of the value with this name, as `TensorProto.DataType`; undefined if the file does not say. */
export type TypeOf = (name: string) => number | undefined;

type Rule = (node: NodeShapes, output: number, typeOf: TypeOf) => number | undefined;

/** The element type of an output of a node; for a sequence, the type of its tensors. */
export function elementTypeOf(node: NodeShapes, output: number, typeOf: TypeOf): number | undefined {
  return RULES.get(nameOperator(node.node.domain, node.node.type))?.(node, output, typeOf);
}

/** The element type of a tensor in a file. */
export function readElementType(source: ByteSource, tensor: Field): number | undefined {
  const [type] = readFields(source, tensor.start, tensor.end, (number) => number === TENSOR.type);
  return type?.value;
}

const of =
  (operand: number): Rule =>
  ({ node }, _, typeOf) =>
    typeOf(node.inputs[operand] ?? '');

const always =
  (type: number): Rule =>
  () =>
    type;

/** The first output has the type of an operand; the others hold indices. */
const withPlaces: Rule = (node, output, typeOf) =>
  output === 0 ? of(0)(node, output, typeOf) : ELEMENT_TYPES.int64;

/** The type whose number is in an attribute, or else the type of the first operand. */
const named =
  (attribute: string): Rule =>
  (node, output, typeOf) =>
    node.attribute(attribute) ? node.integer(attribute, 0) : of(0)(node, output, typeOf);

const tensor: Rule = (node) => {
  const [value] = node.members('value', ATTRIBUTE.tensor);
  return value && readElementType(node.source, value);
};

const constant: Rule = (node, ...rest) => {
  const isWhole = ['value_int', 'value_ints'].some((name) => node.attribute(name));
  if (isWhole) return ELEMENT_TYPES.int64;
  const isText = ['value_string', 'value_strings'].some((name) => node.attribute(name));
  return isText ? ELEMENT_TYPES.string : tensor(node, ...rest);
};

/** The types of the outputs of an inner graph, after skipping those that are not outputs of the node. */
const inner =
  (attribute: string, skipped = 0): Rule =>
  (node, output) => {
    const [graph] = node.members(attribute, ATTRIBUTE.graph);
    if (!graph) return undefined;
    const outputs = readFields(node.source, graph.start, graph.end, (number) => number === GRAPH.output);
    const declared = [...outputs][output + skipped];
    return declared && (readValueInfo(node.source, declared).elementType || undefined);
  };

const FIRST = [
  'Identity',
  'Abs',
  'Neg',
  'Sign',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Mod',
  'Pow',
  'Min',
  'Max',
  'Sum',
]
  .concat(['Clip', 'Relu', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Concat', 'Split'])
  .concat(['Slice', 'Gather', 'GatherElements', 'GatherND', 'Scatter', 'ScatterElements', 'ScatterND'])
  .concat(['Pad', 'Tile', 'Expand', 'Compress', 'ReverseSequence', 'Trilu', 'CumSum', 'CumProd', 'Range'])
  .concat(['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot', 'DepthToSpace', 'SpaceToDepth'])
  .concat(['Resize', 'Upsample', 'CenterCropPad', 'TensorScatter', 'Mean', 'MatMul', 'Gemm', 'Einsum'])
  .concat(['Floor', 'Ceil', 'Round', 'Sqrt', 'Exp', 'Log', 'Reciprocal', 'Sin', 'Cos', 'Tanh', 'Sigmoid'])
  .concat(['Erf', 'Softmax', 'LogSoftmax', 'LeakyRelu', 'Elu', 'Gelu', 'Conv', 'ConvTranspose', 'Col2Im'])
  .concat(['BatchNormalization', 'InstanceNormalization', 'LayerNormalization', 'GlobalAveragePool'])
  .concat(['AveragePool', 'Hardmax', 'PRelu', 'Dropout', 'GridSample', 'StringNormalizer', 'StringConcat'])
  .concat(['SequenceConstruct', 'SequenceAt', 'SequenceInsert', 'SequenceErase', 'SplitToSequence'])
  .concat(['ConcatFromSequence', 'ReverseSequence', 'Optional', 'OptionalGetElement'])
  .concat(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map(
      (name) => `Reduce${name}`,
    ),
  )
  .concat(['Range', 'Pad', 'ExpandDims', 'Trilu', 'GatherND'].map((name) => `com.microsoft.${name}`))
  .concat(['ai.onnx.ml.ArrayFeatureExtractor', 'ai.onnx.ml.Imputer']);

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...FIRST.map((operator) => [operator, of(0)] as const),
  ...['Shape', 'Size', 'NonZero', 'ArgMax', 'ArgMin', 'NonMaxSuppression', 'SequenceLength'].map(
    (operator) => [operator, always(ELEMENT_TYPES.int64)] as const,
  ),
  ...BOOLEAN_OPERATORS.map((operator) => [operator, always(ELEMENT_TYPES.boolean)] as const),
  ...['MatMulInteger', 'ConvInteger'].map((operator) => [operator, always(ELEMENT_TYPES.int32)] as const),
  ...['TopK', 'Unique', 'MaxPool'].map((operator) => [operator, withPlaces] as const),
  ['Cast', named('to')],
  ['EyeLike', named('dtype')],
  ['CastLike', of(1)],
  ['Where', of(1)],
  ['DequantizeLinear', of(1)],
  ['OneHot', of(2)],
  ['Constant', constant],
  [
    'ConstantOfShape',
    (node, ...rest) => (node.attribute('value') ? tensor(node, ...rest) : ELEMENT_TYPES.float32),
  ],
  ['StringSplit', (_, output) => (output === 0 ? ELEMENT_TYPES.string : ELEMENT_TYPES.int64)],
  ['If', inner('then_branch')],
  ['Loop', inner('body', 1)],
  ['Scan', inner('body')],
]);
