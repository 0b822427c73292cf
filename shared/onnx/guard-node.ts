import {
  ELEMENT_TYPES,
  encodeNode,
  encodeText,
  graphAttribute,
  integerAttribute,
  type Name,
  replaceMembers,
  tensorAttribute,
} from './encode-node.ts';
import { ATTRIBUTE, NODE } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField, type Field, readFields } from './protobuf.ts';
import type { PlacedNode } from './rewrite-model.ts';

/** A node whose kernel must not see a first input without elements. */
export interface GuardedNode extends PlacedNode {
  readonly source: ByteSource;
  readonly inputs: readonly Name[];
  /** As many as the node has; those that it leaves out are empty. */
  readonly outputs: readonly Name[];
  /** A name that nothing in the model has. */
  newName(): Name;
}

/** Nodes that are run instead, and the names of what they give for each output of the guarded node. */
export interface Substitute {
  readonly nodes: readonly Uint8Array[];
  readonly outputs: readonly Name[];
}

/** A node that is run for inputs with elements alone. */
export function guardNode(node: GuardedNode, instead: Substitute): Uint8Array[] {
  const [input = encodeText('')] = node.inputs;
  const [size, hasElements] = [node.newName(), node.newName()];
  return [
    encodeNode('Size', [input], [size]),
    ...convertToBoolean(node, size, hasElements),
    encodeChoice(hasElements, repeatNode(node), instead, node.outputs),
  ];
}

/** An If that gives what one of two branches gives, without the outputs that the guarded node leaves out. */
export function encodeChoice(
  condition: Name,
  whenTrue: Substitute,
  whenFalse: Substitute,
  outputs: readonly Name[],
): Uint8Array {
  const given = outputs.flatMap((name, index) => (isGiven(name) ? [index] : []));
  const pick = (names: readonly Name[]) => given.flatMap((index) => names[index] ?? []);
  return encodeNode('If', [condition], pick(outputs), [
    graphAttribute('then_branch', { nodes: whenTrue.nodes, outputs: pick(whenTrue.outputs) }),
    graphAttribute('else_branch', { nodes: whenFalse.nodes, outputs: pick(whenFalse.outputs) }),
  ]);
}

/** The node once more, with outputs of other names and, if given, another first input. */
export function repeatNode(node: GuardedNode, input?: Name): Substitute {
  const outputs = node.outputs.map((name) => (isGiven(name) ? node.newName() : name));
  const others = input ? [input, ...node.inputs.slice(1)] : [];
  const repeated = replaceMembers(
    node.source,
    node.message.field,
    ({ number }) => number === NODE.output || (input !== undefined && number === NODE.input),
    [
      ...others.map((name) => encodeField(NODE.input, name)),
      ...outputs.map((name) => encodeField(NODE.output, name)),
    ],
  );
  return { nodes: [repeated], outputs };
}

/**
 * What to run where nobody knows what the node would give: the runtime refuses the request, as an index leaves the
 * input, before it comes to the operator.
 */
export function refuseEmpty(node: GuardedNode): Substitute {
  const [input = encodeText('')] = node.inputs;
  const [far, refused] = [node.newName(), node.newName()];
  const repeated = repeatNode(node, refused);
  const nodes = [
    encodeInt64s(far, [FAR_INDEX]),
    encodeNode('Gather', [input, far], [refused], [integerAttribute('axis', 0)]),
    ...repeated.nodes,
  ];
  return { nodes, outputs: repeated.outputs };
}

/** No axis of a tensor in memory is as long. */
const FAR_INDEX = 2 ** 60;
/** From this version on Cast knows the types by number. Many operators have no kernel for older versions. */
export const FIRST_CAST = 6;

/** Whether a number is not 0. Older operator sets have no Cast that the runtime knows: a Loop of one turn or none. */
export function convertToBoolean({ opset, newName }: GuardedNode, size: Name, result: Name): Uint8Array[] {
  if (opset >= FIRST_CAST) {
    return [encodeNode('Cast', [size], [result], [integerAttribute('to', ELEMENT_TYPES.boolean)])];
  }
  const [start, turn, goesOn, before] = [newName(), newName(), newName(), newName()];
  const [yes, no] = [newName(), newName()];
  const body = graphAttribute('body', {
    nodes: [encodeBoolean(yes, true), encodeBoolean(no, false)],
    inputs: [
      [turn, ELEMENT_TYPES.int64],
      [goesOn, ELEMENT_TYPES.boolean],
      [before, ELEMENT_TYPES.boolean],
    ],
    outputs: [no, yes],
  });
  return [encodeBoolean(start, false), encodeNode('Loop', [size, encodeText(''), start], [result], [body])];
}

/** A constant list of int64 numbers. */
export function encodeInt64s(name: Name, values: readonly number[]): Uint8Array {
  const elements = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  const value = tensorAttribute('value', ELEMENT_TYPES.int64, [values.length], elements);
  return encodeNode('Constant', [], [name], [value]);
}

function encodeBoolean(name: Name, value: boolean): Uint8Array {
  const elements = Uint8Array.of(value ? 1 : 0);
  return encodeNode('Constant', [], [name], [tensorAttribute('value', ELEMENT_TYPES.boolean, [], elements)]);
}

/** An attribute of the node, by its name. */
export function findAttribute({ source, message: { field } }: GuardedNode, name: string): Field | undefined {
  return [...readFields(source, field.start, field.end)].find(
    (member) => member.number === NODE.attribute && readName(source, member, ATTRIBUTE.name) === name,
  );
}

/** The number of an attribute; undefined where it refers to one of the function around. */
export function readNumber(
  source: ByteSource,
  attribute: Field | undefined,
  fallback: number,
): number | undefined {
  if (!attribute) return fallback;
  let number: number | undefined = 0;
  for (const member of readFields(source, attribute.start, attribute.end)) {
    if (member.number === ATTRIBUTE.integer) number = member.value;
    if (member.number === ATTRIBUTE.reference) return undefined;
  }
  return number;
}

/** The names of what a node takes and gives. */
export function readNames(source: ByteSource, { message: { field } }: PlacedNode) {
  const inputs: Name[] = [];
  const outputs: Name[] = [];
  for (const member of readFields(source, field.start, field.end)) {
    if (member.number === NODE.input) inputs.push(source.bytes(member.start, member.end));
    if (member.number === NODE.output) outputs.push(source.bytes(member.start, member.end));
  }
  return { inputs, outputs };
}

/** Nodes leave out what is optional by an empty name. */
export function isGiven(name: Name): boolean {
  return name.length > 0;
}
