import { type ConstantHolder, readConstants } from './constants.ts';
import { elementTypeOf, readElementType } from './element-types.ts';
import { GRAPH, TENSOR } from './fields.ts';
import {
  type KnownShape,
  MOST_AXES,
  NodeShapes,
  OPEN,
  ranked,
  readDims,
  type Sizes,
  sized,
} from './node-shapes.ts';
import { type Node, readName, readNode } from './nodes.ts';
import { findLeastPlaces, isOfPlaces, sizesAfter } from './pools.ts';
import { type ByteSource, type Field, readFields } from './protobuf.ts';
import { readValueInfo } from './value-info.ts';
import { type Message, nameOperator, walkModel } from './walk.ts';

/** Values by their names. */
export interface Values {
  shape(name: string): KnownShape;
  /** Its element type, as `TensorProto.DataType`; undefined where the file does not say it. */
  elementType(name: string): number | undefined;
  /**
   * Whether a client chooses its numbers, or they are made of some that a client chooses. Sizes are not such numbers: what
   * has them is in memory already.
   */
  isChosen(name: string): boolean;
  /** Whether the file alone says its numbers, or what they are computed of. */
  isConstant(name: string): boolean;
  /** Its numbers where it is a short constant; several lists where its name is used again. */
  numbers(name: string): readonly (readonly number[])[];
  /** Its numbers where everything of its name is a short constant; undefined otherwise. */
  allNumbers(name: string): readonly number[] | undefined;
  /** How many places the node that gives it must be given, if it is the first of a chain of filters and pools. */
  leastPlaces(name: string): readonly number[] | undefined;
  /** Whether a MatMul takes it, as it is or converted. */
  isMultiplied(name: string): boolean;
}

/** The values of a model, and those of each of its functions. */
export type ValuesIn = (home: Message) => Values;

/**
 * Finds out how many axes the values of a model have, as far as its inputs, its constants and its operators say. It
 * errs on the open side: operators that are not a listed here give values of any shape.
 *
 * Graphs inside others count with them. Where names are used again, a value is as open as all that have its name.
 */
export function readValues(source: ByteSource): ValuesIn {
  const scopes = new Map<Message, Scope>();
  const homes = new Map<Message, Message>();
  for (const message of walkModel(source)) {
    const home =
      message.kind === 'model' || message.kind === 'function'
        ? message
        : homes.get(message.parent ?? message);
    if (!home) continue;
    homes.set(message, home);
    const scope = scopes.get(home) ?? new Scope(source);
    scopes.set(home, scope);
    if (message.kind === 'graph') scope.declare(message.field);
    if (message.kind === 'node') scope.nodes.push(message.field);
  }
  for (const scope of scopes.values()) scope.settle();
  // A walk makes messages of its own, which stand at the same places.
  const byPlace = new Map([...scopes].map(([{ field }, scope]) => [field.fieldStart, scope]));
  return ({ field }) => {
    const scope = byPlace.get(field.fieldStart);
    return {
      shape: (name) => scope?.values.get(name) ?? OPEN,
      elementType: (name) => scope?.elementType(name),
      isChosen: (name) => scope?.isChosen(name) ?? true,
      isConstant: (name) => scope?.constants.has(name) ?? false,
      numbers: (name) => scope?.numbers(name) ?? [],
      allNumbers: (name) => scope?.allNumbers(name),
      leastPlaces: (name) => scope?.leastPlaces().get(name),
      isMultiplied: (name) => scope?.multiplied.has(name) ?? true,
    };
  };
}

/** Operators that the runtime takes away between a Transpose and a MatMul, or makes a part of the latter. */
const FOLDED: ReadonlySet<string> = new Set([
  'Cast',
  'Identity',
  'Dropout',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Transpose',
]);

