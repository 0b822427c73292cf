import { ATTRIBUTE, NODE } from './fields.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';

export const ML_DOMAIN = 'ai.onnx.ml';

/** An operator of a graph with the names of its inputs and outputs. */
export interface Node {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Field[];
}

export function readNode(source: ByteSource, field: Field): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Field[] = [];
  let type = '';
  let domain = '';
  for (const member of readFields(source, field.start, field.end)) {
    if (member.number === NODE.input) inputs.push(readText(source, member));
    if (member.number === NODE.output) outputs.push(readText(source, member));
    if (member.number === NODE.opType) type = readText(source, member);
    if (member.number === NODE.domain) domain = readText(source, member);
    if (member.number === NODE.attribute) attributes.push(member);
  }
  return { type, domain, inputs, outputs, attributes };
}

/** The first text in a field of a message, such as the name of an attribute. */
export function readName(source: ByteSource, message: Field, number: number): string {
  for (const member of readFields(source, message.start, message.end)) {
    if (member.number === number) return readText(source, member);
  }
  return '';
}

/** The nodes that use a value, by its name. */
export function groupByInput(nodes: readonly Node[]): ReadonlyMap<string, readonly Node[]> {
  const takers = new Map<string, Node[]>();
  for (const node of nodes) {
    for (const input of new Set(node.inputs)) {
      const others = takers.get(input);
      if (others) others.push(node);
      else takers.set(input, [node]);
    }
  }
  return takers;
}

/** An attribute that is a list of strings or of whole numbers: `keys_strings`, `keys_int64s`, `keys_ints`. */
export function readList(
  source: ByteSource,
  node: Node,
  prefix: string,
): readonly string[] | readonly number[] | undefined {
  for (const attribute of node.attributes) {
    const kind = readName(source, attribute, ATTRIBUTE.name).split(`${prefix}_`)[1];
    if (kind !== 'strings' && kind !== 'int64s' && kind !== 'ints') continue;
    const strings: string[] = [];
    const integers: number[] = [];
    for (const member of readFields(source, attribute.start, attribute.end)) {
      if (member.number === ATTRIBUTE.strings) strings.push(readText(source, member));
      if (member.number !== ATTRIBUTE.ints) continue;
      for (const value of readVarints(source, member)) integers.push(value);
    }
    const list = kind === 'strings' ? strings : integers;
    if (list.length > 0) return list;
  }
  return undefined;
}
