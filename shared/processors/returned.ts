import type { JsonValue } from '../json/json-value.ts';
import { DATATYPES, isDatatype, type TensorData } from '../tensor/datatype.ts';
import { toNested } from '../tensor/nested.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** A step returned something that is not JSON. */
export class ReturnedError extends Error {
  override readonly name = 'ReturnedError';
}

const MOST_DEPTH = 64;

/**
 * What a step returned, as JSON. Typed arrays and tensors become lists, and members that are undefined are left out.
 *
 * @param place where it is in what was returned, for errors
 * @throws ReturnedError
 */
export function toJson(value: unknown, place: string, depth = 0): JsonValue {
  if (depth > MOST_DEPTH) throw new ReturnedError(`${place} is nested deeper than ${MOST_DEPTH} levels`);
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value;
    case 'object':
      return value === null ? null : objectToJson(value, place, depth);
    default:
      throw notJson(value, place);
  }
}

function objectToJson(value: object, place: string, depth: number): JsonValue {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => toJson(item ?? null, `${place}[${index}]`, depth + 1));
  }
  if (isNumbers(value)) return Array.from<number | bigint>(value);
  if (isTensor(value)) return toJson(toNested(checkTensor(value, place)), place, depth);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notJson(value, place);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members.map(([key, member]) => [key, toJson(member, `${place}.${key}`, depth + 1)]),
  );
}

function isNumbers(value: object): value is ArrayLike<number | bigint> & Iterable<number | bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Whether a value is a tensor, as a step gets and returns them. */
export function isTensor(value: unknown): value is Tensor {
  if (
    typeof value !== 'object' ||
    value === null ||
    !('datatype' in value && 'shape' in value && 'data' in value)
  ) {
    return false;
  }
  const { datatype, shape, data } = value;
  const isKnown = typeof datatype === 'string' && isDatatype(datatype);
  return isKnown && Array.isArray(shape) && (Array.isArray(data) || ArrayBuffer.isView(data));
}

/**
 * A tensor that a step made, as the graph can take it.
 *
 * @throws ReturnedError when its elements are not those of its datatype and shape
 */
export function checkTensor(value: unknown, place: string): Tensor {
  if (!isTensor(value)) {
    throw new ReturnedError(
      `${place} is ${describeKind(value)}; expected {datatype, shape, data} with a known datatype`,
    );
  }
  const { datatype, shape, data } = value;
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new ReturnedError(`${place} has the shape [${shape}]; expected whole numbers`);
  }
  const expected = DATATYPES[datatype].allocate(0);
  if (!isOfKind(data, expected) || (Array.isArray(data) && !data.every(isText))) {
    const wanted = Array.isArray(expected) ? 'an array of texts' : `a ${expected.constructor.name}`;
    throw new ReturnedError(`${place} is ${datatype} and has ${describeKind(data)}; expected ${wanted}`);
  }
  const count = elementCount(shape);
  if (data.length === count) return value;
  throw new ReturnedError(`${place} has ${data.length} elements; its shape [${shape}] has ${count}`);
}

/** A Buffer is a Uint8Array too. */
function isOfKind(data: TensorData, expected: TensorData): boolean {
  return Array.isArray(expected) ? Array.isArray(data) : data instanceof expected.constructor;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function notJson(value: unknown, place: string): ReturnedError {
  return new ReturnedError(`${place} is ${describeKind(value)}; expected JSON`);
}

/** The kind of a value, without the value: it may be one of a client. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = value.constructor?.name;
  return name === undefined || name === 'Object' ? 'an object' : `a ${name}`;
}
