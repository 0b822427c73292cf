import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE } from './fields.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';

export type Kind = 'model' | 'function' | 'graph' | 'node' | 'attribute' | 'sparse' | 'tensor' | 'entry';

/**
 * Messages on the path to nodes and tensors, and the fields to follow. Source: onnx.proto (ONNX 1.20, IR version 13).
 */
const WAYS: Readonly<Record<Kind, ReadonlyMap<number, Kind>>> = {
  model: new Map([
    [MODEL.graph, 'graph'],
    [MODEL.function, 'function'],
  ]),
  function: new Map([
    [FUNCTION.node, 'node'],
    [FUNCTION.attribute, 'attribute'],
  ]),
  graph: new Map([
    [GRAPH.node, 'node'],
    [GRAPH.initializer, 'tensor'],
    [15, 'sparse'],
  ]),
  node: new Map([[NODE.attribute, 'attribute']]),
  attribute: new Map([
    [ATTRIBUTE.tensor, 'tensor'],
    [ATTRIBUTE.graph, 'graph'],
    [10, 'tensor'],
    [11, 'graph'],
    [22, 'sparse'],
    [23, 'sparse'],
  ]),
  sparse: new Map([
    [1, 'tensor'],
    [2, 'tensor'],
  ]),
  tensor: new Map([[13, 'entry']]),
  entry: new Map(),
};

const LENGTH_DELIMITED = 2;

/** A message of a model, with the one that it is in. */
export interface Message {
  readonly kind: Kind;
  /** Its position; for the model itself, the whole source. */
  readonly field: Field;
  /** Undefined for the model. */
  readonly parent: Message | undefined;
  /** The operator of a node, such as `TopK` or `ai.onnx.ml.ZipMap`; '' for other messages. */
  readonly operator: string;
}

/**
 * All messages of a model on the path to its nodes and tensors, including those of nested graphs and functions. Each
 * comes after the message that contains it. Weights are not read.
 *
 * @param root where to start, if not at the model itself
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function* walkModel(
  source: ByteSource,
  root: Omit<Message, 'operator'> = modelMessage(source),
): Generator<Message> {
  // A list instead of recursion, as graphs can be nested deeper than the call stack allows.
  const open = [root];
  for (let next = open.pop(); next; next = open.pop()) {
    const { kind, field, parent } = next;
    const ways = WAYS[kind];
    const inside: Field[] = [];
    let [domain, type] = ['', ''];
    const isNode = kind === 'node';
    const isWanted = (number: number) =>
      ways.has(number) || (isNode && (number === NODE.opType || number === NODE.domain));
    for (const part of readFields(source, field.start, field.end, isWanted)) {
      if (part.wireType !== LENGTH_DELIMITED) continue;
      if (ways.has(part.number)) inside.push(part);
      else if (part.number === NODE.opType) type = readText(source, part);
      else domain = readText(source, part);
    }
    const operator = isNode ? nameOperator(domain, type) : '';
    const message: Message = { kind, field, parent, operator };
    yield message;
    for (const part of inside.reverse()) {
      const found = ways.get(part.number);
      if (found) open.push({ kind: found, field: part, parent: message });
    }
  }
}

/** Whether a message is the graph itself. Functions are also directly in the model. */
export function isMainGraph({ kind, parent }: Message): boolean {
  return kind === 'graph' && parent?.kind === 'model';
}

/** The whole file as a message. */
export function modelMessage(source: ByteSource): Message {
  const end = source.length;
  const field = { number: 0, wireType: LENGTH_DELIMITED, value: 0, fieldStart: 0, start: 0, end };
  return { kind: 'model', field, parent: undefined, operator: '' };
}

/** The default domain is called '' or, in some files, by its full name. */
export function isDefaultDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

/** The operator of a node, such as `TopK` or `ai.onnx.ml.ZipMap`. */
export function nameOperator(domain: string, type: string): string {
  return isDefaultDomain(domain) ? type : `${domain}.${type}`;
}
