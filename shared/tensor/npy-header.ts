import { invalid } from '../errors.ts';
import type { Datatype } from './datatype.ts';

/** The header before the elements of an array in NumPy's format. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly isFortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly dataStart: number;
}

/** How NumPy holds one element. */
export interface NpyDtype {
  readonly datatype: Datatype;
  /** `U`: text of a fixed number of code points, 4 bytes each; `S`: a fixed number of bytes; other letters: numbers. */
  readonly kind: string;
  readonly elementBytes: number;
  readonly isBigEndian: boolean;
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Length of the header's length, by the format's major version. */
const LENGTH_BYTES: Readonly<Record<number, 2 | 4>> = { 1: 2, 2: 4, 3: 4 };
/** For arrays that are not records it has a few hundred bytes; NumPy itself reads at most 10,000. */
const LONGEST_HEADER = 2 ** 16 - 1;
/** Most axes NumPy itself gives an array. */
const MOST_AXES = 64;
export const CODE_POINT_BYTES = 4;

/** NumPy's types of numbers by kind and size. Those that are missing have no ONNX counterpart. */
const DATATYPES_BY_CODE: Readonly<Record<string, Datatype>> = {
  b1: 'BOOL',
  u1: 'UINT8',
  u2: 'UINT16',
  u4: 'UINT32',
  u8: 'UINT64',
  i1: 'INT8',
  i2: 'INT16',
  i4: 'INT32',
  i8: 'INT64',
  f2: 'FP16',
  f4: 'FP32',
  f8: 'FP64',
};

/** Whether bytes begin like an array in NumPy's format; the type that the client gave does not matter. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

/**
 * Reads the header of an array in NumPy's format, version 1, 2 or 3. It is the text of a Python dictionary with three
 * members, which is parsed and never evaluated. Source: numpy.lib.format.
 *
 * @param field where the array stands in the request, for errors
 * @throws InferenceError for anything else, and for types that a model cannot take
 */
export function readNpyHeader(bytes: Uint8Array, field: string): NpyHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[MAGIC.length] ?? 0;
  const lengthBytes = LENGTH_BYTES[version];
  const lengthStart = MAGIC.length + 2;
  if (!isNpy(bytes))
    throw invalid(`Field "${field}"`, `is not in NumPy's format: it begins with other bytes.`);
  if (lengthBytes === undefined) {
    throw invalid(`Field "${field}"`, `has version ${version} of NumPy's format; expected 1, 2 or 3.`);
  }
  const textStart = lengthStart + lengthBytes;
  if (textStart > bytes.length) throw invalid(`Field "${field}"`, 'ends inside its NumPy header.');
  const length = lengthBytes === 2 ? view.getUint16(lengthStart, true) : view.getUint32(lengthStart, true);
  if (length > LONGEST_HEADER) {
    throw invalid(
      `Field "${field}"`,
      `has a NumPy header of ${length} bytes; the limit is ${LONGEST_HEADER}.`,
    );
  }
  const dataStart = textStart + length;
  if (dataStart > bytes.length) throw invalid(`Field "${field}"`, 'ends inside its NumPy header.');
  const text = Buffer.from(bytes.subarray(textStart, dataStart)).toString('latin1');
  return { ...parseDictionary(text, field), dataStart };
}

const MEMBERS = /['"](?:descr|fortran_order|shape)['"]\s*:/g;

function parseDictionary(text: string, field: string): Omit<NpyHeader, 'dataStart'> {
  const descr = /['"]descr['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|(\[))/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const sizes = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text);
  if (!descr || !order || !sizes) {
    throw invalid(`Field "${field}"`, 'has a NumPy header without "descr", "fortran_order" or "shape".');
  }
  // Python takes the last of several, which the patterns do not.
  if ((text.match(MEMBERS)?.length ?? 0) > 3) {
    throw invalid(`Field "${field}"`, 'has a NumPy header with "descr", "fortran_order" or "shape" twice.');
  }
  if (descr[3] !== undefined) {
    throw invalid(`Field "${field}"`, 'holds records of several columns; expected an array of one datatype.');
  }
  // Python 2 wrote (3L, 4L).
  const shape = (sizes[1]?.match(/\d+/g) ?? []).map(Number);
  if (shape.length > MOST_AXES || shape.some((size) => !Number.isSafeInteger(size))) {
    throw invalid(`Field "${field}"`, 'has an invalid shape in its NumPy header.');
  }
  const dtype = parseDtype(descr[1] ?? descr[2] ?? '', field);
  return { dtype, isFortranOrder: order[1] === 'True', shape };
}

function parseDtype(text: string, field: string): NpyDtype {
  const [, order = '', kind = '', size = ''] = /^([<>|=]?)([a-zA-Z?])(\d*)$/.exec(text) ?? [];
  if (kind === 'O') {
    throw invalid(
      `Field "${field}"`,
      'holds Python objects (dtype object), which are never unpickled; expected numbers or text.',
    );
  }
  const isBigEndian = order === '>';
  if (kind === 'U' || kind === 'S') {
    const elementBytes = Number(size) * (kind === 'U' ? CODE_POINT_BYTES : 1);
    return { datatype: 'BYTES', kind, elementBytes, isBigEndian };
  }
  const datatype = DATATYPES_BY_CODE[kind + size];
  if (datatype) return { datatype, kind, elementBytes: Number(size), isBigEndian };
  const known = Object.keys(DATATYPES_BY_CODE).join(', ');
  throw invalid(
    `Field "${field}"`,
    `has the NumPy type ${JSON.stringify(text.slice(0, 40))}; expected one of ${known}, U or S.`,
  );
}
