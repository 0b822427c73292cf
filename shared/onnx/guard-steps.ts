import {
  encodeNode,
  encodeText,
  integerAttribute,
  integersAttribute,
  type Name,
  tensorAttribute,
} from './encode-node.ts';
import { ELEMENT_TYPES, NODE } from './fields.ts';
import { encodeField } from './protobuf.ts';

/** Cast takes types as numbers from this version on. Many operators have no kernel for older versions. */
export const FIRST_CAST = 6;
/** Less compares numbers of any shape from this version on. */
export const FIRST_LESS = 7;
/** Sequences exist from this version on. From 22 on, the runtime has no kernel for random numbers. */
const FIRST_SEQUENCE = 11;

/** Writes nodes one by one. */
export class Steps {
  readonly nodes: Uint8Array[] = [];
  /** A name that the model does not use. */
  readonly newName: () => Name;

  constructor(newName: () => Name) {
    this.newName = newName;
  }

  /** Adds a node, and returns the name of its output. */
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
   * @param name prefix of the node's name, which the runtime quotes if an index is out of range
   */
  gather(data: Name, index: Name, name = ''): Name {
    const output = this.newName();
    const node = encodeNode('Gather', [data, index], [output], [integerAttribute('axis', 0)]);
    // The runtime does not accept two nodes with the same name.
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
   * The same condition in a form that the runtime does not recognise as constant: at load time it computes neither
   * sequences nor random numbers. From operator set 7 on.
   */
  hide(condition: Name, opset: number): Name {
    if (opset >= FIRST_SEQUENCE) {
      return this.add('SequenceAt', [this.add('SequenceConstruct', [condition]), this.number(0)]);
    }
    const random = this.add('RandomUniform', [], [integersAttribute('shape', [1])]);
    return this.add('And', [condition, this.add('Less', [random, this.float(2)])]);
  }

  /**
   * A list of one 0 that the runtime refuses to compute if a condition does not hold.
   *
   * @param name of the node that its error quotes then
   */
  unless(condition: Name, name = ''): Name {
    return this.gather(this.list(0), this.integers(condition), name);
  }
}

/** A constant list of int64 numbers, or a single one. */
export function encodeInt64s(name: Name, values: readonly number[] | number): Uint8Array {
  const isList = typeof values !== 'number';
  const elements = new Uint8Array(BigInt64Array.from(isList ? values : [values], BigInt).buffer);
  const shape = isList ? [values.length] : [];
  const value = tensorAttribute('value', ELEMENT_TYPES.int64, shape, elements);
  return encodeNode('Constant', [], [name], [value]);
}

export const NO_NAME = encodeText('');

/** Nodes omit optional inputs with an empty name. */
export function isGiven(name: Name): boolean {
  return name.length > 0;
}
