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

/** Values by name. */
export interface Values {
  shape(name: string): KnownShape;
  /** Its element type, as `TensorProto.DataType`; undefined if the file does not say. */
  elementType(name: string): number | undefined;
  /**
   * Whether a client chooses its numbers, or they are computed from numbers that a client chooses. Sizes are not such
   * numbers: tensors with these sizes are already in memory.
   */
  isChosen(name: string): boolean;
  /** Whether the file alone determines its numbers. */
  isConstant(name: string): boolean;
  /** Its numbers if it is a short constant; several lists if its name is reused. */
  numbers(name: string): readonly (readonly number[])[];
  /** Its numbers if all values with its name are short constants; undefined otherwise. */
  allNumbers(name: string): readonly number[] | undefined;
  /**
   * Identifies the shape of a tensor that a client sends, also after element-wise operators: values with the same one
   * have the same shape. Undefined for values that are computed from several.
   */
  sentShape(name: string): string | undefined;
  /** How many positions the node that makes it needs in its input, if that node starts a chain of filters and pools. */
  leastPlaces(name: string): readonly number[] | undefined;
  /** Whether it is an operand of a MatMul, directly or after a conversion. */
  isMultiplied(name: string): boolean;
}

/** The values of a model, and those of each of its functions. */
export type ValuesIn = (home: Message) => Values;

/**
 * Determines how many axes the values of a model have, as far as its inputs, constants and operators show. If in doubt,
 * the number is open: operators that are not listed here give values of any shape.
 *
 * Nested graphs are included. If a name is reused, its value is as open as all values with that name.
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
  // Each walk creates its own message objects, at the same positions.
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

/** Operators that the runtime removes between a Transpose and a MatMul, or fuses into the MatMul. */
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

/** Values in one scope: those of the graph of a model, or those of a function. */
class Scope {
  readonly nodes: Field[] = [];
  readonly values = new Map<string, KnownShape>();
  readonly multiplied = new Set<string>();
  readonly constants = new Set<string>();
  readonly sent = new Map<string, string>();
  /** Initializers and Constant nodes, by name. */
  readonly #holders = new Map<string, ConstantHolder[]>();
  /** The original of each converted value. */
  readonly #folded = new Map<string, readonly string[]>();
  readonly #chosen = new Set<string>();
  readonly #ofPlaces: NodeShapes[] = [];
  #leastPlaces: ReadonlyMap<string, readonly number[]> | undefined;
  readonly #declared = new Map<string, KnownShape>();
  readonly #declaredTypes = new Map<string, number>();
  /** Element types by name; several if a name is reused. */
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
    // Numbers in another file are not read.
    const count = this.values.get(name)?.sizes?.reduce<number>((total, size) => total * (size ?? 0), 1);
    return lists.every(({ length }) => length === count) ? lists.flat() : undefined;
  }

  elementType(name: string): number | undefined {
    const [type, ...others] = this.#types.get(name) ?? [];
    return others.every((other) => other === type) ? type : undefined;
  }

  /** Collects what a graph declares about its values. */
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

  /** Walks through the nodes; the inputs of each are defined before it. */
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
      // Together with weights, an operand with other sizes is refused.
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
      // Its elements move to other axes.
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

  /** Operators with nested graphs use more than their inputs. */
  #makesChosen({ domain, type, inputs }: Node): boolean {
    const operator = nameOperator(domain, type);
    if (operator === 'Shape' || operator === 'Size') return false;
    return WITH_GRAPHS.has(operator) || inputs.some((name) => name !== '' && this.isChosen(name));
  }

  /** A node without inputs is a Constant, or makes random numbers. */
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

/** Operators that move the elements of one operand to other axes. */
const MOVING: ReadonlySet<string> = new Set([
  ...STRETCHING,
  ...['Unsqueeze', 'Squeeze', 'Transpose', 'Reshape', 'Flatten'],
]);

/**
 * Inputs whose axes have the same names and sizes have the same shape: requests are checked for this (check-axes.ts).
 */
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

/** Some exporters write a size below 0 for an open axis. */
function sizeOf(axis: number | string): number | undefined {
  return typeof axis === 'number' && axis >= 0 ? axis : undefined;
}

/** What two shapes have in common. */
function widen(first: KnownShape | undefined, second: KnownShape): KnownShape {
  if (!first) return second;
  const least = Math.min(first.least, second.least);
  const most = Math.max(first.most, second.most);
  const [sizes, others] = [first.sizes, second.sizes];
  if (!sizes || !others || least !== most) return { least, most };
  return sized(sizes.map((size, axis) => (size === others[axis] ? size : undefined)));
}

/** Combines two facts about the same shape. If they contradict each other, nothing is known. */
function narrow(first: KnownShape, second: KnownShape): KnownShape {
  const least = Math.max(first.least, second.least);
  const most = Math.min(first.most, second.most);
  if (least > most) return OPEN;
  const sizes = first.sizes ?? second.sizes;
  if (!sizes) return { least, most };
  return sized(sizes.map((size, axis) => size ?? second.sizes?.[axis]));
}
