import type { Edit } from './edits.ts';
import { integerAttribute, integersAttribute, type Name, replaceMembers } from './encode-node.ts';
import { ATTRIBUTE, GRAPH, NODE, VALUE_INFO } from './fields.ts';
import { FIRST_CAST, isGiven, NO_NAME, Steps } from './guard-steps.ts';
import { readMembers } from './members.ts';
import { findAttribute } from './node-attributes.ts';
import { type KnownShape, OPEN } from './node-shapes.ts';
import { type ByteSource, encodeField, type Field, readFields } from './protobuf.ts';
import { insertNodes, type PlacedNode, replaceNode } from './rewrite-model.ts';
import { readValueInfo } from './value-info.ts';
import type { Values } from './values.ts';

/** Slice takes its limits as inputs from this version on. */
const FIRST_INPUT_SLICE = 10;
const LAST = 2 ** 31 - 1;
export const OLD = 'cannot be guarded against in an operator set this old';

/** The declared inputs and outputs of a graph inside a node. */
export interface InnerGraph {
  readonly inputs: readonly Name[];
  readonly output: Name;
  readonly known: KnownShape;
  readonly declaredAxes: number | undefined;
}

/** The context in which nodes are guarded. */
export interface Surroundings {
  readonly source: ByteSource;
  readonly values: Values;
  readonly newName: () => Name;
  readonly mostElements: number;
  /** The operators that the functions of the model define. */
  readonly functions: ReadonlySet<string>;
}

/**
 * A node that is changed so that its kernel never receives an input that ends the process.
 *
 * A check passes the operand to the node through a Reshape to its own shape, which copies nothing. The sizes for that
 * Reshape come from nodes that the runtime refuses to compute if the kernel would not survive the operand: they read an
 * index that is out of range. So the request fails there, before the kernel runs.
 */
export class GuardedNode extends Steps {
  readonly operator: string;
  /** Version of the default operator set at the node; 0 in functions that do not import it. */
  readonly opset: number;
  readonly defaults: ReadonlySet<string>;
  readonly isInMainGraph: boolean;
  readonly functions: ReadonlySet<string>;
  readonly inputs: readonly Name[];
  /** As many as the node has; those that it omits are empty. */
  readonly outputs: readonly Name[];
  /** Why the model cannot be served with this node in it. */
  refusal: string | undefined;
  /** Most elements that a client may make it produce. */
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

  /** The operand, with the checks that were added so far. */
  input(operand: number): Name {
    return this.#replaced.get(operand) ?? this.inputs[operand] ?? NO_NAME;
  }

  /** What the file shows of the shape of an operand. */
  known(operand: number): KnownShape {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.shape(decoder.decode(name)) : OPEN;
  }

  /** The element type of an operand as `TensorProto.DataType`, if the file shows it. */
  elementType(operand: number): number | undefined {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.elementType(decoder.decode(name)) : undefined;
  }

  /** The same of the first output. */
  elementTypeOfOutput(): number | undefined {
    return this.#values.elementType(decoder.decode(this.outputs[0]));
  }

  /** Whether an output of the node is an input of a MatMul. */
  isMultiplied(): boolean {
    return this.outputs.some((name) => this.#values.isMultiplied(decoder.decode(name)));
  }

  /** Whether a client chooses the numbers of an operand. */
  isChosen(operand: number): boolean {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) && this.#values.isChosen(decoder.decode(name));
  }

  /** Identifies the shape of an operand that a client sends; undefined if it is computed from several. */
  sentShape(operand: number): string | undefined {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.sentShape(decoder.decode(name)) : undefined;
  }

  /** How many positions the input needs, if the node starts a chain of filters and pools that needs some. */
  leastPlaces(): readonly number[] | undefined {
    return this.#values.leastPlaces(decoder.decode(this.outputs[0]));
  }

