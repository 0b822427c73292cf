import type { Edit } from './edits.ts';
import {
  ELEMENT_TYPES,
  encodeNode,
  encodeText,
  graphAttribute,
  integerAttribute,
  integersAttribute,
  type Name,
  replaceMembers,
  tensorAttribute,
} from './encode-node.ts';
import { ATTRIBUTE, GRAPH, NODE, VALUE_INFO } from './fields.ts';
import { readMembers } from './members.ts';
import { type KnownShape, OPEN } from './node-shapes.ts';
import { readName } from './nodes.ts';
import { type ByteSource, encodeField, type Field, readFields, readVarints } from './protobuf.ts';
import { insertNodes, type PlacedNode, replaceNode } from './rewrite-model.ts';
import { readValueInfo } from './value-info.ts';
import type { Values } from './values.ts';

/** From this version on Cast knows the types by number. Many operators have no kernel for older versions. */
export const FIRST_CAST = 6;
/** From this version on Less compares numbers of any shape. */
export const FIRST_LESS = 7;
/** From this version on there are sequences. From 22 on the runtime has no kernel for random numbers. */
const FIRST_SEQUENCE = 11;
/** From this version on Slice takes its limits as inputs. */
const FIRST_INPUT_SLICE = 10;
const LAST = 2 ** 31 - 1;
export const OLD = 'cannot be guarded in so old an operator set';

/** Nodes that are written one by one. */
export class Steps {
  readonly nodes: Uint8Array[] = [];
  /** A name that nothing in the model has. */
  readonly newName: () => Name;

  constructor(newName: () => Name) {
    this.newName = newName;
  }

  /** Adds a node, and gives the name of its output. */
  add(type: string, inputs: readonly Name[], attributes: readonly Uint8Array[] = []): Name {
    const output = this.newName();
    this.nodes.push(encodeNode(type, inputs, [output], attributes));
    return output;
  }

  /** A constant list of int64 numbers. */
  list(...values: readonly number[]): Name {
    const name = this.newName();
    this.nodes.push(encodeInt64s(name, values));
    return name;
  }

  /** A constant int64 number. */
  number(value: number): Name {
    const name = this.newName();
    this.nodes.push(encodeInt64s(name, value));
    return name;
  }

  /** A constant float32 number. */
  float(value: number): Name {
    const elements = new Uint8Array(Float32Array.of(value).buffer);
    return this.add('Constant', [], [tensorAttribute('value', ELEMENT_TYPES.float32, [], elements)]);
  }

  /** A constant float64 number. */
  double(value: number): Name {
    const elements = new Uint8Array(Float64Array.of(value).buffer);
    return this.add('Constant', [], [tensorAttribute('value', ELEMENT_TYPES.float64, [], elements)]);
  }

  /**
   * The elements at an index, or at each index of a list, along the first axis.
   *
   * @param name that the one of the node begins with, which the runtime quotes when the index is none
   */
  gather(data: Name, index: Name, name = ''): Name {
    const output = this.newName();
    const node = encodeNode('Gather', [data, index], [output], [integerAttribute('axis', 0)]);
    // The runtime takes no two nodes of one name.
    const unique = Buffer.concat([encodeText(`${name}, `), output]);
    this.nodes.push(name === '' ? node : Buffer.concat([node, encodeField(NODE.name, unique)]));
    return output;
  }

  /** Numbers, or conditions as 0 and 1. */
  integers(values: Name): Name {
    return this.add('Cast', [values], [integerAttribute('to', ELEMENT_TYPES.int64)]);
  }

  /** Whether numbers are not 0. */
  isTrue(numbers: Name): Name {
    return this.add('Cast', [numbers], [integerAttribute('to', ELEMENT_TYPES.boolean)]);
  }

  /** How many elements a value has, as a list of one number. */
  count(value: Name): Name {
    return this.add('Reshape', [this.add('Size', [value]), this.list(1)]);
  }

  not(condition: Name): Name {
    return this.add('Not', [condition]);
  }

  /**
   * The same condition, of which the runtime does not know whether it is constant: it computes no sequences at the load,
   * and no random numbers. From operator set 7 on.
   */
  hide(condition: Name, opset: number): Name {
    if (opset >= FIRST_SEQUENCE) {
      return this.add('SequenceAt', [this.add('SequenceConstruct', [condition]), this.number(0)]);
    }
    const random = this.add('RandomUniform', [], [integersAttribute('shape', [1])]);
    return this.add('And', [condition, this.add('Less', [random, this.float(2)])]);
  }

