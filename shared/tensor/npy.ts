import { invalid, overLimit } from '../errors.ts';
import { tensorFromBytes, tensorToBytes } from './bytes.ts';
import type { Datatype } from './datatype.ts';
import { CODE_POINT_BYTES, type NpyDtype, readNpyHeader } from './npy-header.ts';
import { elementCount, type Tensor } from './tensor.ts';

export interface ArrayOptions {
  /** Where the array stands in the request, for errors. */
  readonly field: string;
  readonly elementLimit: number;
}

/**
 * Reads an array in NumPy's format (`.npy`): booleans, whole numbers, floats and texts in either byte order, row by row
 * or column by column. Elements that already lie as the runtime wants them are not copied.
 * Source: numpy.lib.format.
 *
 * @throws InferenceError for other types, above all Python objects, for too many elements and for damaged data
 */
export function readNpy(bytes: Uint8Array, { field, elementLimit }: ArrayOptions): Tensor {
  const { dtype, isFortranOrder, shape, dataStart } = readNpyHeader(bytes, field);
  const count = elementCount(shape);
  if (count > elementLimit) {
    throw overLimit(
      `Field "${field}" has ${count} elements; the limit is ${elementLimit} (MAX_TENSOR_ELEMENTS).`,
    );
  }
  const given = bytes.subarray(dataStart);
  if (given.length !== count * dtype.elementBytes) {
    throw invalid(
      `Field "${field}" has ${given.length} bytes of elements; its shape [${shape}] takes ${count * dtype.elementBytes}.`,
    );
  }
  const isTurned = isFortranOrder && shape.length > 1;
  const rowMajor = isTurned ? toRowMajor(given, shape, dtype.elementBytes) : given;
  if (dtype.datatype === 'BYTES') {
    return { datatype: 'BYTES', shape, data: readTexts(rowMajor, count, dtype, field) };
  }
  const data = dtype.isBigEndian ? swapBytes(rowMajor, dtype.elementBytes) : rowMajor;
  return dtype.datatype === 'BOOL'
    ? { datatype: 'BOOL', shape, data: Uint8Array.from(data, (value) => (value === 0 ? 0 : 1)) }
    : tensorFromBytes(dtype.datatype, shape, data, `Field "${field}"`);
}

const TYPE_CODES: Record<Exclude<Datatype, 'BYTES'>, string> = {
  BOOL: '|b1',
  UINT8: '|u1',
  UINT16: '<u2',
  UINT32: '<u4',
  UINT64: '<u8',
  INT8: '|i1',
  INT16: '<i2',
  INT32: '<i4',
  INT64: '<i8',
  FP16: '<f2',
  FP32: '<f4',
  FP64: '<f8',
};

const PREFIX = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
/** One for all elements: there can be millions of them. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** NumPy aligns the elements to this, so that files can be mapped into memory. */
const ALIGNMENT = 64;

/** A tensor in NumPy's format, version 1: little-endian, row by row. Strings become text of the longest one's size. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const { datatype, shape, data } = tensor;
  const texts = Array.isArray(data) ? data.map((text) => Array.from(text)) : [];
  const width = texts.reduce((longest, points) => Math.max(longest, points.length), 1);
  const descr = datatype === 'BYTES' ? `<U${width}` : TYPE_CODES[datatype];
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const unpadded = PREFIX.length + 2 + dictionary.length + 1;
  const padding = ' '.repeat((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT);
  const text = Buffer.from(`${dictionary}${padding}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  const elements = datatype === 'BYTES' ? writeTexts(texts, width) : tensorToBytes(tensor);
  return Buffer.concat([PREFIX, length, text, elements]);
}

function writeTexts(texts: readonly (readonly string[])[], width: number): Uint8Array {
  const codes = new Uint32Array(texts.length * width);
  for (const [row, points] of texts.entries()) {
    for (const [column, point] of points.entries()) codes[row * width + column] = point.codePointAt(0) ?? 0;
  }
  return new Uint8Array(codes.buffer);
}

/** Elements that lie column by column, one row after the other. */
function toRowMajor(bytes: Uint8Array, shape: readonly number[], elementBytes: number): Uint8Array {
  const target = new Uint8Array(bytes.length);
  const steps = shape.map((_, axis) => elementCount(shape.slice(0, axis)) * elementBytes);
  const place = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < target.length; to += elementBytes) {
    for (let i = 0; i < elementBytes; i++) target[to + i] = bytes[from + i] ?? 0;
    // The next place: like the hand of a counter, the last axis turns first.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [size = 0, step = 0, at = 0] = [shape[axis], steps[axis], place[axis]];
      from += step;
      if (at + 1 < size) {
        place[axis] = at + 1;
        break;
      }
      from -= step * size;
      place[axis] = 0;
    }
  }
  return target;
}

function swapBytes(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (elementBytes === 2) return copy.swap16();
  if (elementBytes === 4) return copy.swap32();
  return elementBytes === 8 ? copy.swap64() : copy;
}

/** Texts fill up the width of the longest one with NUL. */
function readTexts(bytes: Uint8Array, count: number, dtype: NpyDtype, field: string): string[] {
  const width = dtype.elementBytes;
  // A few bytes could stand for millions of such elements.
  if (width === 0 && count > 0) throw invalid(`Field "${field}" has texts without room for a character.`);
  const unit = dtype.kind === 'U' ? CODE_POINT_BYTES : 1;
  const read = dtype.kind === 'U' ? readCodePoints : readUtf8;
  const texts: string[] = [];
  for (let start = 0; start < count * width; start += width) {
    const end = endOfText(bytes, start, start + width, unit);
    try {
      texts.push(end === start ? '' : read(bytes.subarray(start, end), dtype.isBigEndian));
    } catch {
      throw invalid(`Element ${texts.length} of field "${field}" is no valid text.`);
    }
  }
  return texts;
}

/** Where the NUL characters at the end of an element begin. */
function endOfText(bytes: Uint8Array, start: number, end: number, unit: number): number {
  let last = end - 1;
  while (last >= start && bytes[last] === 0) last--;
  return start + Math.ceil((last + 1 - start) / unit) * unit;
}

function readCodePoints(bytes: Uint8Array, isBigEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const points = Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, !isBigEndian));
  return String.fromCodePoint(...points);
}

function readUtf8(bytes: Uint8Array): string {
  return UTF8.decode(bytes);
}
