import {
  isKnown,
  type KnownShape,
  MOST_AXES,
  type NodeShapes,
  OPEN,
  ranked,
  type Sizes,
  sized,
} from './node-shapes.ts';
import { sizesAfter } from './pools.ts';
import { nameOperator } from './walk.ts';

type ShapeRule = (shapes: NodeShapes) => KnownShape;

/** What is known about the shape of an output of a node. */
export function shapeOf(shapes: NodeShapes, output: number): KnownShape {
  const { domain, type } = shapes.node;
  const rule = RULES.get(nameOperator(domain, type));
  // Classifiers have an output of labels and then a matrix. The further outputs of other operators usually differ from
  // the first in shape.
  if (output === 1 && CLASSIFIERS.has(nameOperator(domain, type))) return ranked(2);
  return rule && (output === 0 || ALIKE.has(type)) ? rule(shapes) : OPEN;
}

/** Whether the first output of an operator has the shape of its first input. */
export function keepsShape(operator: string): boolean {
  return RULES.get(operator) === same;
}

/** Operators that broadcast their operands to each other. */
export const STRETCHING: readonly string[] = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Min', 'Max', 'Sum', 'Mean', 'And', 'Or', 'Xor', 'Where'],
  ...['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual', 'PRelu'],
  ...['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'],
];

/** The shape of the input, with the same values or others. */
const same: ShapeRule = (shapes) => shapes.input(0);

/** As many axes as the first input, with other sizes. */
const asFirst: ShapeRule = (shapes) => ranked(shapes.input(0).least, shapes.input(0).most);

/** As many axes as the input with the most. */
const broadcast: ShapeRule = (shapes) => {
  const inputs = shapes.node.inputs.map((_, index) => shapes.input(index));
  const least = inputs.reduce((largest, each) => Math.max(largest, each.least), 0);
  const most = inputs.reduce((largest, each) => Math.max(largest, each.most), 0);
  if (least !== most) return ranked(least, most);
  return sized(Array.from({ length: least }, (_, axis) => stretch(inputs, axis - least)));
};

/** The broadcast size of the inputs on an axis that is counted from the last one. */
function stretch(inputs: readonly KnownShape[], fromLast: number): number | undefined {
  const sizes = inputs.flatMap((each) => (each.most < -fromLast ? [] : [each.sizes?.at(fromLast)]));
  const stretched = sizes.find((size) => isKnown(size) && size !== 1);
  return stretched ?? (sizes.every(isKnown) ? 1 : undefined);
}

/** Inputs that each have a fixed number of axes. */
const alike =
  (...indices: readonly number[]): ShapeRule =>
  (shapes) => {
    const inputs = indices.map((index) => shapes.input(index));
    const least = Math.max(...inputs.map((each) => each.least));
    return ranked(least, Math.max(least, Math.min(...inputs.map(({ most }) => most))));
  };

/** Filters and pools. If the file does not say everything, they have as many axes as some of their operands. */
const places =
  (...ranks: readonly number[]): ShapeRule =>
  (shapes) => {
    const sizes = sizesAfter(shapes, nameOperator(shapes.node.domain, shapes.node.type));
    return sizes ? sized(sizes) : alike(...ranks)(shapes);
  };

const always =
  (shape: KnownShape): ShapeRule =>
  () =>
    shape;

/** Axes are removed unless they are kept, which is the default. */
const reduce =
  (list: (shapes: NodeShapes) => number | undefined): ShapeRule =>
  (shapes) => {
    const { least, most } = shapes.input(0);
    if (shapes.integer('keepdims', 1) === 1) return ranked(least, most);
    const axes = list(shapes);
    // Without axes, it means all of them.
    return !axes ? ranked(0, most) : ranked(Math.max(0, least - axes), Math.max(0, most - axes));
  };

const concat: ShapeRule = (shapes) => {
  const inputs = shapes.node.inputs.map((_, index) => shapes.input(index));
  const least = inputs.reduce((largest, each) => Math.max(largest, each.least), 0);
  const most = inputs.reduce((fewest, each) => Math.min(fewest, each.most), Number.POSITIVE_INFINITY);
  if (least !== 1 || most !== 1) return ranked(least, Math.max(least, most));
  // A list, such as the shape for a Reshape. If the size of one is open, so is the sum.
  const sizes = inputs.map((each) => each.sizes?.[0]);
  return sized([sizes.every(isKnown) ? sizes.reduce((total, size) => total + size, 0) : undefined]);
};