/** Values that see each other: those of the graph of a model, or those of a function. */
class Scope {
  readonly nodes: Field[] = [];
  readonly values = new Map<string, KnownShape>();
  readonly multiplied = new Set<string>();
  readonly constants = new Set<string>();
  /** Initializers and nodes that are Constants, by their names. */
  readonly #holders = new Map<string, ConstantHolder[]>();
  /** Where a converted value comes from. */
  readonly #folded = new Map<string, readonly string[]>();
  readonly #chosen = new Set<string>();
  readonly #ofPlaces: NodeShapes[] = [];
  #leastPlaces: ReadonlyMap<string, readonly number[]> | undefined;
  readonly #declared = new Map<string, KnownShape>();
  readonly #declaredTypes = new Map<string, number>();
  /** Element types of what has each name; several where it is used again. */
  readonly #types = new Map<string, (number | undefined)[]>();
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  isChosen(name: string): boolean {
    return this.#chosen.has(name) || !this.values.has(name);
  }

  leastPlaces(): ReadonlyMap<string, readonly number[]> {
    this.#leastPlaces ??= findLeastPlaces(this.#ofPlaces, {
      isConstant: (name) => this.constants.has(name),
      numbers: (name) => this.numbers(name),
    });
    return this.#leastPlaces;
  }

  numbers(name: string): readonly (readonly number[])[] {
    return readConstants(this.#source, this.#holders.get(name) ?? [], new Set([name])).get(name) ?? [];
  }

  allNumbers(name: string): readonly number[] | undefined {
    const lists = this.numbers(name);
    if (lists.length === 0 || lists.length !== this.#types.get(name)?.length) return undefined;
    // Numbers that are in another file are not read.
    const count = this.values.get(name)?.sizes?.reduce<number>((total, size) => total * (size ?? 0), 1);
    return lists.every(({ length }) => length === count) ? lists.flat() : undefined;
  }

  elementType(name: string): number | undefined {
    const [type, ...others] = this.#types.get(name) ?? [];
    return others.every((other) => other === type) ? type : undefined;
  }

  /** Takes what a graph says of its values. */
  declare(graph: Field): void {
    const constants = new Set<string>();
    const inputs = new Map<string, { known: KnownShape; elementType: number | undefined }>();
    for (const part of readFields(this.#source, graph.start, graph.end, isDeclaration)) {
      if (part.number === GRAPH.initializer) {
        const name = readName(this.#source, part, TENSOR.name);
        this.#define(name, sized(readDims(this.#source, part)), readElementType(this.#source, part));
        constants.add(name);
        this.constants.add(name);
        this.#hold(name, { kind: 'tensor', field: part });
        continue;
      }
      const { name, kind, shape, elementType } = readValueInfo(this.#source, part);
      if (part.number !== GRAPH.input && elementType) this.#declaredTypes.set(name, elementType);
      const isTensor = kind === 'tensor' && shape !== undefined;
      const known = isTensor ? sized(shape.map(sizeOf)) : OPEN;
      if (part.number === GRAPH.input) inputs.set(name, { known, elementType });
      else this.#declared.set(name, widen(this.#declared.get(name), known));
    }
    // Older files list their constants as inputs as well.
    for (const [name, { known, elementType }] of inputs) {
      if (constants.has(name)) continue;
      this.#define(name, known, elementType);
      this.#chosen.add(name);
    }
  }

  /** Goes through the nodes, whose inputs are there before them. */
  settle(): void {
    const { values } = this;
    for (const field of this.nodes) {
      const node = readNode(this.#source, field);
      const context = new NodeShapes(this.#source, node, (name) => values.get(name) ?? OPEN);
      this.#followMultiplied(node);
      if (isOfPlaces(nameOperator(node.domain, node.type))) this.#ofPlaces.push(context);
      const isChosen = this.#makesChosen(node);
      const isConstant = this.#makesConstant(node);
      if (node.type === 'Constant') this.#hold(node.outputs[0] ?? '', { kind: 'node', field });
      for (const [index, name] of node.outputs.entries()) {
        const type =
          elementTypeOf(context, index, (other) => this.elementType(other)) ?? this.#declaredTypes.get(name);
        this.#define(name, shapeOf(context, index), type);
        if (isChosen) this.#chosen.add(name);
        if (isConstant) this.constants.add(name);
      }
    }
  }

  #hold(name: string, holder: ConstantHolder): void {
    const others = this.#holders.get(name);
    if (others) others.push(holder);
    else this.#holders.set(name, [holder]);
  }

  #followMultiplied({ type, inputs, outputs: [output = ''] }: Node): void {
    if (FOLDED.has(type)) this.#folded.set(output, inputs);
    if (type !== 'MatMul') return;
    const [first = '', second = ''] = inputs;
    for (const [name, other] of [
      [first, second],
      [second, first],
    ] as const) {
      // With weights it is refused where it has other sizes.
      if (this.values.get(other)?.sizes?.some((size) => isKnown(size) && size > 0)) continue;
      this.#addMultiplied(name);
    }
  }

  #addMultiplied(name: string): void {
    const open = [name];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (this.multiplied.has(next)) continue;
      this.multiplied.add(next);
      open.push(...(this.#folded.get(next) ?? []));
    }
  }

  /** Operators with graphs inside see more than their inputs. */
  #makesChosen({ domain, type, inputs }: Node): boolean {
    const operator = nameOperator(domain, type);
    if (operator === 'Shape' || operator === 'Size') return false;
    return WITH_GRAPHS.has(operator) || inputs.some((name) => name !== '' && this.isChosen(name));
  }

  /** A node that takes nothing is a Constant, or makes random numbers. */
  #makesConstant({ domain, type, inputs }: Node): boolean {
    const isInside = WITH_GRAPHS.has(nameOperator(domain, type));
    return !isInside && inputs.every((name) => name === '' || this.constants.has(name));
  }

  #define(name: string, shape: KnownShape, elementType: number | undefined): void {
    if (name === '') return;
    const types = this.#types.get(name);
    if (types) types.push(elementType);
    else this.#types.set(name, [elementType]);
    const declared = this.#declared.get(name);
    this.values.set(name, widen(this.values.get(name), declared ? narrow(shape, declared) : shape));
  }
}

const WITH_GRAPHS: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);

