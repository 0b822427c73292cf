import type { Bounds } from './bounds.ts';
import { GRAPH, NODE, TENSOR, VALUE_INFO } from './fields.ts';
import { readNumber } from './node-attributes.ts';
import { type Node, readName, readNode } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

/** Longest way back from an output; a graph can have circles only when it is broken. */
export const LONGEST_WAY = 48;

/** Real graphs need a few dozen steps: a file can be made to need as many as there are ways through it. */
const MOST_STEPS = 100_000;

/** Operators that hand on all values of their first input, each once. */
const SHAPING = ['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose'];

/** What is known of a graph while the bounds of its values are followed back. */
export interface Search {
  readonly source: ByteSource;
  /** The node that makes each value. */
  readonly makers: ReadonlyMap<string, Field>;
  readonly initializers: ReadonlyMap<string, Field>;
  /** Nodes that were read. */
  readonly nodes: Map<Field, Maker>;
  /** Values that were looked at: many can come from one of them. */
  readonly found: Map<string, Bounds>;
  /** How many more nodes are looked at; then nothing more is known. */
  left: number;
  /** Bounds of a value, so many steps back from an output. */
  readonly boundsOf: (search: Search, name: string, steps: number) => Bounds;
}

/** @param graph the field of the file that holds the graph */
export function startSearch(source: ByteSource, graph: Field, boundsOf: Search['boundsOf']): Search {
  const makers = new Map<string, Field>();
  const initializers = new Map<string, Field>();
  const inputs: string[] = [];
  for (const part of readFields(source, graph.start, graph.end)) {
    if (part.number === GRAPH.input) inputs.push(readName(source, part, VALUE_INFO.name));
    if (part.number === GRAPH.initializer) initializers.set(readName(source, part, TENSOR.name), part);
    if (part.number !== GRAPH.node) continue;
    const outputs = readFields(source, part.start, part.end, (number) => number === NODE.output);
    for (const output of outputs) makers.set(readText(source, output), part);
  }
  // Clients can send other values for those that are inputs as well.
  for (const name of inputs) initializers.delete(name);
  return { source, makers, initializers, nodes: new Map(), found: new Map(), left: MOST_STEPS, boundsOf };
}

/** A node where it stands in the file. */
export interface Maker extends Node {
  readonly source: ByteSource;
  readonly field: Field;
}

/** The node that makes a value; undefined for those that no node makes, and where too many were looked at. */
export function findMaker(search: Search, name: string): Maker | undefined {
  const { source, makers, nodes } = search;
  const field = makers.get(name);
  search.left -= 1;
  if (!field || search.left < 0) return undefined;
  const node = nodes.get(field) ?? { source, field, ...readNode(source, field) };
  nodes.set(field, node);
  return node;
}

/** The value that was brought into another shape or type. */
export function rootOf(search: Search, name: string): string {
  let root = name;
  for (let steps = 0; steps < LONGEST_WAY; steps++) {
    const maker = findMaker(search, root);
    if (!maker || !SHAPING.includes(maker.type) || cutsFractions(maker)) return root;
    root = maker.inputs[0] ?? '';
  }
  return root;
}

/** A value that loses its fraction is another one. */
function cutsFractions(maker: Maker): boolean {
  return (
    maker.type === 'CastLike' || (maker.type === 'Cast' && !FLOATS.includes(readNumber(maker, 'to', 0) ?? 0))
  );
}

/** float32, float16, double and bfloat16, by their numbers in the standard. */
const FLOATS = [1, 10, 11, 16];
