import { buildNode, FLOAT, initializer } from '../../support/build-model.ts';
import { createRandom, randomWeights } from './random.ts';

type Attributes = readonly Uint8Array[];

/** Collects the nodes and weights of a graph. */
export interface GraphBuilder {
  readonly nodes: readonly Uint8Array[];
  readonly initializers: readonly Uint8Array[];
  /** Adds a node with one output, and returns the name of the output. */
  node(type: string, inputs: readonly string[], attributes?: Attributes, output?: string): string;
  /** Adds random weights, and returns their name. */
  weights(dims: readonly number[], inputs: number): string;
  /** Adds a tensor of the same number, and returns its name. */
  constant(dims: readonly number[], value: number): string;
  /** Adds an initializer that was built elsewhere. */
  add(name: string, tensor: Uint8Array): string;
}

export function createGraph(): GraphBuilder {
  const nodes: Uint8Array[] = [];
  const initializers: Uint8Array[] = [];
  const random = createRandom();
  const add = (name: string, tensor: Uint8Array) => {
    initializers.push(tensor);
    return name;
  };
  const addFloats = (dims: readonly number[], values: Float32Array) => {
    const name = `w${initializers.length}`;
    return add(name, initializer(name, FLOAT, dims, new Uint8Array(values.buffer)));
  };
  const sizeOf = (dims: readonly number[]) => dims.reduce((size, each) => size * each, 1);
  return {
    nodes,
    initializers,
    node: (type, inputs, attributes = [], output = `n${nodes.length}`) => {
      nodes.push(buildNode(type, inputs, [output], { attributes }));
      return output;
    },
    weights: (dims, inputs) => addFloats(dims, randomWeights(sizeOf(dims), inputs, random)),
    constant: (dims, value) => addFloats(dims, new Float32Array(sizeOf(dims)).fill(value)),
    add,
  };
}