const DECLARATIONS: ReadonlySet<number> = new Set([
  GRAPH.initializer,
  GRAPH.input,
  GRAPH.output,
  GRAPH.valueInfo,
]);

function isDeclaration(number: number): boolean {
  return DECLARATIONS.has(number);
}

/** A size below 0 is what some exporters write for an open one. */
function sizeOf(axis: number | string): number | undefined {
  return typeof axis === 'number' && axis >= 0 ? axis : undefined;
}

/** What holds for both of two shapes. */
function widen(first: KnownShape | undefined, second: KnownShape): KnownShape {
  if (!first) return second;
  const least = Math.min(first.least, second.least);
  const most = Math.max(first.most, second.most);
  const [sizes, others] = [first.sizes, second.sizes];
  if (!sizes || !others || least !== most) return { least, most };
  return sized(sizes.map((size, axis) => (size === others[axis] ? size : undefined)));
}

/** What is known from two sides. Where they contradict each other nothing is. */
function narrow(first: KnownShape, second: KnownShape): KnownShape {
  const least = Math.max(first.least, second.least);
  const most = Math.min(first.most, second.most);
  if (least > most) return OPEN;
  const sizes = first.sizes ?? second.sizes;
  if (!sizes) return { least, most };
  return sized(sizes.map((size, axis) => size ?? second.sizes?.[axis]));
}

type Rule = (shapes: NodeShapes) => KnownShape;

function shapeOf(shapes: NodeShapes, output: number): KnownShape {
  const { domain, type } = shapes.node;
  const rule = RULES.get(nameOperator(domain, type));
  // Classifiers give labels and then a matrix. Further outputs of others mostly have another shape than the first.
  if (output === 1 && CLASSIFIERS.has(nameOperator(domain, type))) return ranked(2);
  return rule && (output === 0 || ALIKE.has(type)) ? rule(shapes) : OPEN;
}

/** The same values in the same places, or others. */
const same: Rule = (shapes) => shapes.input(0);

/** As many axes as the first input, of other sizes. */
const asFirst: Rule = (shapes) => ranked(shapes.input(0).least, shapes.input(0).most);

/** As many axes as the input with the most. */
const broadcast: Rule = (shapes) => {
  const inputs = shapes.node.inputs.map((_, index) => shapes.input(index));
  const least = inputs.reduce((largest, each) => Math.max(largest, each.least), 0);
  const most = inputs.reduce((largest, each) => Math.max(largest, each.most), 0);
  if (least !== most) return ranked(least, most);
  return sized(Array.from({ length: least }, (_, axis) => stretch(inputs, axis - least)));
};

