import { ATTRIBUTE, NODE } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, type Field, readFields, readVarints } from './protobuf.ts';

/** A node with its attributes and the file that it is in. */
export interface AttributeHolder {
  readonly source: ByteSource;
  readonly field: Field;
}

/** An attribute of the node by name. */
export function findAttribute({ source, field }: AttributeHolder, name: string): Field | undefined {
  return [...readFields(source, field.start, field.end)].find(
    (member) => member.number === NODE.attribute && readName(source, member, ATTRIBUTE.name) === name,
  );
}

/** The number of an attribute; undefined if it refers to an attribute of the enclosing function. */
export function readNumber(node: AttributeHolder, name: string, fallback: number): number | undefined {
  const attribute = findAttribute(node, name);
  if (!attribute) return fallback;
  let number: number | undefined = 0;
  for (const member of readFields(node.source, attribute.start, attribute.end)) {
    if (member.number === ATTRIBUTE.integer) number = member.value;
    if (member.number === ATTRIBUTE.reference) return undefined;
  }
  return number;
}

/** The float32 number of an attribute; the largest float32 if it refers to an attribute of the enclosing function. */
export function readFloat(node: AttributeHolder, name: string, fallback: number): number {
  const attribute = findAttribute(node, name);
  if (!attribute) return fallback;
  for (const { number, start, end } of readFields(node.source, attribute.start, attribute.end)) {
    if (number === ATTRIBUTE.float) return Buffer.from(node.source.bytes(start, end)).readFloatLE();
  }
  return Number.MAX_VALUE;
}

/** The list of an attribute; empty if it is not set. */
export function readIntegers(node: AttributeHolder, name: string): number[] {
  const attribute = findAttribute(node, name);
  if (!attribute) return [];
  const lists = readFields(
    node.source,
    attribute.start,
    attribute.end,
    (number) => number === ATTRIBUTE.ints,
  );
  return [...lists].flatMap((list) => readVarints(node.source, list));
}

/** The float32 numbers of an attribute; empty if it is not set. */
export function readFloats(node: AttributeHolder, name: string): number[] {
  const attribute = findAttribute(node, name);
  if (!attribute) return [];
  const { source } = node;
  const isList = (number: number) => number === ATTRIBUTE.floats;
  return [...readFields(source, attribute.start, attribute.end, isList)].flatMap(({ start, end }) => {
    const bytes = source.bytes(start, end);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length >> 2 }, (_, index) => view.getFloat32(4 * index, true));
  });
}

/** The text of an attribute; undefined if it is not set. */
export function readString(node: AttributeHolder, name: string): string | undefined {
  const attribute = findAttribute(node, name);
  return attribute && readName(node.source, attribute, ATTRIBUTE.string);
}
