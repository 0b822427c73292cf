import {
  ATTRIBUTE,
  ATTRIBUTE_TYPES,
  DIMENSION,
  FUNCTION,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  STRING_ENTRY,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from '../../shared/onnx/fields.ts';
import { encodeField, encodeVarint, encodeVarintField } from '../../shared/onnx/protobuf.ts';

/** Numbers of onnx.proto that only tests write. */
const FLOAT_TYPE = 1;
const LIST_TYPES = { floats: 6, ints: 7, strings: 8 } as const;
const ATTRIBUTE_FLOATS = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;

export const FLOAT = 1;
export const UINT8 = 2;
export const INT32 = 6;
export const INT64 = 7;
export const STRING = 8;
export const BOOL = 9;
export const FLOAT16 = 10;

export type Axis = number | string;

interface ModelParts {
  readonly nodes: readonly Uint8Array[];
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  /** Operator set versions by domain; the default domain is ''. */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly functions?: readonly Uint8Array[];
  readonly irVersion?: number;
  /** The name of the program that writes the file. */
  readonly producer?: string;
  /** Metadata that the producer of a file writes next to the graph. */
  readonly metadata?: readonly (readonly [key: string, value: string])[];
}

/** The bytes of an ONNX model. */
export function buildModel(parts: ModelParts): Uint8Array {
  const graph = join([
    ...parts.nodes.map((node) => encodeField(GRAPH.node, node)),
    encodeField(2, text('graph')),
    ...(parts.initializers ?? []).map((tensor) => encodeField(GRAPH_INITIALIZER, tensor)),
    ...parts.inputs.map((input) => encodeField(GRAPH.input, input)),
    ...parts.outputs.map((output) => encodeField(GRAPH.output, output)),
  ]);
  return join([
    encodeVarintField(MODEL.irVersion, parts.irVersion ?? 8),
    ...(parts.producer === undefined ? [] : [encodeField(MODEL.producer, text(parts.producer))]),
    encodeField(MODEL.graph, graph),
    ...importOperators(MODEL.opsetImport, parts.opsets ?? { '': 18 }),
    ...(parts.functions ?? []).map((each) => encodeField(MODEL.function, each)),
    ...(parts.metadata ?? []).map(([key, value]) =>
      encodeField(
        MODEL.metadata,
        join([encodeField(STRING_ENTRY.key, text(key)), encodeField(STRING_ENTRY.value, text(value))]),
      ),
    ),
  ]);
}

function importOperators(field: number, opsets: Readonly<Record<string, number>>): Uint8Array[] {
  return Object.entries(opsets).map(([domain, version]) => {
    const name = domain ? [encodeField(OPSET.domain, text(domain))] : [];
    return encodeField(field, join([...name, encodeVarintField(OPSET.version, version)]));
  });
}

interface FunctionParts {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Uint8Array[];
  readonly opsets?: Readonly<Record<string, number>>;
  /** Attributes that its nodes refer to: names without a default, and whole attributes with one. */
  readonly attributes?: readonly (string | Uint8Array)[];
}

/** A function of the domain `local`. Source: FunctionProto in onnx.proto. */
export function buildFunction(parts: FunctionParts): Uint8Array {
  return join([
    encodeField(1, text(parts.name)),
    ...parts.inputs.map((name) => encodeField(4, text(name))),
    ...parts.outputs.map((name) => encodeField(5, text(name))),
    ...(parts.attributes ?? []).map((attribute) =>
      typeof attribute === 'string'
        ? encodeField(6, text(attribute))
        : encodeField(FUNCTION.attribute, attribute),
    ),
    ...parts.nodes.map((node) => encodeField(FUNCTION.node, node)),
    ...importOperators(FUNCTION.opsetImport, parts.opsets ?? { '': 18 }),
    encodeField(10, text('local')),
  ]);
}

/** A graph inside a node, which sees the names around it. */
export function graphAttribute(
  name: string,
  parts: Pick<ModelParts, 'nodes' | 'outputs' | 'initializers'> & { readonly inputs?: readonly Uint8Array[] },
): Uint8Array {
  const graph = join([
    ...parts.nodes.map((node) => encodeField(GRAPH.node, node)),
    encodeField(2, text(name)),
    ...(parts.initializers ?? []).map((tensor) => encodeField(GRAPH_INITIALIZER, tensor)),
    ...(parts.inputs ?? []).map((input) => encodeField(GRAPH.input, input)),
    ...parts.outputs.map((output) => encodeField(GRAPH.output, output)),
  ]);
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    encodeField(ATTRIBUTE.graph, graph),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.graph),
  ]);
}