  /**
   * A list of one 0 that the runtime refuses to compute where a condition does not hold.
   *
   * @param name of the node that it quotes then
   */
  unless(condition: Name, name = ''): Name {
    return this.gather(this.list(0), this.integers(condition), name);
  }
}

/** What a graph inside a node says of what it takes and gives. */
export interface InnerGraph {
  readonly inputs: readonly Name[];
  readonly output: Name;
  readonly known: KnownShape;
  readonly declaredAxes: number | undefined;
}

/** What a node is guarded with. */
export interface Surroundings {
  readonly source: ByteSource;
  readonly values: Values;
  readonly newName: () => Name;
  readonly mostElements: number;
  /** The operators that the functions of the model are. */
  readonly functions: ReadonlySet<string>;
}

/**
 * A node that is changed so that its kernel never sees what ends the process.
 *
 * A check gives the node its operand through a Reshape to the shape that it has, which copies nothing. The list of sizes
 * for that Reshape comes out of nodes that the runtime refuses to compute where the operand is one that the kernel does
 * not survive: an index outside of a list. So the request fails there, before the kernel is run.
 */
export class GuardedNode extends Steps {
  readonly operator: string;
  /** Version of the default operator set where it stands; 0 in functions that import none. */
  readonly opset: number;
  readonly defaults: ReadonlySet<string>;
  readonly isInMainGraph: boolean;
  readonly functions: ReadonlySet<string>;
  readonly inputs: readonly Name[];
  /** As many as the node has; those that it leaves out are empty. */
  readonly outputs: readonly Name[];
  /** Why the model cannot be served with this node in it. */
  refusal: string | undefined;
  /** Most elements that a client may have it make. */
  readonly mostElements: number;
  readonly source: ByteSource;
  readonly field: Field;
  readonly #placed: PlacedNode;
  readonly #values: Values;
  readonly #terms = new Map<number, Name[]>();
  readonly #replaced = new Map<number, Name>();
  readonly #edits: Edit[] = [];
  #instead: readonly Uint8Array[] | undefined;

  constructor(placed: PlacedNode, { source, values, newName, mostElements, functions }: Surroundings) {
    super(newName);
    this.mostElements = mostElements;
    const { inputs, outputs } = readNames(source, placed.message.field);
    this.source = source;
    this.#placed = placed;
    this.field = placed.message.field;
    this.operator = placed.message.operator;
    this.opset = placed.opset;
    this.defaults = placed.defaults;
    this.isInMainGraph = placed.isInMainGraph;
    this.functions = functions;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#values = values;
  }

  has(operand: number): boolean {
    return isGiven(this.inputs[operand] ?? NO_NAME);
  }

  /** The operand as it is, or as it was made safe so far. */
  input(operand: number): Name {
    return this.#replaced.get(operand) ?? this.inputs[operand] ?? NO_NAME;
  }

  /** What the file says of the shape of an operand. */
  known(operand: number): KnownShape {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.shape(decoder.decode(name)) : OPEN;
  }

  /** What the file says of the element type of an operand, as `TensorProto.DataType`. */
  elementType(operand: number): number | undefined {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.elementType(decoder.decode(name)) : undefined;
  }

  /** The same of the first output. */
  elementTypeOfOutput(): number | undefined {
    return this.#values.elementType(decoder.decode(this.outputs[0]));
  }

  /** Whether a MatMul takes what the node gives. */
  isMultiplied(): boolean {
    return this.outputs.some((name) => this.#values.isMultiplied(decoder.decode(name)));
  }

  /** Whether a client chooses the numbers of an operand. */
  isChosen(operand: number): boolean {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) && this.#values.isChosen(decoder.decode(name));
  }

  /** How many places it must be given, if it is the first of a chain of filters and pools that needs some. */
  leastPlaces(): readonly number[] | undefined {
    return this.#values.leastPlaces(decoder.decode(this.outputs[0]));
  }