const gather: ShapeRule = (shapes) => {
  const [data, indices] = [shapes.input(0), shapes.input(1)];
  const isOfList = data.least === 1 && data.most === 1 && indices.sizes;
  if (isOfList) return sized(isOfList);
  return ranked(Math.max(0, data.least - 1) + indices.least, Math.max(0, data.most - 1) + indices.most);
};

const unsqueeze: ShapeRule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.listLength('axes', 1);
  if (axes === undefined || axes > MOST_AXES) return ranked(least, Number.POSITIVE_INFINITY);
  return most === 0 ? sized(Array(axes).fill(1)) : ranked(least + axes, most + axes);
};

const squeeze: ShapeRule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.listLength('axes', 1);
  if (!axes) return ranked(0, most);
  return ranked(Math.max(0, least - axes), Math.max(0, most - axes));
};

const transpose: ShapeRule = (shapes) => {
  const order = shapes.integers('perm');
  const { sizes } = shapes.input(0);
  if (order.length === 0) return sizes ? sized(sizes.toReversed()) : asFirst(shapes);
  return sizes ? sized(order.map((axis) => sizes[axis])) : ranked(order.length);
};

/** As many axes as a list of sizes has elements. */
const constantOfShape: ShapeRule = (shapes) => {
  const axes = shapes.input(0).sizes?.[0];
  return axes === undefined ? OPEN : ranked(axes);
};

/** The output is a vector with all elements. */
const reshape: ShapeRule = (shapes) => {
  const axes = shapes.listLength('shape', 1);
  const { sizes } = shapes.input(0);
  if (axes === 1 && sizes?.every(isKnown)) return sized([sizes.reduce((total, size) => total * size, 1)]);
  return axes === undefined ? OPEN : ranked(axes);
};

const expand: ShapeRule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.input(1).sizes?.[0];
  return ranked(Math.max(least, axes ?? 0), Math.max(most, axes ?? Number.POSITIVE_INFINITY));
};

const shape: ShapeRule = (shapes) => {
  const { least, most } = shapes.input(0);
  const isPart = shapes.attribute('start') ?? shapes.attribute('end');
  return sized([least === most && !isPart ? least : undefined]);
};

/** Axes of operands that are vectors are dropped. */
const multiply: ShapeRule = (shapes) => {
  const [a, b] = [shapes.input(0), shapes.input(1)];
  const hasVectors = a.least < 2 || b.least < 2;
  const least = Math.max(a.least, b.least);
  const most = Math.max(a.most, b.most);
  if (hasVectors || least !== most) return ranked(hasVectors ? Math.max(0, least - 1) : least, most);
  const open: Sizes = Array(least - 2).fill(undefined);
  return sized([...open, a.sizes?.at(-2), b.sizes?.at(-1)]);
};

const constant: ShapeRule = (shapes) => {
  const tensor = shapes.tensor('value');
  if (tensor) return tensor;
  const isScalar = ['value_int', 'value_float', 'value_string'].some((name) => shapes.attribute(name));
  if (isScalar) return sized([]);
  return shapes.attribute('sparse_value') ? OPEN : ranked(1);
};

/** The letters after the arrow; without one the operator chooses them. */
const einsum: ShapeRule = (shapes) => {
  const letters = shapes.text('equation')?.split('->')[1]?.replace(/\s/g, '');
  return letters === undefined || letters.includes('.') ? OPEN : ranked(letters.length);
};

/** Vectors become matrices with one row. */
const rows: ShapeRule = (shapes) =>
  ranked(Math.max(2, shapes.input(0).least), Math.max(2, shapes.input(0).most));

const oneMore: ShapeRule = (shapes) => ranked(shapes.input(0).least + 1, shapes.input(0).most + 1);

/** Operators all of whose outputs have as many axes as the first. */
const ALIKE: ReadonlySet<string> = new Set(['Split', 'TopK', 'Dropout', 'MaxPool']);