/** An attribute that is a constant. */
export function tensorAttribute(name: string, tensor: Uint8Array): Uint8Array {
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    encodeField(ATTRIBUTE.tensor, tensor),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.tensor),
  ]);
}

/** A model that returns its input `x` as its output `y`. */
export function identityModel(elementType: number, shape: readonly Axis[]): Uint8Array {
  return buildModel({
    nodes: [buildNode('Identity', ['x'], ['y'])],
    inputs: [tensorValue('x', elementType, shape)],
    outputs: [tensorValue('y', elementType, shape)],
  });
}

/** A model that adds its inputs `a` and `b`, float32 `[n]`, to its output `sum`. */
export function twoInputModel(): Uint8Array {
  return buildModel({
    nodes: [buildNode('Add', ['a', 'b'], ['sum'])],
    inputs: [tensorValue('a', FLOAT, ['n']), tensorValue('b', FLOAT, ['n'])],
    outputs: [tensorValue('sum', FLOAT, ['n'])],
  });
}

interface NodeOptions {
  readonly domain?: string;
  readonly attributes?: readonly Uint8Array[];
}

export function buildNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { domain, attributes = [] }: NodeOptions = {},
): Uint8Array {
  return join([
    ...inputs.map((name) => encodeField(NODE.input, text(name))),
    ...outputs.map((name) => encodeField(NODE.output, text(name))),
    encodeField(NODE.name, text(`${opType} of ${outputs[0]}`)),
    encodeField(NODE.opType, text(opType)),
    ...attributes.map((attribute) => encodeField(NODE.attribute, attribute)),
    ...(domain ? [encodeField(NODE.domain, text(domain))] : []),
  ]);
}

export function stringsAttribute(name: string, values: readonly string[]): Uint8Array {
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    ...values.map((value) => encodeField(ATTRIBUTE.strings, text(value))),
    encodeVarintField(ATTRIBUTE.type, LIST_TYPES.strings),
  ]);
}

export function textAttribute(name: string, value: string): Uint8Array {
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    encodeField(ATTRIBUTE.string, text(value)),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.string),
  ]);
}

export function integerAttribute(name: string, value: number | bigint): Uint8Array {
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    join([encodeVarint(ATTRIBUTE.integer * 8), encodeInt64(BigInt(value))]),
    encodeVarintField(ATTRIBUTE.type, ATTRIBUTE_TYPES.integer),
  ]);
}

export function floatAttribute(name: string, value: number): Uint8Array {
  const tag = encodeVarint(ATTRIBUTE.float * 8 + 5);
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    join([tag, new Uint8Array(Float32Array.of(value).buffer)]),
    encodeVarintField(ATTRIBUTE.type, FLOAT_TYPE),
  ]);
}

export function floatsAttribute(name: string, values: readonly number[]): Uint8Array {
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    encodeField(ATTRIBUTE_FLOATS, new Uint8Array(Float32Array.from(values).buffer)),
    encodeVarintField(ATTRIBUTE.type, LIST_TYPES.floats),
  ]);
}

/** Whole numbers, packed into one field or, as proto2 writers do, each in a field of its own. */
export function integersAttribute(name: string, values: readonly bigint[], packed = false): Uint8Array {
  const integers = values.map(encodeInt64);
  const tag = encodeVarint(ATTRIBUTE.ints * 8);
  return join([
    encodeField(ATTRIBUTE.name, text(name)),
    ...(packed
      ? [encodeField(ATTRIBUTE.ints, join(integers))]
      : integers.map((integer) => join([tag, integer]))),
    encodeVarintField(ATTRIBUTE.type, LIST_TYPES.ints),
  ]);
}