  /** Whether the file alone says the numbers of an operand, or what they are computed of. */
  isConstant(operand: number): boolean {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) && this.#values.isConstant(decoder.decode(name));
  }

  /** The numbers of an operand that the file says; several lists where its name is used again. */
  numbers(operand: number): readonly (readonly number[])[] {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.numbers(decoder.decode(name)) : [];
  }

  /** The numbers of an operand that can have no others. */
  allNumbers(operand: number): readonly number[] | undefined {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.allNumbers(decoder.decode(name)) : undefined;
  }

  /** The numbers of the turns, from 0, that the loops around the node are in. */
  turnsAround(): Name[] {
    const turns: Name[] = [];
    for (let { message } = this.#placed; message.parent; message = message.parent) {
      if (message.kind !== 'graph' || message.parent.parent?.operator !== 'Loop') continue;
      const { start, end } = message.field;
      const [turn] = readFields(this.source, start, end, (number) => number === GRAPH.input);
      if (turn) turns.push(readValueName(this.source, turn));
    }
    return turns.filter(isGiven);
  }

  /** The sizes of an operand, as a list. */
  shape(operand: number): Name {
    return this.add('Shape', [this.input(operand)]);
  }

  /** The size of one axis, as a list of one number. Where there is no such axis the request is refused. */
  sizeAt(operand: number, axis: number): Name {
    return this.gather(this.shape(operand), this.list(axis));
  }

  /** How many axes an operand has, as a list of one number. */
  rank(operand: number): Name {
    return this.add('Shape', [this.shape(operand)]);
  }

  /** The numbers of a list from a place on, before another one. */
  part(list: Name, start: number, end = LAST): Name {
    if (this.opset >= FIRST_INPUT_SLICE) {
      return this.add('Slice', [list, this.list(start), this.list(end)]);
    }
    return this.add(
      'Slice',
      [list],
      [integersAttribute('starts', [start]), integersAttribute('ends', [end])],
    );
  }

  /** The product of a list, as a list of one number. */
  product(list: Name): Name {
    return this.add('ReduceProd', [list]);
  }

  /**
   * Gives the node an operand under the condition, a list of one boolean, that it holds.
   *
   * @param name of the node that the runtime refuses to compute otherwise
   */
  require(operand: number, condition: Name, name = ''): void {
    this.requireComputed(operand, this.unless(this.not(condition), name));
  }

  /**
   * Gives the node a number under a condition, a list of one boolean. The number becomes a scalar.
   *
   * @param name of the node that the runtime refuses to compute otherwise
   */
  requireOfNumber(operand: number, condition: Name, name = ''): void {
    const number = this.add('Reshape', [this.input(operand), this.list(1)]);
    const checked = this.gather(number, this.integers(this.not(condition)), name);
    this.replace(operand, this.add('Reshape', [checked, this.list()]));
  }

  /** Gives the node an operand under the condition that a list of one int64 number can be computed. */
  requireComputed(operand: number, number: Name): void {
    const others = this.#terms.get(operand);
    if (others) others.push(number);
    else this.#terms.set(operand, [number]);
  }

  /** Gives the node a list of numbers of a type under a condition, a list of one boolean. */
  requireOfList(operand: number, condition: Name, type: number): void {
    const checked = this.add('Cast', [this.unless(this.not(condition))], [integerAttribute('to', type)]);
    const longer = this.add('Concat', [checked, this.input(operand)], [integerAttribute('axis', 0)]);
    this.replace(operand, this.part(longer, 1));
  }

  /** Gives the node another value in the place of an operand. */
  replace(operand: number, value: Name): void {
    this.#replaced.set(operand, value);
  }

  /**
   * Gives the graph of an attribute another value in the place of one of its outputs.
   *
   * @param make gives that value out of nodes that it writes; undefined for no change
   */
  replaceOutput(
    name: string,
    index: number,
    make: (steps: Steps, graph: InnerGraph) => Name | undefined,
  ): void {
    const { source } = this;
    const attribute = findAttribute(this, name);
    if (!attribute) return;
    const parent = {
      kind: 'attribute',
      field: attribute,
      parent: this.#placed.message,
      operator: '',
    } as const;
    const isGraph = (number: number) => number === ATTRIBUTE.graph;
    for (const field of readFields(source, attribute.start, attribute.end, isGraph)) {
      const inputs = readFields(source, field.start, field.end, (number) => number === GRAPH.input);
      const outputs = readFields(source, field.start, field.end, (number) => number === GRAPH.output);
      const output = [...outputs][index];
      if (!output) return;
      const { name: text, shape } = readValueInfo(source, output);
      const steps = new Steps(this.newName);
      const made = make(steps, {
        inputs: [...inputs].map((each) => readValueName(source, each)),
        output: readValueName(source, output),
        known: this.#values.shape(text),
        declaredAxes: shape?.length,
      });
      if (!made) return;
      const declared = replaceMembers(source, output, ({ number }) => number === VALUE_INFO.name, [
        encodeField(VALUE_INFO.name, made),
      ]);
      const bytes = Buffer.concat([
        ...steps.nodes.map((node) => encodeField(GRAPH.node, node)),
        encodeField(GRAPH.output, declared),
      ]);
      const inside = { kind: 'graph', field, parent, operator: '' } as const;
      this.#edits.push({ start: output.fieldStart, end: output.end, bytes, inside });
    }
  }

  /** @param why what goes on after "its TopK" */
  refuse(why: string): void {
    this.refusal ??= `its ${this.operator} ${why}`;
  }

  /** Leaves out the names at the end that stand for nothing. */
  dropLastInputs(): void {
    const last = this.inputs.findLastIndex(isGiven);
    this.replaceAll([this.#write(this.inputs.slice(0, last + 1), this.outputs)]);
  }

  /** Runs other nodes than this one. */
  replaceAll(nodes: readonly Uint8Array[]): void {
    this.#instead = nodes;
  }

  /** The node once more, with outputs of other names and, if given, another first input. */
  repeat(input?: Name): Substitute {
    const outputs = this.outputs.map((name) => (isGiven(name) ? this.newName() : name));
    const inputs = this.inputs.map((name, index) => (index === 0 ? (input ?? name) : name));
    return { nodes: [this.#write(inputs, outputs)], outputs };
  }

  /** What is edited for it. Graphs inside the node stay where they are, as they have edits of their own. */
  finish(): readonly Edit[] {
    if (this.#instead) return [replaceNode(this.#placed, this.#instead)];
    for (const [operand, terms] of this.#terms) {
      const sizes = this.add('Concat', [...terms, this.shape(operand)], [integerAttribute('axis', 0)]);
      const shape = this.part(sizes, terms.length);
      this.replace(operand, this.add('Reshape', [this.input(operand), shape]));
    }
    if (this.#replaced.size === 0 && this.#edits.length === 0) return [];
    if (this.opset < FIRST_CAST) this.refuse(`ends the process on some inputs, which ${OLD}`);
    return [insertNodes(this.#placed, this.nodes), ...this.#editInputs(), ...this.#edits];
  }

  #editInputs(): Edit[] {
    const { source, field } = this;
    const inside = this.#placed.message;
    const inputs = readFields(source, field.start, field.end, (number) => number === NODE.input);
    const edits = [...inputs].flatMap(({ fieldStart, end }, operand) => {
      const name = this.#replaced.get(operand);
      return name ? [{ start: fieldStart, end, bytes: encodeField(NODE.input, name), inside }] : [];
    });
    const last = Math.max(...this.#replaced.keys());
    // Inputs that the node does not mention come after the others.
    const more = Array.from({ length: Math.max(0, last + 1 - this.inputs.length) }, (_, index) =>
      encodeField(NODE.input, this.#replaced.get(this.inputs.length + index) ?? NO_NAME),
    );
    if (more.length === 0) return edits;
    return [...edits, { start: field.end, end: field.end, bytes: Buffer.concat(more), inside }];
  }

  #write(inputs: readonly Name[], outputs: readonly Name[]): Uint8Array {
    const isReplaced = ({ number }: Field) => number === NODE.input || number === NODE.output;
    return replaceMembers(this.source, this.field, isReplaced, [
      ...inputs.map((name) => encodeField(NODE.input, name)),
      ...outputs.map((name) => encodeField(NODE.output, name)),
    ]);
  }
}

/** Nodes that are run instead, and the names of what they give for each output of the guarded node. */
export interface Substitute {
  readonly nodes: readonly Uint8Array[];
  readonly outputs: readonly Name[];
}

/** Runs a node for inputs with elements alone, and something else for those without. */
export function runForElements(node: GuardedNode, instead: Substitute): readonly Uint8Array[] {
  const [input = NO_NAME] = node.inputs;
  const [size, hasElements] = [node.newName(), node.newName()];
  const steps = new Steps(node.newName);
  // As guard-choices.ts says of those that the file has.
  const isHidden = !node.isInMainGraph && node.opset >= FIRST_LESS;
  const condition = isHidden ? steps.hide(hasElements, node.opset) : hasElements;
  return [
    encodeNode('Size', [input], [size]),
    ...convertToBoolean(node, size, hasElements),
    ...steps.nodes,
    encodeChoice(condition, node.repeat(), instead, node.outputs),
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

/**
 * What to run where nobody knows what the node would give: the runtime refuses the request, as an index leaves the
 * input, before it comes to the operator.
 */
export function refuseEmpty(node: GuardedNode): Substitute {
  const [input = NO_NAME] = node.inputs;
  const [far, refused] = [node.newName(), node.newName()];
  const repeated = node.repeat(refused);
  const nodes = [
    encodeInt64s(far, [FAR_INDEX]),
    encodeNode('Gather', [input, far], [refused], [integerAttribute('axis', 0)]),
    ...repeated.nodes,
  ];
  return { nodes, outputs: repeated.outputs };
}

/** No axis of a tensor in memory is as long. */
const FAR_INDEX = 2 ** 60;

/** Whether a number is not 0. Older operator sets have no Cast that the runtime knows: a Loop of one turn or none. */
function convertToBoolean(node: GuardedNode, size: Name, result: Name): Uint8Array[] {
  const { opset, newName } = node;
  // The runtime never computes a Loop at the load, so the result of one is never constant.
  if (opset >= (node.isInMainGraph ? FIRST_CAST : FIRST_LESS)) {
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
  return [encodeBoolean(start, false), encodeNode('Loop', [size, NO_NAME, start], [result], [body])];
}

/** A constant list of int64 numbers, or a single one. */
export function encodeInt64s(name: Name, values: readonly number[] | number): Uint8Array {
  const isList = typeof values !== 'number';
  const elements = new Uint8Array(BigInt64Array.from(isList ? values : [values], BigInt).buffer);
  const shape = isList ? [values.length] : [];
  const value = tensorAttribute('value', ELEMENT_TYPES.int64, shape, elements);
  return encodeNode('Constant', [], [name], [value]);
}

function encodeBoolean(name: Name, value: boolean): Uint8Array {
  const elements = Uint8Array.of(value ? 1 : 0);
  return encodeNode('Constant', [], [name], [tensorAttribute('value', ELEMENT_TYPES.boolean, [], elements)]);
}

/** An attribute of the node, by its name. */
export function findAttribute({ source, field }: GuardedNode, name: string): Field | undefined {
  return [...readFields(source, field.start, field.end)].find(
    (member) => member.number === NODE.attribute && readName(source, member, ATTRIBUTE.name) === name,
  );
}

/** The number of an attribute; undefined where it refers to one of the function around. */
export function readNumber(node: GuardedNode, name: string, fallback: number): number | undefined {
  const attribute = findAttribute(node, name);
  if (!attribute) return fallback;
  let number: number | undefined = 0;
  for (const member of readFields(node.source, attribute.start, attribute.end)) {
    if (member.number === ATTRIBUTE.integer) number = member.value;
    if (member.number === ATTRIBUTE.reference) return undefined;
  }
  return number;
}

/** The float32 number of an attribute; the largest there is where it refers to one of the function around. */
export function readFloat(node: GuardedNode, name: string, fallback: number): number {
  const attribute = findAttribute(node, name);
  if (!attribute) return fallback;
  for (const { number, start, end } of readFields(node.source, attribute.start, attribute.end)) {
    if (number === ATTRIBUTE.float) return Buffer.from(node.source.bytes(start, end)).readFloatLE();
  }
  return Number.MAX_VALUE;
}

/** The list of an attribute; empty where it is not there. */
export function readIntegers(node: GuardedNode, name: string): number[] {
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

/** The float32 numbers of an attribute; empty where it is not there. */
export function readFloats(node: GuardedNode, name: string): number[] {
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

/** The text of an attribute; undefined where there is none. */
export function readString(node: GuardedNode, name: string): string | undefined {
  const attribute = findAttribute(node, name);
  return attribute && readName(node.source, attribute, ATTRIBUTE.string);
}

/** The name of a declared value. */
function readValueName(source: ByteSource, value: Field): Name {
  const name = readMembers(source, value).all(VALUE_INFO.name).at(-1);
  return name ? source.bytes(name.start, name.end) : NO_NAME;
}

/** The names of what a node takes and gives. */
function readNames(source: ByteSource, field: Field) {
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

export const NO_NAME = encodeText('');
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