/** The size that inputs have together, on an axis that is counted from the last one. */
function stretch(inputs: readonly KnownShape[], fromLast: number): number | undefined {
  const sizes = inputs.flatMap((each) => (each.most < -fromLast ? [] : [each.sizes?.at(fromLast)]));
  const stretched = sizes.find((size) => isKnown(size) && size !== 1);
  return stretched ?? (sizes.every(isKnown) ? 1 : undefined);
}

/** Inputs of one number of axes each. */
const alike =
  (...indices: readonly number[]): Rule =>
  (shapes) => {
    const inputs = indices.map((index) => shapes.input(index));
    const least = Math.max(...inputs.map((each) => each.least));
    return ranked(least, Math.max(least, Math.min(...inputs.map(({ most }) => most))));
  };

/** Filters and pools. Where the file does not say all, they have as many axes as some operands. */
const places =
  (...ranks: readonly number[]): Rule =>
  (shapes) => {
    const sizes = sizesAfter(shapes, nameOperator(shapes.node.domain, shapes.node.type));
    return sizes ? sized(sizes) : alike(...ranks)(shapes);
  };

const always =
  (shape: KnownShape): Rule =>
  () =>
    shape;

/** Axes are taken away unless they are kept, which is the default. */
const reduce =
  (list: (shapes: NodeShapes) => number | undefined): Rule =>
  (shapes) => {
    const { least, most } = shapes.input(0);
    if (shapes.integer('keepdims', 1) === 1) return ranked(least, most);
    const axes = list(shapes);
    // None given means all of them.
    return !axes ? ranked(0, most) : ranked(Math.max(0, least - axes), Math.max(0, most - axes));
  };

const concat: Rule = (shapes) => {
  const inputs = shapes.node.inputs.map((_, index) => shapes.input(index));
  const least = inputs.reduce((largest, each) => Math.max(largest, each.least), 0);
  const most = inputs.reduce((fewest, each) => Math.min(fewest, each.most), Number.POSITIVE_INFINITY);
  if (least !== 1 || most !== 1) return ranked(least, Math.max(least, most));
  // A list, such as the shape for a Reshape. One whose size is open makes the sum open.
  const sizes = inputs.map((each) => each.sizes?.[0]);
  return sized([sizes.every(isKnown) ? sizes.reduce((total, size) => total + size, 0) : undefined]);
};

function isKnown(size: number | undefined): size is number {
  return size !== undefined;
}

const gather: Rule = (shapes) => {
  const [data, indices] = [shapes.input(0), shapes.input(1)];
  const isOfList = data.least === 1 && data.most === 1 && indices.sizes;
  if (isOfList) return sized(isOfList);
  return ranked(Math.max(0, data.least - 1) + indices.least, Math.max(0, data.most - 1) + indices.most);
};

const unsqueeze: Rule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.listLength('axes', 1);
  if (axes === undefined || axes > MOST_AXES) return ranked(least, Number.POSITIVE_INFINITY);
  return most === 0 ? sized(Array(axes).fill(1)) : ranked(least + axes, most + axes);
};

const squeeze: Rule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.listLength('axes', 1);
  if (!axes) return ranked(0, most);
  return ranked(Math.max(0, least - axes), Math.max(0, most - axes));
};

const transpose: Rule = (shapes) => {
  const order = shapes.integers('perm');
  const { sizes } = shapes.input(0);
  if (order.length === 0) return sizes ? sized(sizes.toReversed()) : asFirst(shapes);
  return sizes ? sized(order.map((axis) => sizes[axis])) : ranked(order.length);
};

/** As many axes as a list of sizes has elements. */
const constantOfShape: Rule = (shapes) => {
  const axes = shapes.input(0).sizes?.[0];
  return axes === undefined ? OPEN : ranked(axes);
};

/** Whatever becomes a vector keeps its elements. */
const reshape: Rule = (shapes) => {
  const axes = shapes.listLength('shape', 1);
  const { sizes } = shapes.input(0);
  if (axes === 1 && sizes?.every(isKnown)) return sized([sizes.reduce((total, size) => total * size, 1)]);
  return axes === undefined ? OPEN : ranked(axes);
};

