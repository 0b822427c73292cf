import { type ConstantHolder, readConstants } from './constants.ts';
import { elementTypeOf, readElementType } from './element-types.ts';
import { GRAPH, TENSOR } from './fields.ts';
import { isKnown, type KnownShape, NodeShapes, OPEN, readDims, sized } from './node-shapes.ts';
import { type Node, readName, readNode } from './nodes.ts';
import { findLeastPlaces, isOfPlaces } from './pools.ts';
import { type ByteSource, type Field, readFields } from './protobuf.ts';
import { keepsShape, STRETCHING, shapeOf } from './shape-rules.ts';
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
  /**
   * Stands for the shape of what a client sends, whatever was done to its numbers: values with the same one have the same
   * shape. Undefined for values that are made of others.
   */
  sentShape(name: string): string | undefined;
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
      sentShape: (name) => scope?.sent.get(name),
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
  readonly sent = new Map<string, string>();
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
    const inputs = new Map<string, { known: KnownShape; elementType: number | undefined; sent: string }>();
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
      if (part.number === GRAPH.input) inputs.set(name, { known, elementType, sent: sentAs(name, shape) });
      else this.#declared.set(name, widen(this.#declared.get(name), known));
    }
    // Older files list their constants as inputs as well.
    for (const [name, { known, elementType, sent }] of inputs) {
      if (constants.has(name)) continue;
      this.sent.set(name, sent);
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
      this.#followSent(node);
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

  #followSent({ domain, type, inputs, outputs: [output = ''] }: Node): void {
    const open = inputs.filter((name) => name !== '' && !this.constants.has(name));
    const [sent, ...others] = open.map((name) => this.sent.get(name));
    if (sent === undefined) return;
    const operator = nameOperator(domain, type);
    const isSame = others.every((other) => other === sent);
    if (isSame && (keepsShape(operator) || (others.length > 0 && STRETCHING.includes(operator)))) {
      this.sent.set(output, sent);
    } else if (MOVING.has(operator) && others.every((other) => other !== undefined)) {
      // Its elements are on other axes.
      this.sent.set(output, output);
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

/** Operators that give the elements of one operand on other axes. */
const MOVING: ReadonlySet<string> = new Set([
  ...STRETCHING,
  ...['Unsqueeze', 'Squeeze', 'Transpose', 'Reshape', 'Flatten'],
]);

/** Inputs whose axes have the same names and sizes have one shape: their feeds are checked (check-axes.ts). */
function sentAs(name: string, shape: readonly (number | string)[] | undefined): string {
  const isNamed = shape?.every((axis) => axis !== '' && axis !== -1) ?? false;
  return isNamed ? `[${shape?.join()}]` : name;
}

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