  /** Whether the file alone determines the numbers of an operand. */
  isConstant(operand: number): boolean {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) && this.#values.isConstant(decoder.decode(name));
  }

  /** The numbers of an operand in the file; several lists if its name is reused. */
  numbers(operand: number): readonly (readonly number[])[] {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.numbers(decoder.decode(name)) : [];
  }

  /** The numbers of an operand that cannot have other values. */
  allNumbers(operand: number): readonly number[] | undefined {
    const name = this.inputs[operand] ?? NO_NAME;
    return isGiven(name) ? this.#values.allNumbers(decoder.decode(name)) : undefined;
  }

  /** The current iteration of each loop around the node, counted from 0. */
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

  /** The size of one axis, as a list of one number. If there is no such axis, the request is refused. */
  sizeAt(operand: number, axis: number): Name {
    return this.gather(this.shape(operand), this.list(axis));
  }

  /** How many axes an operand has, as a list of one number. */
  rank(operand: number): Name {
    return this.add('Shape', [this.shape(operand)]);
  }

  /** The numbers of a list from one index up to, but without, another. */
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
   * Lets the node have an operand only if a condition, a list of one boolean, holds.
   *
   * @param name of the node that the runtime refuses to compute otherwise
   */
  require(operand: number, condition: Name, name = ''): void {
    this.requireComputed(operand, this.unless(this.not(condition), name));
  }

  /**
   * Lets the node have a number only if a condition, a list of one boolean, holds. The number becomes a scalar.
   *
   * @param name of the node that the runtime refuses to compute otherwise
   */
  requireOfNumber(operand: number, condition: Name, name = ''): void {
    const number = this.add('Reshape', [this.input(operand), this.list(1)]);
    const checked = this.gather(number, this.integers(this.not(condition)), name);
    this.replace(operand, this.add('Reshape', [checked, this.list()]));
  }

  /** Lets the node have an operand only if a list of one int64 number can be computed. */
  requireComputed(operand: number, number: Name): void {
    const others = this.#terms.get(operand);
    if (others) others.push(number);
    else this.#terms.set(operand, [number]);
  }

  /**
   * Lets the node have a list of numbers of a type only if a condition, a list of one boolean, holds.
   *
   * @param name of the node that the runtime refuses to compute otherwise
   */
  requireOfList(operand: number, condition: Name, type: number, name = ''): void {
    const checked = this.add(
      'Cast',
      [this.unless(this.not(condition), name)],
      [integerAttribute('to', type)],
    );
    const longer = this.add('Concat', [checked, this.input(operand)], [integerAttribute('axis', 0)]);
    this.replace(operand, this.part(longer, 1));
  }

  /** Replaces an operand of the node with another value. */
  replace(operand: number, value: Name): void {
    this.#replaced.set(operand, value);
  }

  /**
   * Replaces an output of the graph in an attribute with another value.
   *
   * @param make writes nodes and returns the new value; undefined for no change
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

  /** @param why follows "its TopK" in the message */
  refuse(why: string): void {
    this.refusal ??= `its ${this.operator} ${why}`;
  }

  /** Removes the empty names at the end. */
  dropLastInputs(): void {
    const last = this.inputs.findLastIndex(isGiven);
    this.replaceAll([this.#write(this.inputs.slice(0, last + 1), this.outputs)]);
  }

  /** Runs other nodes instead of this one. */
  replaceAll(nodes: readonly Uint8Array[]): void {
    this.#instead = nodes;
  }

  /** A copy of the node with other names for its outputs and, if given, another first input. */
  repeat(input?: Name): Substitute {
    const outputs = this.outputs.map((name) => (isGiven(name) ? this.newName() : name));
    const inputs = this.inputs.map((name, index) => (index === 0 ? (input ?? name) : name));
    return { nodes: [this.#write(inputs, outputs)], outputs };
  }

  /** The edits for the node. Graphs inside the node stay in place, as they have their own edits. */
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
    // Inputs that the node omits come after the others.
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

/** Nodes that run instead, and the name of their value for each output of the guarded node. */
export interface Substitute {
  readonly nodes: readonly Uint8Array[];
  readonly outputs: readonly Name[];
}

/** The name of a declared value. */
function readValueName(source: ByteSource, value: Field): Name {
  const name = readMembers(source, value).all(VALUE_INFO.name).at(-1);
  return name ? source.bytes(name.start, name.end) : NO_NAME;
}

/** The names of the inputs or outputs of a node. */
function readNames(source: ByteSource, field: Field) {
  const inputs: Name[] = [];
  const outputs: Name[] = [];
  for (const member of readFields(source, field.start, field.end)) {
    if (member.number === NODE.input) inputs.push(source.bytes(member.start, member.end));
    if (member.number === NODE.output) outputs.push(source.bytes(member.start, member.end));
  }
  return { inputs, outputs };
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
