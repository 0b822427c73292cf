import { checkAnswerSize, joinEach, joinInSteps } from '../json/join-each.ts';
import { JsonText } from '../json/write-json.ts';
import type { Datatype } from './datatype.ts';
import { float16ToNumber } from './float16.ts';
import { shortestFloat32 } from './float32.ts';
import { elementCount, type Tensor } from './tensor.ts';

/** How elements are written if JSON leaves a choice. */
export interface ElementStyle {
  /** NaN and infinity: as `null`, or as the bare words that Python reads. */
  readonly nonFinite: 'null' | 'literal';
  /** Whether floats always show that they are: `1.0` instead of `1`, as TensorFlow Serving does. */
  readonly isFloatMarked?: boolean;
  /** Whether texts are written as bytes in base64, `{"b64": "…"}`. */
  readonly isBase64?: boolean;
  /** Most bytes of an answer; no limit by default. */
  readonly limitBytes?: number;
}

/** Writes the element at a place of a tensor. */
type Write = (index: number) => string;

/** Float32 is written with the fewest digits that read back to the same value. */
function writerOf({ datatype, data }: Tensor, style: ElementStyle): Write {
  if (Array.isArray(data)) return (index) => writeText(data[index] ?? '', style);
  const write = elementWriter(datatype, style);
  return (index) => write(data[index] ?? 0);
}

/**
 * The elements of a tensor in row-major order as JSON, with commas between them.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when their text is longer than an answer may be
 */
export function writeElements(
  tensor: Tensor,
  style: ElementStyle,
  start = 0,
  end = tensor.data.length,
): string {
  return joinEach(start, end, writerOf(tensor, style), limitOf(style));
}

/** Writes all elements; it yields at points where the work can pause. */
export function writeElementsInSteps(tensor: Tensor, style: ElementStyle): Generator<undefined, string> {
  return joinInSteps(0, tensor.data.length, writerOf(tensor, style), limitOf(style));
}

/** The same, where texts that are JSON stand for their values. */
function valueWriterOf(tensor: Tensor, style: ElementStyle): Write {
  const { data, isJson } = tensor;
  return isJson && Array.isArray(data) ? (index) => data[index] ?? 'null' : writerOf(tensor, style);
}

function limitOf({ limitBytes = Number.POSITIVE_INFINITY }: ElementStyle): number {
  return limitBytes;
}

function elementWriter(datatype: Datatype, style: ElementStyle): (value: number | bigint) => string {
  switch (datatype) {
    case 'FP32':
      return (value) => writeFloat(shortestFloat32(Number(value)), style);
    case 'FP16':
      return (value) => writeFloat(shortestFloat32(float16ToNumber(Number(value))), style);
    case 'FP64':
      return (value) => writeFloat(Number(value), style);
    case 'BOOL':
      return (value) => (value === 1 ? 'true' : 'false');
    default:
      return String;
  }
}

function writeText(text: string, { isBase64 }: ElementStyle): string {
  return isBase64 ? `{"b64":"${Buffer.from(text).toString('base64')}"}` : JSON.stringify(text);
}

/** A float with as many digits as it needs. */
export function writeFloat(value: number, { nonFinite, isFloatMarked }: ElementStyle): string {
  if (!Number.isFinite(value)) return nonFinite === 'literal' ? String(value) : 'null';
  if (Object.is(value, -0)) return '-0.0';
  return isFloatMarked && Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/**
 * A tensor as nested lists in JSON; a scalar comes out bare.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when it makes a longer text than an answer may be
 */
export function writeTensor(tensor: Tensor, style: ElementStyle): JsonText {
  return new JsonText(nest(valueWriterOf(tensor, style), limitOf(style), tensor.shape, 0));
}

/**
 * One JSON text per item of the first axis.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when their text together is longer than an answer may be
 */
export function writeRows(tensor: Tensor, style: ElementStyle): JsonText[] {
  const [rows = 0, ...shape] = tensor.shape;
  const width = elementCount(shape);
  const write = valueWriterOf(tensor, style);
  const limitBytes = limitOf(style);
  let length = 0;
  return Array.from({ length: rows }, (_, row) => {
    const text = nest(write, limitBytes, shape, row * width);
    length += text.length;
    checkAnswerSize(length, limitBytes);
    return new JsonText(text);
  });
}

/** The elements starting at `start` as nested lists of a shape. Empty lists still show the sizes that are not zero. */
function nest(write: Write, limitBytes: number, shape: readonly number[], start: number): string {
  const [size, ...rest] = shape;
  if (size === undefined) return write(start);
  if (rest.length === 0) return `[${joinEach(start, start + size, write, limitBytes)}]`;
  const width = elementCount(rest);
  const writeList = (index: number) => nest(write, limitBytes, rest, start + index * width);
  return `[${joinEach(0, size, writeList, limitBytes)}]`;
}
