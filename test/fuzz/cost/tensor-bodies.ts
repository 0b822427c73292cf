import { type Zippable, zipSync } from 'fflate';
import type { BodyMaker, Ingredients, MadeRequest } from './bodies.ts';
import { repeat } from './json-values.ts';

const BINARY = 'application/octet-stream';
const NPY = 'application/x-npy';
const NPZ = 'application/x-npz';

/** The date of entries of archives: the same trial makes the same bytes on any day. */
const ANY_DAY = '2000-01-01';

/** Bytes of one element. */
const WIDTHS: Readonly<Record<string, number>> = { FP32: 4, FP16: 2, INT64: 8, BOOL: 1, FP64: 8, UINT8: 1 };

export const TENSOR_MAKERS: readonly BodyMaker[] = [
  binary('rows of four', (made) => ({ shape: [rowsOf(made, 4), 4] })),
  binary('rows of four with classification', (made) => ({
    shape: [rowsOf(made, 4), 4],
    outputs: ['y', 'logits', 'probabilities', 'output_probability'].slice(0, 2).map((name) => ({
      name,
      parameters: { classification: 3 },
    })),
  })),
  binary('rows of four with classification of one output', (made) => ({
    shape: [rowsOf(made, 4), 4],
    outputs: [{ name: made.model.name === 'iris' ? 'logits' : 'y', parameters: { classification: 3 } }],
  })),
  binary('rows of four in binary both ways', (made) => ({
    shape: [rowsOf(made, 4), 4],
    parameters: { binary_data_output: true },
  })),
  binary('rows of one', (made) => ({ shape: [rowsOf(made, 1), 1] })),
  binary('one row', (made) => ({ shape: [1, rowsOf(made, 1)] })),
  binary('a list', (made) => ({ shape: [rowsOf(made, 1)] })),
  binary('many axes', (made) => ({ shape: [...new Array<number>(40).fill(1), rowsOf(made, 1)] })),
  binary('rows of nothing', () => ({ shape: [4_000_000, 0], bytes: 0 })),
  binary('no rows', () => ({ shape: [0, 4_000_000], bytes: 0 })),
  binary('empty texts', ({ bytes }) => ({
    shape: [Math.floor(bytes / 4), 1],
    datatype: 'BYTES',
    bytes: Math.floor(bytes / 4) * 4,
  })),
  binary('one long text', ({ bytes }) => ({ shape: [1], datatype: 'BYTES', bytes, isLong: true })),
  binary('one long text of words', ({ bytes }) => ({
    shape: [1, 1],
    datatype: 'BYTES',
    bytes,
    isLong: true,
    fill: 'a ',
  })),
  ...['INT64', 'UINT8', 'FP16', 'FP64', 'BOOL'].map((datatype) =>
    binary(`rows of ${datatype}`, ({ bytes }) => ({
      shape: [Math.max(1, Math.floor(bytes / (WIDTHS[datatype] ?? 4) / 4)), 4],
      datatype,
    })),
  ),
  binary('the same input many times', ({ bytes, model }) => ({
    inputs: `[${repeat(`{"name":"${model.input}","shape":[0],"datatype":"FP32","parameters":{"binary_data_size":0}}`, bytes)}]`,
  })),
  binary('many empty inputs', ({ bytes }) => ({
    inputs: `[${Array.from({ length: Math.min(200_000, bytes / 80) }, (_, i) => `{"name":"${i}","shape":[0],"datatype":"FP32","parameters":{"binary_data_size":0}}`).join()}]`,
  })),
  {
    name: 'V2: one raw tensor',
    types: [BINARY],
    usesJson: false,
    make: ({ bytes }) => ({
      body: Buffer.alloc(bytes - (bytes % 32)),
      headers: { 'content-type': BINARY, 'inference-header-content-length': '0' },
    }),
  },
  {
    name: 'V2: JSON with its length',
    types: [BINARY, 'application/json'],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => {
      const body = Buffer.from(place(await value(bytes), model));
      return {
        body,
        headers: { 'content-type': BINARY, 'inference-header-content-length': String(body.length) },
      };
    },
  },
  {
    name: 'V2 through the redirect of Vertex AI',
    types: ['application/json', '*/*'],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(place(await value(bytes), model)),
      headers: {
        'content-type': 'application/json',
        'x-vertex-ai-triton-redirect': `v2/models/${model.name}/infer`,
      },
    }),
  },
  array('floats in rows of four', '<f4', 4, (count) => [count / 4, 4]),
  array('floats in columns of four', '<f4', 4, (count) => [count / 4, 4], true),
  array('floats the other way round', '>f4', 4, (count) => [count / 4, 4]),
  array('doubles', '<f8', 8, (count) => [count / 4, 4]),
  array('halves', '<f2', 2, (count) => [count / 4, 4]),
  array('booleans', '|b1', 1, (count) => [count / 4, 4]),
  array('bytes', '|u1', 1, (count) => [count / 4, 4]),
  array('bytes in columns', '|u1', 1, (count) => [4, count / 4], true),
  array('bytes of three axes in columns', '|u1', 1, (count) => [2, 2, count / 4], true),
  array('short whole numbers', '<i2', 2, (count) => [count / 4, 4]),
  array('whole numbers of eight bits', '|i1', 1, (count) => [count / 4, 4]),
  array('whole numbers', '<i8', 8, (count) => [count / 4, 4]),
  array('short texts', '|S1', 1, (count) => [count, 1]),
  array('short texts in columns', '|S1', 1, (count) => [4, count / 4], true),
  array('long texts', '|S1000', 1000, (count) => [count, 1]),
  array('texts of Unicode', '<U1', 4, (count) => [count, 1]),
  array('texts of Unicode in columns', '<U1', 4, (count) => [4, count / 4], true),
  array('texts of no width', '|S0', 1, () => [16_000_000, 1]),
  array('structures', "[('a', '<f4'), ('b', '<f4')]", 8, (count) => [count]),
  array('objects', '|O', 8, (count) => [count]),
  array('many axes', '|u1', 1, (count) => [...new Array<number>(60).fill(1), count], true),
  {
    name: 'npy: a long header',
    types: [NPY],
    usesJson: false,
    make: ({ bytes }) => ({
      body: npyOf(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1, '.repeat(bytes / 3)}), }`, 4),
      headers: { 'content-type': NPY },
    }),
  },
  archive('one array', ({ bytes, model }) => ({ [`${model.input}.npy`]: matrix('<f4', 4, bytes) })),
  archive('one array of texts', ({ bytes, model }) => ({ [`${model.input}.npy`]: matrix('|S1', 1, bytes) })),
  archive('sixteen arrays', ({ bytes }) =>
    Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [`a${index}.npy`, matrix('<f4', 4, bytes / 16)]),
    ),
  ),
  archive('many small arrays', ({ bytes }) => {
    const small = matrix('<f4', 4, 16);
    const count = Math.min(20_000, Math.ceil(bytes / 200));
    return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}.npy`, small]));
  }),
  archive('an entry that is not an array', ({ bytes }) => ({ 'a.txt': Buffer.alloc(bytes) })),
];

interface BinaryTensor {
  readonly shape?: readonly number[];
  readonly datatype?: string;
  /** Bytes after the JSON. */
  readonly bytes?: number;
  /** Whether the bytes begin with the length of the one text they are. */
  readonly isLong?: boolean;
  /** What they are filled with; zeros by default. */
  readonly fill?: string;
  readonly outputs?: readonly object[];
  readonly parameters?: object;
  /** JSON instead of the single input. */
  readonly inputs?: string;
}

/** Tensors after JSON. Source: Triton's binary tensor data extension. */
function binary(name: string, describe: (ingredients: Ingredients) => BinaryTensor): BodyMaker {
  return {
    name: `V2 binary: ${name}`,
    types: [BINARY],
    usesJson: false,
    make: (ingredients) => writeBinary(ingredients, describe(ingredients)),
  };
}

function writeBinary({ model }: Ingredients, tensor: BinaryTensor): MadeRequest {
  const { shape = [], datatype = model.datatype, outputs, parameters } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  const { bytes = tensor.inputs === undefined ? count * (WIDTHS[datatype] ?? 4) : 0 } = tensor;
  const head = { name: model.input, shape, datatype, parameters: { binary_data_size: bytes } };
  const rest = JSON.stringify({ outputs, parameters }).replace(/^\{(?=.)/, ',');
  const json = Buffer.from(
    `{"inputs":${tensor.inputs ?? JSON.stringify([head])}${rest === ',}' ? '}' : rest}`,
  );
  const tail = tensor.fill === undefined ? Buffer.alloc(bytes) : Buffer.alloc(bytes, tensor.fill);
  if (tensor.isLong) tail.writeUInt32LE(bytes - 4, 0);
  return {
    body: Buffer.concat([json, tail]),
    headers: { 'content-type': BINARY, 'inference-header-content-length': String(json.length) },
  };
}

function rowsOf({ bytes, model }: Ingredients, width: number): number {
  return Math.max(1, Math.floor(bytes / ((WIDTHS[model.datatype] ?? 4) * width)));
}

function array(
  name: string,
  descr: string,
  elementBytes: number,
  shapeOf: (count: number) => readonly number[],
  isFortran = false,
): BodyMaker {
  return {
    name: `npy: ${name}`,
    types: [NPY],
    usesJson: false,
    make: ({ bytes }) => {
      // A multiple of four, as rows have four elements.
      const count = Math.max(4, Math.floor(bytes / elementBytes / 4) * 4);
      return {
        body: writeArray(descr, shapeOf(count), elementBytes, isFortran),
        headers: { 'content-type': NPY, accept: NPY },
      };
    },
  };
}

function archive(name: string, entries: (ingredients: Ingredients) => Zippable): BodyMaker {
  return {
    name: `npz: ${name}`,
    types: [NPZ],
    usesJson: false,
    make: (ingredients) => ({
      body: Buffer.from(zipSync(entries(ingredients), { level: 6, mtime: ANY_DAY })),
      headers: { 'content-type': NPZ, accept: NPZ },
    }),
  };
}

function matrix(descr: string, elementBytes: number, bytes: number): Uint8Array {
  return writeArray(descr, [Math.max(1, Math.floor(bytes / elementBytes / 4)), 4], elementBytes, false);
}

/** Source: numpy.lib.format. */
function writeArray(
  descr: string,
  shape: readonly number[],
  elementBytes: number,
  isFortran: boolean,
): Buffer {
  const type = descr.startsWith('[') ? descr : `'${descr}'`;
  const count = shape.reduce((product, size) => product * size, 1);
  const header = `{'descr': ${type}, 'fortran_order': ${isFortran ? 'True' : 'False'}, 'shape': (${shape.join(', ')},), }`;
  return npyOf(header, descr === '|S0' ? 0 : count * elementBytes);
}

/** Format 2.0, whose header may be long. */
function npyOf(header: string, bytes: number): Buffer {
  const head = Buffer.from(`${header}\n`, 'latin1');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x02\x00', 'latin1'), length, head, Buffer.alloc(bytes)]);
}
