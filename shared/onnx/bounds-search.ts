import type { Bounds } from './bounds.ts';
import { GRAPH, NODE, TENSOR, VALUE_INFO } from './fields.ts';
import { readNumber } from './node-attributes.ts';
import { type Node, readName, readNode } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

/** Most steps back from an output; only broken graphs have cycles. */
export const LONGEST_WAY = 48;

/** Most nodes to look at. Real graphs need a few dozen; a crafted file can need as many as it has paths. */
const MOST_STEPS = 100_000;

/** Operators that pass all values of their first input, each once. */
const SHAPING = ['Identity', 'Cast', 'CastLike', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Transpose'];

/** The state of a search back through a graph for the bounds of its values. */
export interface Search {
  readonly source: ByteSource;
  /** The node that makes each value. */
  readonly makers: ReadonlyMap<string, Field>;
  readonly initializers: ReadonlyMap<string, Field>;
  /** Nodes that have been parsed. */
  readonly nodes: Map<Field, Maker>;
  /** Bounds that were found; many values can come from one of them. */
  readonly found: Map<string, Bounds>;
  /** How many more nodes may be looked at; after that, bounds are unknown. */
  left: number;
  /** Bounds of a value at this number of steps back from an output. */
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
  // Clients can send other values for initializers that are also inputs.
  for (const name of inputs) initializers.delete(name);
  return { source, makers, initializers, nodes: new Map(), found: new Map(), left: MOST_STEPS, boundsOf };
}

/** A node and its position in the file. */
export interface Maker extends Node {
  readonly source: ByteSource;
  readonly field: Field;
}

/** The node that makes a value; undefined if no node makes it, or if too many nodes were looked at. */
export function findMaker(search: Search, name: string): Maker | undefined {
  const { source, makers, nodes } = search;
  const field = makers.get(name);
  search.left -= 1;
  if (!field || search.left < 0) return undefined;
  const node = nodes.get(field) ?? { source, field, ...readNode(source, field) };
  nodes.set(field, node);
  return node;
}

/** The value that a node only reshapes or casts. */
export function rootOf(search: Search, name: string): string {
  let root = name;
  for (let steps = 0; steps < LONGEST_WAY; steps++) {
    const maker = findMaker(search, root);
    if (!maker || !SHAPING.includes(maker.type) || cutsFractions(maker)) return root;
    root = maker.inputs[0] ?? '';
  }
  return root;
}

/** A cast that drops the fraction changes the value. */
function cutsFractions(maker: Maker): boolean {
  return (
    maker.type === 'CastLike' || (maker.type === 'Cast' && !FLOATS.includes(readNumber(maker, 'to', 0) ?? 0))
  );
}

/** float32, float16, double and bfloat16, by their numbers in the standard. */
const FLOATS = [1, 10, 11, 16];
