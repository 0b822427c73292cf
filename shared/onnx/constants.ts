import { ATTRIBUTE, NODE, TENSOR } from './fields.ts';
import { readName } from './nodes.ts';
import { type ByteSource, type Field, readFields, readVarints } from './protobuf.ts';
import type { Message } from './walk.ts';

/** Constants that give sizes have at most two numbers per axis of a tensor. */
const MOST_NUMBERS = 128;

/** Element types by their numbers in the standard, with the functions that read their raw bytes. */
const RAW: Readonly<Record<number, readonly [size: number, read: (view: DataView, at: number) => number]>> = {
  1: [4, (view, at) => view.getFloat32(at, true)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
  11: [8, (view, at) => view.getFloat64(at, true)],
};

/** The source of a constant: an initializer, or a Constant node. */
export type ConstantHolder = Pick<Message, 'kind' | 'field'>;

/** The numbers of short constants, by name. If nested graphs reuse a name, all its values are kept. */
export function readConstants(
  source: ByteSource,
  holders: readonly ConstantHolder[],
  names: ReadonlySet<string>,
): ReadonlyMap<string, readonly (readonly number[])[]> {
  const constants = new Map<string, (readonly number[])[]>();
  for (const { kind, field } of holders) {
    const name = readName(source, field, kind === 'node' ? NODE.output : TENSOR.name);
    if (!names.has(name)) continue;
    const numbers = readConstant(source, { kind, field });
    const others = constants.get(name);
    if (!numbers) continue;
    if (others) others.push(numbers);
    else constants.set(name, [numbers]);
  }
  return constants;
}

/**
 * The numbers of a short constant of int32, int64 or floats that is in the file itself; undefined for others. @param
 * most the largest count of numbers that is short
 */
export function readConstant(
  source: ByteSource,
  { kind, field }: ConstantHolder,
  most = MOST_NUMBERS,
): readonly number[] | undefined {
  return kind === 'node' ? readConstantNode(source, field, most) : readTensor(source, field, most);
}

function readConstantNode(source: ByteSource, node: Field, most: number): readonly number[] | undefined {
  for (const attribute of readFields(source, node.start, node.end, (number) => number === NODE.attribute)) {
    const members = [...readFields(source, attribute.start, attribute.end, isNumeric)];
    const tensor = members.find(({ number }) => number === ATTRIBUTE.tensor);
    if (tensor) return readTensor(source, tensor, most);
    if (members.length > 0) return members.flatMap((member) => readMember(source, member, most));
  }
  return undefined;
}

function isNumeric(number: number): boolean {
  return NUMERIC.has(number);
}

function readMember(source: ByteSource, member: Field, most: number): readonly number[] {
  const isFloat = member.number === ATTRIBUTE.float || member.number === ATTRIBUTE.floats;
  return isFloat ? readFloat32s(source, member, most) : readVarints(source, member);
}

const NUMERIC: ReadonlySet<number> = new Set([
  ATTRIBUTE.float,
  ATTRIBUTE.floats,
  ATTRIBUTE.integer,
  ATTRIBUTE.ints,
  ATTRIBUTE.tensor,
]);

/** The numbers of a short tensor of int32, int64 or floats that is in the file itself. */
function readTensor(source: ByteSource, { start, end }: Field, most: number): readonly number[] | undefined {
  const members = [...readFields(source, start, end, (number) => TENSOR_MEMBERS.has(number))];
  const of = (number: number) => members.filter((member) => member.number === number);
  const size = of(TENSOR.dims)
    .flatMap((member) => readVarints(source, member))
    .reduce((product, dimension) => product * dimension, 1);
  if (size > most) return undefined;
  if (HALF_FLOATS.includes(of(TENSOR.type)[0]?.value ?? 0)) return undefined;
  const raw = of(TENSOR.raw)[0];
  const [bytes, read] = RAW[of(TENSOR.type)[0]?.value ?? 0] ?? [];
  if (raw && bytes !== undefined && read) {
    return readRaw(source.bytes(raw.start, raw.end), bytes, read, most);
  }
  const integers = [...of(TENSOR.int32s), ...of(TENSOR.int64s)];
  const floats = of(TENSOR.floats).flatMap((list) => readFloat32s(source, list, most));
  return [...integers.flatMap((list) => readVarints(source, list)), ...floats];
}

/** float16 and bfloat16: the field of whole numbers holds their bit patterns. */
const HALF_FLOATS = [10, 16];

const TENSOR_MEMBERS: ReadonlySet<number> = new Set([
  TENSOR.dims,
  TENSOR.type,
  TENSOR.raw,
  TENSOR.int32s,
  TENSOR.int64s,
  TENSOR.floats,
]);

function readFloat32s(source: ByteSource, { start, end }: Field, most: number): number[] {
  return readRaw(source.bytes(start, end), 4, (view, at) => view.getFloat32(at, true), most);
}

function readRaw(
  bytes: Uint8Array,
  size: number,
  read: (view: DataView, at: number) => number,
  most: number,
): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.min(most, Math.floor(bytes.length / size));
  return Array.from({ length: count }, (_, index) => read(view, index * size));
}
