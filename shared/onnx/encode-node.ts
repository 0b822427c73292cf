import { ATTRIBUTE, ATTRIBUTE_TYPES, GRAPH, NODE, TENSOR, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields.ts';
import { type ByteSource, encodeField, encodeVarintField, type Field, readFields } from './protobuf.ts';

/** A name as bytes of a file. Names in the model are copied as bytes, as they need not be valid UTF-8. */
export type Name = Uint8Array;

/** A node of the default domain. */
export function encodeNode(
  type: string,
  inputs: readonly Name[],
  outputs: readonly Name[],
  attributes: readonly Uint8Array[] = [],
): Uint8Array {
  return Buffer.concat([
    ...inputs.map((name) => encodeField(NODE.input, name)),
    ...outputs.map((name) => encodeField(NODE.output, name)),
    encodeField(NODE.opType, encodeText(type)),
    ...attributes.map((attribute) => encodeField(NODE.attribute, attribute)),
  ]);
}

/** A node with some of its members rewritten and all others unchanged. */
export function replaceMembers(
  source: ByteSource,
  { start, end }: Field,
  isReplaced: (member: Field) => boolean,
  replacements: readonly Uint8Array[],
): Uint8Array {
  const kept = [...readFields(source, start, end)].filter((member) => !isReplaced(member));
  return Buffer.concat([
    ...kept.map((member) => source.bytes(member.fieldStart, member.end)),
    ...replacements,
  ]);
}

export function integerAttribute(name: string, value: number): Uint8Array {
  return encodeAttribute(name, ATTRIBUTE_TYPES.integer, encodeVarintField(ATTRIBUTE.integer, value));
}

export function integersAttribute(name: string, values: readonly number[]): Uint8Array {
  const list = values.map((value) => encodeVarintField(ATTRIBUTE.ints, value));
  return encodeAttribute(name, ATTRIBUTE_TYPES.integers, Buffer.concat(list));
}

export function textAttribute(name: string, value: string): Uint8Array {
  return encodeAttribute(name, ATTRIBUTE_TYPES.string, encodeField(ATTRIBUTE.string, encodeText(value)));
}

/** An attribute that takes its value from an integer attribute of the enclosing function. */
export function referenceAttribute(name: string, reference: string): Uint8Array {
  return encodeAttribute(
    name,
    ATTRIBUTE_TYPES.integer,
    encodeField(ATTRIBUTE.reference, encodeText(reference)),
  );
}

/** A constant: its elements as raw bytes, and their type. */
export function tensorAttribute(
  name: string,
  type: number,
  shape: readonly number[],
  elements: Uint8Array,
): Uint8Array {
  const tensor = Buffer.concat([
    ...shape.map((size) => encodeVarintField(TENSOR.dims, size)),
    encodeVarintField(TENSOR.type, type),
    encodeField(TENSOR.raw, elements),
  ]);
  return encodeAttribute(name, ATTRIBUTE_TYPES.tensor, encodeField(ATTRIBUTE.tensor, tensor));
}

export interface GraphParts {
  readonly nodes: readonly Uint8Array[];
  /** Scalars with their element types. */
  readonly inputs?: readonly (readonly [Name, type: number])[];
  readonly outputs: readonly Name[];
}

/** A graph inside a node. It sees the names of the enclosing graphs; the runtime infers the types of its outputs. */
export function graphAttribute(name: string, { nodes, inputs = [], outputs }: GraphParts): Uint8Array {
  const value = (of: Name) => encodeField(VALUE_INFO.name, of);
  const graph = Buffer.concat([
    ...nodes.map((node) => encodeField(GRAPH.node, node)),
    encodeField(GRAPH.name, encodeText(name)),
    ...inputs.map(([input, type]) =>
      encodeField(GRAPH.input, Buffer.concat([value(input), encodeScalarType(type)])),
    ),
    ...outputs.map((output) => encodeField(GRAPH.output, value(output))),
  ]);
  return encodeAttribute(name, ATTRIBUTE_TYPES.graph, encodeField(ATTRIBUTE.graph, graph));
}

function encodeScalarType(type: number): Uint8Array {
  const shape = encodeField(TENSOR_TYPE.shape, new Uint8Array(0));
  const tensor = Buffer.concat([encodeVarintField(TENSOR_TYPE.elementType, type), shape]);
  return encodeField(VALUE_INFO.type, encodeField(TYPE.tensor, tensor));
}

function encodeAttribute(name: string, type: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([
    encodeField(ATTRIBUTE.name, encodeText(name)),
    content,
    encodeVarintField(ATTRIBUTE.type, type),
  ]);
}

export function encodeText(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