/** The declaration of a tensor; '' is an axis with neither size nor name. */
export function tensorValue(name: string, elementType: number, shape?: readonly Axis[]): Uint8Array {
  return valueInfo(name, encodeField(TYPE.tensor, tensorType(elementType, shape)));
}

/** The declaration of a sequence of tensors. */
export function sequenceValue(name: string, elementType: number): Uint8Array {
  const element = encodeField(TYPE.tensor, tensorType(elementType, ['']));
  return valueInfo(name, encodeField(TYPE.sequence, encodeField(1, element)));
}

/** The declaration of the output of a ZipMap: a sequence of maps from labels to probabilities. */
export function zipMapValue(name: string, keyType: number): Uint8Array {
  const value = encodeField(TYPE.tensor, tensorType(FLOAT, []));
  const map = join([encodeVarintField(1, keyType), encodeField(2, value)]);
  return valueInfo(name, encodeField(TYPE.sequence, encodeField(1, encodeField(TYPE.map, map))));
}

/** A constant of float32 numbers. */
export function floatInitializer(
  name: string,
  dims: readonly number[],
  values: readonly number[],
): Uint8Array {
  return initializer(name, FLOAT, dims, new Uint8Array(Float32Array.from(values).buffer));
}

/**
 * A float32 initializer of two elements that stands in another file, with entries such as `offset` and `length`.
 * Source: TensorProto in onnx.proto.
 */
export function externalInitializer(
  name: string,
  location: string | Uint8Array,
  entries: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entry = (key: string, value: string | Uint8Array) =>
    encodeField(
      13,
      join([encodeField(1, text(key)), encodeField(2, typeof value === 'string' ? text(value) : value)]),
    );
  return join([
    encodeVarintField(1, 2),
    encodeVarintField(2, FLOAT),
    encodeField(8, text(name)),
    entry('location', location),
    ...Object.entries(entries).map(([key, value]) => entry(key, value)),
    encodeVarintField(14, 1),
  ]);
}

/** A constant list of int64 numbers. */
export function int64Initializer(name: string, values: readonly number[]): Uint8Array {
  return initializer(name, INT64, [values.length], new Uint8Array(BigInt64Array.from(values, BigInt).buffer));
}

/** A constant by the bytes of its elements. */
export function initializer(
  name: string,
  dataType: number,
  dims: readonly number[],
  data: Uint8Array,
): Uint8Array {
  return join([
    ...dims.map((size) => encodeVarintField(TENSOR.dims, size)),
    encodeVarintField(TENSOR.dataType, dataType),
    encodeField(TENSOR.name, text(name)),
    encodeField(TENSOR.rawData, data),
  ]);
}

/** A constant of int64 numbers. */
export function integerInitializer(
  name: string,
  dims: readonly number[],
  values: readonly bigint[],
): Uint8Array {
  return join([
    ...dims.map((size) => encodeVarintField(TENSOR.dims, size)),
    encodeVarintField(TENSOR.dataType, INT64),
    encodeField(TENSOR.name, text(name)),
    encodeField(TENSOR.rawData, new Uint8Array(BigInt64Array.from(values).buffer)),
  ]);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

/** An int64 as protocol buffers write it: negative numbers as ten bytes of two's complement. */
export function encodeInt64(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}

function valueInfo(name: string, type: Uint8Array): Uint8Array {
  return join([encodeField(VALUE_INFO.name, text(name)), encodeField(VALUE_INFO.type, type)]);
}

function tensorType(elementType: number, shape: readonly Axis[] | undefined): Uint8Array {
  const element = encodeVarintField(TENSOR_TYPE.elementType, elementType);
  if (!shape) return element;
  const axes = shape.map((axis) => encodeField(SHAPE.dimension, encodeAxis(axis)));
  return join([element, encodeField(TENSOR_TYPE.shape, join(axes))]);
}

function encodeAxis(axis: Axis): Uint8Array {
  if (typeof axis === 'number') {
    return join([encodeVarint(DIMENSION.value * 8), encodeInt64(BigInt(axis))]);
  }
  return axis ? encodeField(DIMENSION.parameter, text(axis)) : new Uint8Array(0);
}