const expand: Rule = (shapes) => {
  const { least, most } = shapes.input(0);
  const axes = shapes.input(1).sizes?.[0];
  return ranked(Math.max(least, axes ?? 0), Math.max(most, axes ?? Number.POSITIVE_INFINITY));
};

const shape: Rule = (shapes) => {
  const { least, most } = shapes.input(0);
  const isPart = shapes.attribute('start') ?? shapes.attribute('end');
  return sized([least === most && !isPart ? least : undefined]);
};

/** Vectors lose an axis. */
const multiply: Rule = (shapes) => {
  const [a, b] = [shapes.input(0), shapes.input(1)];
  const hasVectors = a.least < 2 || b.least < 2;
  const least = Math.max(a.least, b.least);
  const most = Math.max(a.most, b.most);
  if (hasVectors || least !== most) return ranked(hasVectors ? Math.max(0, least - 1) : least, most);
  const open: Sizes = Array(least - 2).fill(undefined);
  return sized([...open, a.sizes?.at(-2), b.sizes?.at(-1)]);
};

const constant: Rule = (shapes) => {
  const tensor = shapes.tensor('value');
  if (tensor) return tensor;
  const isScalar = ['value_int', 'value_float', 'value_string'].some((name) => shapes.attribute(name));
  if (isScalar) return sized([]);
  return shapes.attribute('sparse_value') ? OPEN : ranked(1);
};

/** The letters after the arrow; without one the operator chooses them. */
const einsum: Rule = (shapes) => {
  const letters = shapes.text('equation')?.split('->')[1]?.replace(/\s/g, '');
  return letters === undefined || letters.includes('.') ? OPEN : ranked(letters.length);
};

/** Vectors become matrices of one row. */
const rows: Rule = (shapes) => ranked(Math.max(2, shapes.input(0).least), Math.max(2, shapes.input(0).most));

const oneMore: Rule = (shapes) => ranked(shapes.input(0).least + 1, shapes.input(0).most + 1);

/** Operators all of whose outputs have as many axes as the first. */
const ALIKE: ReadonlySet<string> = new Set(['Split', 'TopK', 'Dropout', 'MaxPool']);

const CLASSIFIERS: ReadonlySet<string> = new Set(
  ['Linear', 'SVM', 'TreeEnsemble'].map((kind) => `ai.onnx.ml.${kind}Classifier`),
);

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
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
    .map((type): [string, Rule] => [type, same]),
  ...['Pad', 'Slice', 'Split', 'Tile', 'TopK', 'Resize', 'Upsample', 'DepthToSpace', 'SpaceToDepth']
    .concat(['LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'])
    .concat(['MaxUnpool', 'GridSample', 'Attention'])
    .map((type): [string, Rule] => [type, asFirst]),
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'Min', 'Max', 'Sum', 'Mean', 'And', 'Or', 'Xor', 'Where']
    .concat(['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual', 'PRelu'])
    .map((type): [string, Rule] => [type, broadcast]),
  ...['Conv', 'com.microsoft.FusedConv'].map((type): [string, Rule] => [type, places(0, 1)]),
  ...['ConvTranspose', 'ConvInteger'].map((type): [string, Rule] => [type, alike(0, 1)]),
  ...['MaxPool', 'AveragePool'].map((type): [string, Rule] => [type, places(0)]),
  ['QLinearConv', places(0, 3)],
  ['GatherElements', alike(0, 1)],
  ...['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map(
    (name): [string, Rule] => [`Reduce${name}`, reduce((shapes) => shapes.listLength('axes', 1))],
  ),
  ...['ArgMax', 'ArgMin'].map((type): [string, Rule] => [type, reduce(() => 1)]),
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
  ...['Scaler', 'Imputer', 'Normalizer', 'Binarizer', 'LabelEncoder'].map((type): [string, Rule] => [
    `ai.onnx.ml.${type}`,
    same,
  ]),
  ['ai.onnx.ml.OneHotEncoder', oneMore],
  ['ai.onnx.ml.ArrayFeatureExtractor', rows],
  ...['FeatureVectorizer', 'LinearRegressor', 'SVMRegressor', 'TreeEnsembleRegressor', 'TreeEnsemble'].map(
    (type): [string, Rule] => [`ai.onnx.ml.${type}`, always(ranked(2))],
  ),
]);
