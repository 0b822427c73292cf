import { numberToFloat16 } from './float16.ts';

/** The arrays that hold tensor elements. FP16 elements are held as their bit patterns, see float16.ts. */
export type NumericArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

export type TensorData = NumericArray | string[];

interface DatatypeInfo {
  /** Name in ONNX and in ONNX Runtime. */
  readonly onnx: string;
  /** `TensorProto.DataType` number of the ONNX standard. */
  readonly code: number;
  /** Bytes of one element; 0 for strings, whose length varies. */
  readonly elementBytes: number;
  readonly kind: 'float' | 'integer' | 'bool' | 'string';
  /** The elements of a tensor from plain numbers, each rounded to the datatype; the caller has checked ranges. */
  readonly fromNumbers: (values: ArrayLike<number>) => TensorData;
  /** Memory for this many elements: zeros, false or empty strings. */
  readonly allocate: (length: number) => TensorData;
  /** The elements in a piece of memory; strings cannot be read this way. */
  readonly view?: (buffer: ArrayBufferLike, start: number, length: number) => NumericArray;
}

/** A datatype that the runtime can carry, by its name in the Open Inference Protocol. */
export type Datatype =
  | 'BOOL'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

/** What each datatype is made of. */
export const DATATYPES = {
  BOOL: {
    onnx: 'bool',
    code: 9,
    elementBytes: 1,
    kind: 'bool',
    fromNumbers: (v) => new Uint8Array(v),
    allocate: (n) => new Uint8Array(n),
    view: (buffer, start, length) => new Uint8Array(buffer, start, length),
  },
  UINT8: {
    onnx: 'uint8',
    code: 2,
    elementBytes: 1,
    kind: 'integer',
    fromNumbers: (v) => new Uint8Array(v),
    allocate: (n) => new Uint8Array(n),
    view: (buffer, start, length) => new Uint8Array(buffer, start, length),
  },
  UINT16: {
    onnx: 'uint16',
    code: 4,
    elementBytes: 2,
    kind: 'integer',
    fromNumbers: (v) => new Uint16Array(v),
    allocate: (n) => new Uint16Array(n),
    view: (buffer, start, length) => new Uint16Array(buffer, start, length),
  },
  UINT32: {
    onnx: 'uint32',
    code: 12,
    elementBytes: 4,
    kind: 'integer',
    fromNumbers: (v) => new Uint32Array(v),
    allocate: (n) => new Uint32Array(n),
    view: (buffer, start, length) => new Uint32Array(buffer, start, length),
  },
  UINT64: {
    onnx: 'uint64',
    code: 13,
    elementBytes: 8,
    kind: 'integer',
    fromNumbers: (v) => fillWith(new BigUint64Array(v.length), v),
    allocate: (n) => new BigUint64Array(n),
    view: (buffer, start, length) => new BigUint64Array(buffer, start, length),
  },
  INT8: {
    onnx: 'int8',
    code: 3,
    elementBytes: 1,
    kind: 'integer',
    fromNumbers: (v) => new Int8Array(v),
    allocate: (n) => new Int8Array(n),
    view: (buffer, start, length) => new Int8Array(buffer, start, length),
  },
  INT16: {
    onnx: 'int16',
    code: 5,
    elementBytes: 2,
    kind: 'integer',
    fromNumbers: (v) => new Int16Array(v),
    allocate: (n) => new Int16Array(n),
    view: (buffer, start, length) => new Int16Array(buffer, start, length),
  },
  INT32: {
    onnx: 'int32',
    code: 6,
    elementBytes: 4,
    kind: 'integer',
    fromNumbers: (v) => new Int32Array(v),
    allocate: (n) => new Int32Array(n),
    view: (buffer, start, length) => new Int32Array(buffer, start, length),
  },
  INT64: {
    onnx: 'int64',
    code: 7,
    elementBytes: 8,
    kind: 'integer',
    fromNumbers: (v) => fillWith(new BigInt64Array(v.length), v),
    allocate: (n) => new BigInt64Array(n),
    view: (buffer, start, length) => new BigInt64Array(buffer, start, length),
  },
  FP16: {
    onnx: 'float16',
    code: 10,
    elementBytes: 2,
    kind: 'float',
    fromNumbers: toFloat16s,
    allocate: (n) => new Uint16Array(n),
    view: (buffer, start, length) => new Uint16Array(buffer, start, length),
  },
  FP32: {
    onnx: 'float32',
    code: 1,
    elementBytes: 4,
    kind: 'float',
    fromNumbers: (v) => new Float32Array(v),
    allocate: (n) => new Float32Array(n),
    view: (buffer, start, length) => new Float32Array(buffer, start, length),
  },
  FP64: {
    onnx: 'float64',
    code: 11,
    elementBytes: 8,
    kind: 'float',
    fromNumbers: (v) => new Float64Array(v),
    allocate: (n) => new Float64Array(n),
    view: (buffer, start, length) => new Float64Array(buffer, start, length),
  },
  BYTES: {
    onnx: 'string',
    code: 8,
    elementBytes: 0,
    kind: 'string',
    fromNumbers: (v) => Array.from(v, String),
    allocate: (n) => new Array<string>(n).fill(''),
  },
} as const satisfies Record<Datatype, DatatypeInfo>;

