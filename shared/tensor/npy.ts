import { invalid, overLimit } from '../errors.ts';
import { findAbove, tensorFromBytes, tensorToBytes } from './bytes.ts';
import { DATATYPES, type Datatype } from './datatype.ts';
import { CODE_POINT_BYTES, type NpyDtype, readNpyHeader } from './npy-header.ts';
import { elementCount, type Tensor } from './tensor.ts';

export interface ArrayOptions {
  /** Where the array stands in the request, for errors. */
  readonly field: string;
  readonly elementLimit: number;
  /** Called with the number of texts before any is made; it may throw to refuse them. */
  readonly spend?: (texts: number) => void;
}

/** An array whose header was read. */
export interface NpyArray {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /**
   * Reads the elements; it may have to reorder them.
   * @throws InferenceError for damaged data
   */
  read(): Tensor;
}

/**
 * Opens an array in NumPy's format (`.npy`): booleans, whole numbers, floats and texts in either byte order, row by row
 * or column by column. Its elements are read in a second step, so an array whose shape is refused need not be read.
 * Elements that are already in the layout of the runtime are not copied. Source: numpy.lib.format.
 *
 * @throws InferenceError for other types, above all Python objects, for too many elements, and for missing or surplus
 * bytes
 */
export function openNpy(bytes: Uint8Array, { field, elementLimit, spend }: ArrayOptions): NpyArray {
  const { dtype, isFortranOrder, shape, dataStart } = readNpyHeader(bytes, field);
  const { datatype, elementBytes, isBigEndian } = dtype;
  const count = elementCount(shape);
  if (count > elementLimit) {
    throw overLimit(
      `Field "${field}"`,
      `has ${count} elements; the limit is ${elementLimit} (MAX_TENSOR_ELEMENTS).`,
    );
  }
  const given = bytes.subarray(dataStart);
  if (given.length !== count * elementBytes) {
    throw invalid(
      `Field "${field}"`,
      `has ${given.length} bytes of elements; its shape [${shape}] takes ${count * elementBytes}.`,
    );
  }
  if (datatype === 'BYTES') spend?.(count);
  const isTurned = isFortranOrder && shape.length > 1;
  return {
    datatype,
    shape,
    read: () => {
      const rowMajor = isTurned ? toRowMajor(given, shape, elementBytes) : given;
      if (datatype === 'BYTES') {
        return { datatype, shape, data: readTexts(rowMajor, count, dtype, field) };
      }
      const data = isBigEndian ? swapBytes(rowMajor, elementBytes) : rowMajor;
      const known = datatype === 'BOOL' ? toBools(data) : data;
      return tensorFromBytes(datatype, shape, known, `Field "${field}"`);
    },
  };
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

/**
 * How many bytes the elements of a tensor take in NumPy's format, which gives each text the length of the longest one.
 */
export function npyBytes({ datatype, data }: Tensor): number {
  if (!Array.isArray(data)) return data.length * DATATYPES[datatype].elementBytes;
  return data.reduce((longest, text) => Math.max(longest, text.length), 1) * data.length * CODE_POINT_BYTES;
}

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
  const steps = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const length = shape.at(-1) ?? 1;
  const step = steps.at(-1) ?? 1;
  const target = new Uint8Array(bytes.length);
  const turn = createCopy(bytes, target, elementBytes);
  const place = shape.map(() => 0);
  for (let to = 0, from = 0; to < target.length / elementBytes; to += length) {
    turn(from, to, length, step);
    // The next row: as in a mileage counter, the last axis changes first.
    for (let axis = shape.length - 2; axis >= 0; axis--) {
      const [size = 0, stride = 0, at = 0] = [shape[axis], steps[axis], place[axis]];
      from += stride;
      if (at + 1 < size) {
        place[axis] = at + 1;
        break;
      }
      from -= stride * size;
      place[axis] = 0;
    }
  }
  return target;
}

/** Copies elements that lie `step` apart to a row. Places are counted in elements. */
type CopyRow = (from: number, to: number, count: number, step: number) => void;

function createCopy(bytes: Uint8Array, target: Uint8Array, elementBytes: number): CopyRow {
  const [from, to] = viewsOf(bytes, target, elementBytes) ?? [];
  if (from && to) {
    return (start, at, count, step) => {
      for (let i = 0; i < count; i++) to[at + i] = from[start + i * step] ?? 0;
    };
  }
  return (start, at, count, step) => {
    for (let i = 0; i < count; i++) {
      const element = (start + i * step) * elementBytes;
      target.set(bytes.subarray(element, element + elementBytes), (at + i) * elementBytes);
    }
  };
}

/**
 * Source and target as arrays of whole elements; undefined if there are no numbers of that size or the source is not
 * aligned.
 */
function viewsOf(bytes: Uint8Array, target: Uint8Array, elementBytes: number) {
  if (bytes.byteOffset % elementBytes !== 0) return undefined;
  const count = bytes.length / elementBytes;
  switch (elementBytes) {
    case 1:
      return [bytes, target] as const;
    case 2:
      return [
        new Uint16Array(bytes.buffer, bytes.byteOffset, count),
        new Uint16Array(target.buffer),
      ] as const;
    case 4:
      return [
        new Uint32Array(bytes.buffer, bytes.byteOffset, count),
        new Uint32Array(target.buffer),
      ] as const;
    default:
      return undefined;
  }
}

/** NumPy reads any byte except 0 as true. They are copied only if there are others than 0 and 1. */
function toBools(bytes: Uint8Array): Uint8Array {
  if (findAbove(bytes, 1) === -1) return bytes;
  const bools = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) bools[i] = bytes[i] === 0 ? 0 : 1;
  return bools;
}

function swapBytes(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (elementBytes === 2) return copy.swap16();
  if (elementBytes === 4) return copy.swap32();
  return elementBytes === 8 ? copy.swap64() : copy;
}

/** Shorter texts are padded with NUL to the width of the longest one. */
function readTexts(bytes: Uint8Array, count: number, dtype: NpyDtype, field: string): string[] {
  const width = dtype.elementBytes;
  // A few bytes could stand for millions of such elements.
  if (width === 0 && count > 0)
    throw invalid(`Field "${field}"`, 'has texts of width 0; expected room for at least one character.');
  const unit = dtype.kind === 'U' ? CODE_POINT_BYTES : 1;
  const read = dtype.kind === 'U' ? readCodePoints : readUtf8;
  const texts: string[] = [];
  for (let start = 0; start < count * width; start += width) {
    const end = endOfText(bytes, start, start + width, unit);
    try {
      texts.push(end === start ? '' : read(bytes.subarray(start, end), dtype.isBigEndian));
    } catch {
      throw invalid(`Element ${texts.length} of field "${field}" is not valid text.`);
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
