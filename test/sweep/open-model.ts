import {
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  TENSOR,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from '../../shared/onnx/fields.ts';
import {
  bytesSource,
  encodeField,
  encodeVarintField,
  type Field,
  readFields,
} from '../../shared/onnx/protobuf.ts';
import { DATATYPES, datatypeOfOnnxCode } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import { buildNode, FLOAT, INT64, integerAttribute, tensorValue, text } from '../support/build-model.ts';
import { type AttributeChange, changeAttribute } from './attributes.ts';
import type { Feeds } from './conditions.ts';
import { mapFields, textOf } from './messages.ts';

const VALUE_INFOS_OF_GRAPH = 13;
const ELEMENT_OF_SEQUENCE = 1;

/** How an input of the suite's model is fed: as tensors that a client can send. */
export interface OpenInput {
  readonly name: string;
  /** `TensorProto.DataType` of the suite's tensors. */
  readonly elementType: number;
  readonly kind: 'tensor' | 'sequence';
  readonly isOptional: boolean;
}

export interface OpenOptions {
  /** Inputs that begin as sequences: the number of their tensors. */
  readonly lengths?: ReadonlyMap<string, number>;
  /** Other types: code of the suite's type to code of the new one. */
  readonly types?: ReadonlyMap<number, number>;
  /** Inputs that the model has as constants, as trained weights are: not fed. */
  readonly constants?: Feeds;
  /** An input that the node is not given. */
  readonly without?: string;
  /** Numbers of axes to declare, by the name under which an input is fed; none otherwise. */
  readonly ranks?: ReadonlyMap<string, number>;
  /** Other version of the default operator set. */
  readonly opset?: number;
  readonly attribute?: AttributeChange;
}

/** The inputs of a model that are fed. */
export function readOpenInputs(model: Uint8Array): OpenInput[] {
  const source = bytesSource(model);
  const [graph] = [...readFields(source)].filter(({ number }) => number === MODEL.graph);
  if (!graph) return [];
  const parts = [...readFields(source, graph.start, graph.end)];
  const constants = new Set(
    parts.filter(({ number }) => number === GRAPH.initializer).map((part) => textOf(model, part, 8)),
  );
  return parts
    .filter(({ number }) => number === GRAPH.input)
    .map((part) => readInput(model, part))
    .filter(({ name }) => !constants.has(name));
}

/**
 * The model with inputs of any shape, and with tensors that the Node binding carries: others are cast, sequences and
 * optionals are made in the graph.
 */
export function findModel(model: Uint8Array, options: OpenOptions = {}): Uint8Array {
  return mapFields(model, undefined, (field) => {
    if (field.number === MODEL.graph) return encodeField(MODEL.graph, openGraph(model, field, options));
    if (
      field.number === MODEL.opsetImport &&
      options.opset !== undefined &&
      textOf(model, field, OPSET.domain) === ''
    ) {
      return encodeField(MODEL.opsetImport, encodeVarintField(OPSET.version, options.opset));
    }
    return undefined;
  });
}

function openGraph(model: Uint8Array, graph: Field, options: OpenOptions): Uint8Array {
  const before: Uint8Array[] = [];
  const after: Uint8Array[] = [];
  const rest = mapFields(model, graph, (part) => {
    if (part.number === VALUE_INFOS_OF_GRAPH) return new Uint8Array(0);
    if (part.number === GRAPH.input) {
      const input = readInput(model, part);
      if (input.name === options.without) return new Uint8Array(0);
      const constant = options.constants?.get(input.name);
      if (constant) return encodeField(GRAPH.initializer, encodeTensor(input.name, constant));
      const opened = openInput(input, options);
      before.push(...opened.nodes);
      return opened.values;
    }
    if (part.number === GRAPH.output) {
      const opened = openOutput(readInput(model, part));
      after.push(...opened.nodes);
      return opened.values;
    }
    if (part.number === GRAPH.node && options.attribute) {
      const changed = changeAttribute(model, part, options.attribute);
      return changed && encodeField(GRAPH.node, changed);
    }
    if (part.number === GRAPH.node && options.without !== undefined) {
      const isLeftOut = (member: Field) =>
        new TextDecoder().decode(model.subarray(member.start, member.end)) === options.without;
      const node = mapFields(model, part, (member) =>
        member.number === NODE.input && isLeftOut(member) ? encodeField(NODE.input, text('')) : undefined,
      );
      return encodeField(GRAPH.node, node);
    }
    return undefined;
  });
  const nodes = (list: readonly Uint8Array[]) => list.map((node) => encodeField(GRAPH.node, node));
  return Buffer.concat([...nodes(before), rest, ...nodes(after)]);
}

interface Opened {
  readonly values: Uint8Array;
  readonly nodes: readonly Uint8Array[];
}

/** The names under which the tensors of an input are fed. */
export function fedNames({ name, kind, elementType, isOptional }: OpenInput, length: number): string[] {
  if (kind === 'sequence') return Array.from({ length }, (_, i) => `${name}_${i}`);
  if (datatypeOfOnnxCode(elementType) === undefined) return [`${name}_float`];
  return [isOptional ? `${name}_value` : name];
}

function openInput(input: OpenInput, { lengths, types, ranks }: OpenOptions): Opened {
  const { name, kind, isOptional } = input;
  const elementType = types?.get(input.elementType) ?? input.elementType;
  const isCarried = datatypeOfOnnxCode(elementType) !== undefined;
  const fed = fedNames({ ...input, elementType }, lengths?.get(name) ?? 1);
  const values = Buffer.concat(
    fed.map((fedName) =>
      encodeField(GRAPH.input, declare(fedName, isCarried ? elementType : FLOAT, ranks?.get(fedName))),
    ),
  );
  const nodes: Uint8Array[] = [];
  let value = fed[0] ?? '';
  const add = (type: string, inputs: readonly string[], output: string, attributes: Uint8Array[] = []) => {
    nodes.push(buildNode(type, inputs, [output], { attributes }));
    value = output;
  };
  const made = isOptional ? `${name}_made` : name;
  if (kind === 'sequence' && fed.length === 0)
    add('SequenceEmpty', [], made, [integerAttribute('dtype', elementType)]);
  else if (kind === 'sequence') add('SequenceConstruct', fed, made);
  else if (!isCarried) add('Cast', fed, made, [integerAttribute('to', elementType)]);
  if (isOptional) add('Optional', [value], name);
  return { values, nodes };
}

function openOutput(output: OpenInput): Opened {
  const { name, elementType, kind, isOptional } = output;
  const given = (node: Uint8Array, type: number): Opened => ({
    values: encodeField(GRAPH.output, declare(`${name}_given`, type)),
    nodes: [node],
  });
  if (isOptional) return given(buildNode('OptionalHasElement', [name], [`${name}_given`]), 9);
  if (kind === 'sequence') return given(buildNode('SequenceLength', [name], [`${name}_given`]), INT64);
  if (datatypeOfOnnxCode(elementType) === undefined) {
    return given(
      buildNode('Cast', [name], [`${name}_given`], { attributes: [integerAttribute('to', FLOAT)] }),
      FLOAT,
    );
  }
  return { values: encodeField(GRAPH.output, untypedValue(name)), nodes: [] };
}

function encodeTensor(name: string, { datatype, shape, data }: Tensor): Uint8Array {
  if (Array.isArray(data)) throw new Error(`the constant ${name} has texts`);
  return Buffer.concat([
    ...shape.map((size) => encodeVarintField(TENSOR.dims, size)),
    encodeVarintField(TENSOR.type, DATATYPES[datatype].code),
    encodeField(TENSOR.name, text(name)),
    encodeField(TENSOR.raw, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
}

/** The declaration of an output whose type the runtime infers. */
export function untypedValue(name: string): Uint8Array {
  return encodeField(VALUE_INFO.name, text(name));
}

function declare(name: string, elementType: number, rank?: number): Uint8Array {
  // Each axis has a name of its own: any size fits.
  const shape = rank === undefined ? undefined : Array.from({ length: rank }, (_, axis) => `${name}_${axis}`);
  return tensorValue(name, elementType, shape);
}

function readInput(model: Uint8Array, part: Field): OpenInput {
  const source = bytesSource(model);
  let name = '';
  let elementType = 0;
  let kind: OpenInput['kind'] = 'tensor';
  let isOptional = false;
  const readType = (type: Field): void => {
    for (const content of readFields(source, type.start, type.end)) {
      if (content.number === TYPE.tensor) {
        for (const member of readFields(source, content.start, content.end)) {
          if (member.number === TENSOR_TYPE.elementType) elementType = member.value;
        }
      }
      if (content.number === TYPE.optional) isOptional = true;
      if (content.number === TYPE.sequence) kind = 'sequence';
      if (content.number === TYPE.optional || content.number === TYPE.sequence) {
        for (const member of readFields(source, content.start, content.end)) {
          if (member.number === ELEMENT_OF_SEQUENCE) readType(member);
        }
      }
    }
  };
  for (const member of readFields(source, part.start, part.end)) {
    if (member.number === VALUE_INFO.name)
      name = new TextDecoder().decode(model.subarray(member.start, member.end));
    if (member.number === VALUE_INFO.type) readType(member);
  }
  return { name, elementType, kind, isOptional };
}
