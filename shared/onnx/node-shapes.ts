import { ATTRIBUTE, TENSOR } from './fields.ts';
import { type Node, readName } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';

/** What a file guarantees about the shape of a value for any input. */
export interface KnownShape {
  /** The smallest and largest number of axes. */
  readonly least: number;
  readonly most: number;
  /** The size of each axis, undefined for open ones; only set if the number of axes is known. */
  readonly sizes?: Sizes;
}

export type Sizes = readonly (number | undefined)[];

export const OPEN: KnownShape = { least: 0, most: Number.POSITIVE_INFINITY };

/** Most axes. No kernel takes tensors with more, but a file can declare any number. */
export const MOST_AXES = 64;

export function ranked(least: number, most = least): KnownShape {
  return {
    least: Math.min(least, MOST_AXES),
    most: most > MOST_AXES ? Number.POSITIVE_INFINITY : most,
  };
}

export function sized(sizes: Sizes): KnownShape {
  return sizes.length > MOST_AXES ? OPEN : { ...ranked(sizes.length), sizes };
}

export function isKnown(size: number | undefined): size is number {
  return size !== undefined;
}

export function readDims(source: ByteSource, tensor: Field): number[] {
  const dims = readFields(source, tensor.start, tensor.end, (number) => number === TENSOR.dims);
  return [...dims].flatMap((member) => readVarints(source, member));
}

/** A node with the shapes of its inputs. */
export class NodeShapes {
  readonly node: Node;
  readonly source: ByteSource;
  readonly #known: (name: string) => KnownShape;
  /** By name: rules ask for many that a node does not have. */
  #attributes: ReadonlyMap<string, Field> | undefined;

  constructor(source: ByteSource, node: Node, known: (name: string) => KnownShape) {
    this.node = node;
    this.source = source;
    this.#known = known;
  }

  has(index: number): boolean {
    return (this.node.inputs[index] ?? '') !== '';
  }

  input(index: number): KnownShape {
    const name = this.node.inputs[index] ?? '';
    return name === '' ? OPEN : this.#known(name);
  }

  attribute(name: string): Field | undefined {
    this.#attributes ??= new Map(
      // The first of equal names counts.
      this.node.attributes
        .map((each) => [readName(this.source, each, ATTRIBUTE.name), each] as const)
        .reverse(),
    );
    return this.#attributes.get(name);
  }

  /** Members of an attribute by their number in the standard. */
  members(name: string, number: number): Field[] {
    const attribute = this.attribute(name);
    if (!attribute) return [];
    return [...readFields(this.source, attribute.start, attribute.end, (other) => other === number)];
  }

  /** The number of an attribute; undefined if the caller of a function sets it. */
  integer(name: string, fallback: number): number | undefined {
    if (!this.attribute(name)) return fallback;
    if (this.members(name, ATTRIBUTE.reference).length > 0) return undefined;
    return this.members(name, ATTRIBUTE.integer)[0]?.value ?? 0;
  }

  /** The numbers of an attribute; empty if it is not set. */
  integers(name: string): number[] {
    return this.members(name, ATTRIBUTE.ints).flatMap((list) => readVarints(this.source, list));
  }

  text(name: string): string | undefined {
    const [member] = this.members(name, ATTRIBUTE.string);
    return member && readText(this.source, member);
  }

  /** The length of a list that is an attribute or, in newer operator sets, an input. */
  listLength(name: string, index: number): number | undefined {
    const list = this.integers(name);
    if (list.length > 0) return list.length;
    return this.has(index) ? this.input(index).sizes?.[0] : undefined;
  }

  /** The shape of a tensor in an attribute. */
  tensor(name: string): KnownShape | undefined {
    const [member] = this.members(name, ATTRIBUTE.tensor);
    return member && sized(readDims(this.source, member));
  }
}
