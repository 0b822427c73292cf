import {
  ATTRIBUTE,
  DIMENSION,
  GRAPH,
  MODEL,
  NODE,
  OPSET,
  SHAPE,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
} from './fields.ts';
import { type MlOutputs, NO_ML_OUTPUTS, readMlOutputs } from './ml-outputs.ts';
import { ML_DOMAIN } from './nodes.ts';
import { type ByteSource, type Field, readFields, readText, readVarints } from './protobuf.ts';

/** An input or output as the file declares it. */
export interface ValueInfo {
  readonly name: string;
  readonly kind: keyof typeof TYPE | 'unknown';
  /** `TensorProto.DataType` of a tensor. */
  readonly elementType: number | undefined;
  /** One entry per axis: a size, a symbolic name, or '' without either; undefined when even the rank is open. */
  readonly shape: readonly (number | string)[] | undefined;
}

/** A scikit-learn classifier's last node: it turns the probability matrix into a sequence of maps. */
export interface ZipMap {
  /** Name of the probability matrix. */
  readonly input: string;
  readonly output: string;
  readonly labels: readonly string[] | readonly number[];
}

export interface Graph extends MlOutputs {
  readonly opsets: ReadonlyMap<string, number>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly zipMaps: readonly ZipMap[];
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
  const zipMaps: ZipMap[] = [];
  let producer = '';
  let body: Field | undefined;
  for (const field of readFields(source)) {
    if (field.number === MODEL.opsetImport) {
      const opset = readMembers(source, field);
      opsets.set(opset.text(OPSET.domain), opset.number(OPSET.version));
    }
    if (field.number === MODEL.producer) producer = readText(source, field);
    if (field.number !== MODEL.graph) continue;
    body = field;
    for (const part of readFields(source, field.start, field.end)) {
      if (part.number === GRAPH.input) inputs.push(readValueInfo(source, part));
      if (part.number === GRAPH.output) outputs.push(readValueInfo(source, part));
      if (part.number === GRAPH.node) zipMaps.push(...readZipMap(source, part));
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
  return { opsets, inputs, outputs, zipMaps, ...mlOutputs };
}

/** The node as a ZipMap, or nothing when it is any other. */
export function readZipMap(source: ByteSource, node: Field): ZipMap[] {
  const members = readMembers(source, node);
  if (members.text(NODE.opType) !== 'ZipMap') return [];
  const strings: string[] = [];
  const integers: number[] = [];
  for (const attribute of members.all(NODE.attribute)) {
    const parts = readMembers(source, attribute);
    const name = parts.text(ATTRIBUTE.name);
    if (name === 'classlabels_strings') {
      for (const entry of parts.all(ATTRIBUTE.strings)) strings.push(readText(source, entry));
    }
    if (name === 'classlabels_int64s') {
      for (const entry of parts.all(ATTRIBUTE.ints)) {
        for (const value of readVarints(source, entry)) integers.push(value);
      }
    }
  }
  const labels = strings.length > 0 ? strings : integers;
  return [{ input: members.text(NODE.input), output: members.text(NODE.output), labels }];
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

/** A small message with its members by number; as protocol buffers want it, the last of a singular field counts. */
function readMembers(source: ByteSource, field: Field) {
  const members = [...readFields(source, field.start, field.end)];
  const all = (number: number) => members.filter((member) => member.number === number);
  return {
    all,
    text: (number: number) => {
      const last = all(number).at(-1);
      return last ? readText(source, last) : '';
    },
    number: (number: number) => all(number).at(-1)?.value ?? 0,
  };
}