/** The datatypes of numbers with fractions. */
export type FloatType = 'FP16' | 'FP32' | 'FP64';

export function isFloatType(datatype: Datatype): datatype is FloatType {
  return DATATYPES[datatype].kind === 'float';
}

/** Loops, because `from` of typed arrays first lists all values, which takes ten times the time and memory. */
function toFloat16s(values: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = numberToFloat16(values[i] ?? 0);
  return bits;
}

function fillWith<T extends BigInt64Array | BigUint64Array>(integers: T, values: ArrayLike<number>): T {
  for (let i = 0; i < integers.length; i++) integers[i] = BigInt(values[i] ?? 0);
  return integers;
}

/** Smallest and largest whole number of each datatype; 64 bits are cut to what a JSON number holds exactly. */
export const INTEGER_RANGES: Partial<Record<Datatype, readonly [number, number]>> = {
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** The whole range of 64 bits. */
export const WIDE_RANGES: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** From this number on, a float datatype rounds to infinity, which must not reach a model by mistake. */
export const FLOAT_BOUNDS: Partial<Record<Datatype, number>> = {
  FP16: 65_520,
  FP32: 2 ** 128 - 2 ** 103,
};

export const DATATYPE_NAMES: readonly Datatype[] = Object.keys(DATATYPES).filter(isDatatype);

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(DATATYPES, name);
}

/** The datatype of an ONNX Runtime type name such as `float32`, or undefined when the runtime cannot carry it. */
export function datatypeOfOnnxName(onnxName: string): Datatype | undefined {
  return DATATYPE_NAMES.find((name) => DATATYPES[name].onnx === onnxName);
}

/** The datatype of a `TensorProto.DataType` number, or undefined when the runtime cannot carry it. */
export function datatypeOfOnnxCode(code: number): Datatype | undefined {
  return DATATYPE_NAMES.find((name) => DATATYPES[name].code === code);
}

/** The memory of numeric elements, not copied. */
export function bytesOf(data: Exclude<TensorData, string[]>): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Element types of ONNX 1.23 that the runtime's Node binding does not support, by their numbers in the standard. */
export const UNSERVED_TYPES: ReadonlyMap<number, string> = new Map([
  [14, 'complex64'],
  [15, 'complex128'],
  [16, 'bfloat16'],
  [17, 'float8e4m3fn'],
  [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'],
  [20, 'float8e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4e2m1'],
  [24, 'float8e8m0'],
  [25, 'uint2'],
  [26, 'int2'],
  [27, 'float6e2m3'],
  [28, 'float6e3m2'],
]);

/** The name of an element type that is not supported, for messages. */
export function nameUnservedType(elementType: number): string {
  return UNSERVED_TYPES.get(elementType) ?? `number ${elementType}`;
}
