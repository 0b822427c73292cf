import { type ExternalData, readExternalData } from './external-data.ts';
import { DIMENSION, GRAPH, MODEL, SHAPE, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields.ts';
import { readMembers } from './members.ts';
import { type MlOutputs, NO_ML_OUTPUTS, readMlOutputs } from './ml-outputs.ts';
import { ML_DOMAIN } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText } from './protobuf.ts';
import { readOpsetImport } from './rewrite-model.ts';
import { findRisks, isRepeating, isSuspect, type Risk, type SuspectNode } from './risks.ts';
import { type Message, walkModel } from './walk.ts';
import { readZipMap, ZIP_MAP, type ZipMap } from './zip-map-node.ts';

/** An input or output as the file declares it. */
export interface ValueInfo {
  readonly name: string;
  readonly kind: keyof typeof TYPE | 'unknown';
  /** `TensorProto.DataType` of a tensor. */
  readonly elementType: number | undefined;
  /** One entry per axis: a size, a symbolic name, or '' without either; undefined when even the rank is open. */
  readonly shape: readonly (number | string)[] | undefined;
}

export interface Graph extends MlOutputs {
  readonly opsets: ReadonlyMap<string, number>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly zipMaps: readonly ZipMap[];
  /** What its nodes do, those of nested graphs and of functions among them: `TopK`, `ai.onnx.ml.ZipMap`. */
  readonly operators: ReadonlySet<string>;
  /** What in it should be tried in a process of its own first. */
  readonly risks: readonly Risk[];
  /** Its tensors whose bytes are in other files. */
  readonly externalData: readonly ExternalData[];
}

/**
 * Reads what Ternion needs of an ONNX file. Weights are skipped, not read.
 *
 * @throws ProtobufError when the bytes are not a protocol buffers message
 */
export function readGraph(source: ByteSource): Graph {
  const opsets = new Map<string, number>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  let producer = '';
  let body: Field | undefined;
  for (const field of readFields(source)) {
    if (field.number === MODEL.opsetImport) {
      const { domain, version } = readOpsetImport(source, field);
      opsets.set(domain, version);
    }
    if (field.number === MODEL.producer) producer = readText(source, field);
    if (field.number !== MODEL.graph) continue;
    body = field;
    for (const part of readFields(source, field.start, field.end, isInputOrOutput)) {
      (part.number === GRAPH.input ? inputs : outputs).push(readValueInfo(source, part));
    }
  }
  const mlOutputs =
    body && opsets.has(ML_DOMAIN)
      ? readMlOutputs(
          source,
          body,
          inputs.map(({ name }) => name),
          outputs.map(({ name }) => name),
          producer,
        )
      : NO_ML_OUTPUTS;
  return { opsets, inputs, outputs, ...readNodes(source), ...mlOutputs };
}

function isInputOrOutput(number: number): boolean {
  return number === GRAPH.input || number === GRAPH.output;
}

/** What all nodes and tensors have to say, in one walk. */
function readNodes(source: ByteSource): Pick<Graph, 'zipMaps' | 'operators' | 'externalData' | 'risks'> {
  const operators = new Set<string>();
  const zipMaps: ZipMap[] = [];
  const entries: Message[] = [];
  const constants: Message[] = [];
  const suspects: SuspectNode[] = [];
  const repeated = new Set<Message>();
  for (const message of walkModel(source)) {
    const { parent } = message;
    const isRepeated = parent !== undefined && (isRepeating(parent) || repeated.has(parent));
    if (isRepeated) repeated.add(message);
    if (message.kind === 'entry') entries.push(message);
    const isInitializer = message.kind === 'tensor' && parent?.kind === 'graph';
    if (isInitializer || message.operator === 'Constant') constants.push(message);
    if (message.kind !== 'node') continue;
    operators.add(message.operator);
    if (isSuspect(message)) suspects.push({ message, isRepeated });
    const isInMainGraph = parent?.parent?.kind === 'model';
    if (message.operator === ZIP_MAP && isInMainGraph) zipMaps.push(readZipMap(source, message.field));
  }
  const risks = findRisks(source, suspects, constants);
  return { operators, zipMaps, risks, externalData: readExternalData(source, entries) };
}

function readValueInfo(source: ByteSource, field: Field): ValueInfo {
  const members = readMembers(source, field);
  const name = members.text(VALUE_INFO.name);
  const [type] = members.all(VALUE_INFO.type);
  const unknown: ValueInfo = { name, kind: 'unknown', elementType: undefined, shape: undefined };
  if (!type) return unknown;
  const [content] = readFields(source, type.start, type.end);
  const kind = TYPE_KINDS.find((candidate) => TYPE[candidate] === content?.number);
  if (!content || !kind) return unknown;
  if (kind !== 'tensor') return { ...unknown, kind };
  const tensor = readMembers(source, content);
  const [shape] = tensor.all(TENSOR_TYPE.shape);
  return {
    name,
    kind,
    elementType: tensor.number(TENSOR_TYPE.elementType),
    shape:
      shape &&
      readMembers(source, shape)
        .all(SHAPE.dimension)
        .map((axis) => readDimension(source, axis)),
  };
}

const TYPE_KINDS = ['tensor', 'sequence', 'map', 'sparseTensor', 'optional'] as const;

function readDimension(source: ByteSource, field: Field): number | string {
  const members = readMembers(source, field);
  const [value] = members.all(DIMENSION.value);
  return value ? value.value : members.text(DIMENSION.parameter);
}