const CLASSIFIERS: ReadonlySet<string> = new Set(
  ['Linear', 'SVM', 'TreeEnsemble'].map((kind) => `ai.onnx.ml.${kind}Classifier`),
);

const RULES: ReadonlyMap<string, ShapeRule> = new Map<string, ShapeRule>([
  ...[
    'Identity',
    'Cast',
    'Relu',
    'Sigmoid',
    'Tanh',
    'Neg',
    'Abs',
    'Sqrt',
    'Erf',
    'Exp',
    'Log',
    'Floor',
    'Ceil',
  ]
    .concat(['Not', 'Reciprocal', 'Round', 'Sign', 'Sin', 'Cos', 'IsNaN', 'Clip', 'LeakyRelu', 'Elu', 'Selu'])
    .concat(['Gelu', 'HardSigmoid', 'HardSwish', 'Mish', 'Softplus', 'Softsign', 'Softmax', 'LogSoftmax'])
    .concat([
      'Hardmax',
      'Dropout',
      'BatchNormalization',
      'InstanceNormalization',
      'LayerNormalization',
      'CumSum',
    ])
    .concat(['GroupNormalization', 'RMSNormalization', 'LRN', 'LpNormalization', 'MeanVarianceNormalization'])
    .concat(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'ScatterElements', 'ScatterND'])
    .concat(['Scatter', 'CastLike', 'Trilu', 'ReverseSequence', 'Celu', 'ThresholdedRelu', 'Swish'])
    .map((type): [string, ShapeRule] => [type, same]),
  ...['Pad', 'Slice', 'Split', 'Tile', 'TopK', 'Resize', 'Upsample', 'DepthToSpace', 'SpaceToDepth']
    .concat(['LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'])
    .concat(['MaxUnpool', 'GridSample', 'Attention'])
    .map((type): [string, ShapeRule] => [type, asFirst]),
  ...STRETCHING.map((type): [string, ShapeRule] => [type, broadcast]),
  ...['Conv', 'com.microsoft.FusedConv'].map((type): [string, ShapeRule] => [type, places(0, 1)]),
  ...['ConvTranspose', 'ConvInteger'].map((type): [string, ShapeRule] => [type, alike(0, 1)]),
  ...['MaxPool', 'AveragePool'].map((type): [string, ShapeRule] => [type, places(0)]),
  ['QLinearConv', places(0, 3)],
  ['GatherElements', alike(0, 1)],
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map(
    (name): [string, ShapeRule] => [`Reduce${name}`, reduce((shapes) => shapes.listLength('axes', 1))],
  ),
  ...['ArgMax', 'ArgMin'].map((type): [string, ShapeRule] => [type, reduce(() => 1)]),
  ['Concat', concat],
  ['Gather', gather],
  ['Unsqueeze', unsqueeze],
  ['Squeeze', squeeze],
  ['Transpose', transpose],
  ['Reshape', reshape],
  ['ConstantOfShape', constantOfShape],
  ['Expand', expand],
  ['Shape', shape],
  ['Size', always(sized([]))],
  ['Constant', constant],
  ['MatMul', multiply],
  ['MatMulInteger', multiply],
  ['Einsum', einsum],
  ['OneHot', oneMore],
  ['Gemm', always(ranked(2))],
  ['Flatten', always(ranked(2))],
  ['NonZero', always(ranked(2))],
  ['NonMaxSuppression', always(ranked(2))],
  ['Range', always(ranked(1))],
  ['RoiAlign', always(ranked(4))],
  ['LSTM', always(ranked(4))],
  ['GRU', always(ranked(4))],
  ['RNN', always(ranked(4))],
  ...['Scaler', 'Imputer', 'Normalizer', 'Binarizer', 'LabelEncoder'].map((type): [string, ShapeRule] => [
    `ai.onnx.ml.${type}`,
    same,
  ]),
  ['ai.onnx.ml.OneHotEncoder', oneMore],
  ['ai.onnx.ml.ArrayFeatureExtractor', rows],
  ...['FeatureVectorizer', 'LinearRegressor', 'SVMRegressor', 'TreeEnsembleRegressor', 'TreeEnsemble'].map(
    (type): [string, ShapeRule] => [`ai.onnx.ml.${type}`, always(ranked(2))],
  ),
]);
