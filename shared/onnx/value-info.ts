import { DIMENSION, SHAPE, TENSOR_TYPE, TYPE, VALUE_INFO } from './fields.ts';
import { readMembers } from './members.ts';
import { type ByteSource, type Field, readFields } from './protobuf.ts';

/** An input, output or other value of a graph, as the file declares it. */
export interface ValueInfo {
  readonly name: string;
  readonly kind: keyof typeof TYPE | 'unknown';
  /** `TensorProto.DataType` of a tensor. */
  readonly elementType: number | undefined;
  /**
   * One entry per axis: a size, a symbolic name, or '' without either; undefined if even the number of axes is open.
   */
  readonly shape: readonly (number | string)[] | undefined;
}

export function readValueInfo(source: ByteSource, field: Field): ValueInfo {
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
