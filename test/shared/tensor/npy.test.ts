import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { DATATYPE_NAMES } from '../../../shared/tensor/datatype.ts';
import { float16ToNumber } from '../../../shared/tensor/float16.ts';
import { writeNpy } from '../../../shared/tensor/npy.ts';
import { readNpyHeader } from '../../../shared/tensor/npy-header.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { errorOf } from '../../support/error-of.ts';
import { readNpy } from '../../support/read-npy.ts';
import { GOLDEN } from './numpy-arrays.ts';

const OPTIONS = { field: 'body', elementLimit: 1000 };
const decode = (base64: string) => Buffer.from(base64, 'base64');

/** The bytes of an array with any header text. */
function withHeader(dictionary: string, data: Uint8Array = new Uint8Array(0), version = 1): Buffer {
  const text = Buffer.from(`${dictionary}\n`, 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY', 'latin1'), Buffer.from([version, 0]), length, text, data]);
}

/** Elements as Python prints them; floats as numbers, as its digits differ from those of JavaScript. */
function toComparable(datatype: Tensor['datatype'], element: unknown): unknown {
  if (datatype === 'BOOL') return element === 1 ? 'True' : 'False';
  if (datatype === 'FP16') return float16ToNumber(Number(element));
  if (datatype === 'FP32' || datatype === 'FP64') return element;
  return String(element);
}

function parsePython(element: string, like: unknown): unknown {
  const words: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  return typeof like === 'number' ? (words[element] ?? Number(element)) : element;
}

describe('an array of texts', () => {
  it('is counted before any of them is made', () => {
    const file = withHeader("{'descr': '|S1', 'fortran_order': False, 'shape': (3,), }", Buffer.from('abc'));
    const counts: number[] = [];
    const spend = (texts: number) => counts.push(texts);
    expect(readNpy(file, { ...OPTIONS, spend: (texts) => void spend(texts) }).data).toEqual(['a', 'b', 'c']);
    expect(counts).toEqual([3]);
  });
});

describe('an array in column-major order', () => {
  it.each(['|u1', '<i2', '<f4', '<f8', '>i4', '|S3', '<U1'])(
    'of %s has the elements of its rows',
    (descr) => {
      const size = Number(descr.slice(2)) * (descr[1] === 'U' ? 4 : 1);
      const shape = [2, 3, 4];
      const element = (i: number, j: number, k: number) => {
        const bytes = Buffer.alloc(size);
        bytes[descr.startsWith('>') ? size - 1 : 0] = 65 + i * 12 + j * 4 + k;
        return bytes;
      };
      const each = [...Array(24).keys()];
      const byRow = each.map((n) => element(Math.floor(n / 12), Math.floor(n / 4) % 3, n % 4));
      const byColumn = each.map((n) => element(n % 2, Math.floor(n / 2) % 3, Math.floor(n / 6)));
      const file = (isFortran: string, elements: Buffer[], padding: string) =>
        withHeader(
          `{'descr': '${descr}', 'fortran_order': ${isFortran}, 'shape': (${shape}), }${padding}`,
          Buffer.concat(elements),
        );
      for (const padding of ['', ' ', '  ', '   ']) {
        expect(readNpy(file('True', byColumn, padding), OPTIONS)).toEqual(
          readNpy(file('False', byRow, padding), OPTIONS),
        );
      }
    },
  );
});

describe('an array that NumPy wrote', () => {
  it.each(GOLDEN.arrays)('$name is read with its shape and elements', ({ npy, shape, elements }) => {
    const tensor = readNpy(decode(npy), OPTIONS);
    const found = [...tensor.data].map((element) => toComparable(tensor.datatype, element));
    expect(tensor.shape).toEqual(shape);
    expect(found).toEqual(elements.map((element, i) => parsePython(element, found[i])));
  });

  it('is written again byte by byte, if it is in row-major order and little-endian', () => {
    const canonical = GOLDEN.arrays.filter(({ npy }) => {
      const { dtype, isFortranOrder } = readNpyHeader(decode(npy), 'body');
      return !dtype.isBigEndian && !isFortranOrder && dtype.kind !== 'S' && decode(npy)[6] === 1;
    });
    expect(canonical.length).toBeGreaterThan(15);
    for (const { name, npy } of canonical) {
      const written = Buffer.from(writeNpy(readNpy(decode(npy), OPTIONS))).toString('base64');
      // NumPy knows that this array was declared with room for four characters.
      if (name !== 'text <U') expect(written, name).toBe(npy);
    }
  });

  it('is not copied when its elements are aligned', () => {
    const file = new Uint8Array(decode(GOLDEN.arrays.find(({ name }) => name === '<f4')?.npy ?? ''));
    const { data } = readNpy(file, OPTIONS);
    expect(!Array.isArray(data) && data.buffer).toBe(file.buffer);
  });

  it.each([
    ['objects', /holds Python objects \(dtype object\), which are never unpickled/],
    ['complex', /has the NumPy type "<c8"; expected one of b1, .*f8, U or S/],
    ['dates', /has the NumPy type "<M8\[D\]"/],
    ['records', /holds records of several columns/],
    ['wide floats', /has the NumPy type "<f16"/],
  ])('of %s is refused with its type', (name, message) => {
    const error = errorOf(() => readNpy(decode(GOLDEN.refused[name] ?? ''), OPTIONS));
    expect(error).toMatchObject({ status: 400, message: expect.stringMatching(message) });
    expect(error.message).toMatch(/^Field "body" /);
  });
});

describe('a text', () => {
  const read = (descr: string, data: Uint8Array, count = 1) =>
    readNpy(
      withHeader(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${count},), }`, data),
      OPTIONS,
    ).data;

  it('loses the NUL at its end only, in either byte order', () => {
    expect(read('|S4', Buffer.from('\0a\0\0\0\0\0\0'), 2)).toEqual(['\0a', '']);
    expect(read('<U2', Buffer.from([0x00, 0x01, 0, 0, 0, 0, 0, 0]))).toEqual(['\u0100']);
    expect(read('>U2', Buffer.from([0, 0, 0x01, 0x00, 0, 0, 0, 0]))).toEqual(['\u0100']);
  });

  it('of a million NUL and a letter is read in one go', () => {
    const [text] = read('|S1000001', Buffer.from(`${'\0'.repeat(1_000_000)}a`));
    expect(text).toHaveLength(1_000_001);
  });
});

describe('an array', () => {
  const HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";

  it.each([
    ['other bytes', Buffer.from('PK\x03\x04'), /is not in NumPy's format/],
    [
      'another version',
      withHeader(HEADER, undefined, 4),
      /has version 4 of NumPy's format; expected 1, 2 or 3/,
    ],
    ['a cut length', Buffer.from('\x93NUMPY\x01\x00\x10', 'latin1'), /ends inside its NumPy header/],
    ['a cut header', withHeader(HEADER).subarray(0, 20), /ends inside its NumPy header/],
    [
      'a header of 70,000 bytes',
      withHeader(HEADER + ' '.repeat(70_000 - HEADER.length - 1), new Uint8Array(0), 2),
      'Field "body" has a NumPy header of 70000 bytes; the limit is 65535.',
    ],
    ['no descr', withHeader("{'fortran_order': False, 'shape': (2,)}"), /without "descr", "fortran_order"/],
    ['code for a header', withHeader('__import__("os").getcwd()'), /without "descr", "fortran_order"/],
    [
      'a negative size',
      withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"),
      /without "descr", "fortran_order" or "shape"/,
    ],
    [
      'a shape twice',
      withHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'shape': (2, 1), }"),
      'Field "body" has a NumPy header with "descr", "fortran_order" or "shape" twice.',
    ],
    [
      'a size beyond all numbers',
      withHeader(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(400)},), }`),
      /has an invalid shape in its NumPy header/,
    ],
    [
      'too many axes',
      withHeader(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1, '.repeat(65)}), }`),
      /has an invalid shape in its NumPy header/,
    ],
    [
      'too few bytes',
      withHeader(HEADER, Buffer.alloc(7)),
      /has 7 bytes of elements; its shape \[2\] takes 8/,
    ],
    [
      'too many bytes',
      withHeader(HEADER, Buffer.alloc(9)),
      /has 9 bytes of elements; its shape \[2\] takes 8/,
    ],
    [
      'no text',
      withHeader("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", Buffer.from([0, 0, 0, 0x7f])),
      /Element 0 of field "body" is not valid text/,
    ],
    [
      'texts of no width, which a few bytes could claim by the million',
      withHeader("{'descr': '<U0', 'fortran_order': False, 'shape': (900,), }"),
      /^Field "body" has texts of width 0; expected room for at least one character/,
    ],
    [
      'no UTF-8',
      withHeader("{'descr': '|S2', 'fortran_order': False, 'shape': (1,), }", Buffer.from([0x61, 0xff])),
      /Element 0 of field "body" is not valid text/,
    ],
  ])('with %s is refused', (_, bytes, message) => {
    expect(errorOf(() => readNpy(bytes, OPTIONS)).message).toMatch(message);
  });

  it('with more elements than the limit is refused before they are read, even where they take no bytes', () => {
    const bytes = withHeader("{'descr': '<U0', 'fortran_order': False, 'shape': (1000, 1000000), }");
    expect(errorOf(() => readNpy(bytes, OPTIONS)).message).toBe(
      'Field "body" has 1000000000 elements; the limit is 1000 (MAX_TENSOR_ELEMENTS).',
    );
  });

  it('of Python 2, with long sizes and double quotes, is read', () => {
    const header = '{"descr": "|u1", "fortran_order": True, "shape": (2L, 2L)}';
    expect(readNpy(withHeader(header, Buffer.from([1, 2, 3, 4])), OPTIONS)).toEqual({
      datatype: 'UINT8',
      shape: [2, 2],
      data: Uint8Array.from([1, 3, 2, 4]),
    });
  });

  it('has booleans of 0 and 1, for bytes of any value', () => {
    const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
    expect(readNpy(withHeader(header, Buffer.from([0, 1, 255])), OPTIONS).data).toEqual(
      Uint8Array.from([0, 1, 1]),
    );
  });

  it('shares the memory of the body with its booleans, unless a byte has to change', () => {
    const header = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }";
    const bufferOf = (...bytes: number[]) => {
      const file = withHeader(header, Buffer.from(bytes));
      const { data } = readNpy(file, OPTIONS);
      return !Array.isArray(data) && data.buffer === file.buffer;
    };
    expect([bufferOf(0, 1, 1), bufferOf(0, 2, 1)]).toEqual([true, false]);
  });

  it('survives being written and read, in every datatype and shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...DATATYPE_NAMES), shapes, (datatype, shape) => {
        const count = shape.reduce((product, size) => product * size, 1);
        const values = Array.from({ length: count }, (_, i) => (datatype === 'BOOL' ? i % 2 : i));
        const tensor = createTensor(datatype, shape, values);
        const written = writeNpy(tensor);
        expect((written.length - tensor.data.length * elementBytesOf(written)) % 64).toBe(0);
        expect(readNpy(written, OPTIONS)).toEqual(tensor);
      }),
      { numRuns: 300 },
    );
  });

  it('of any bytes is read or refused as a mistake of the client', () => {
    const valid = GOLDEN.arrays.map(({ npy }) => decode(npy));
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
        (file, changes) => {
          const bytes = Uint8Array.from(file);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          try {
            readNpy(bytes, OPTIONS);
          } catch (error) {
            expect(error).toBeInstanceOf(InferenceError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function elementBytesOf(file: Uint8Array): number {
  return readNpyHeader(file, 'body').dtype.elementBytes;
}
