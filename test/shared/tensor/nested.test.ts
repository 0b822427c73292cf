import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnsafeIntegerError } from '../../../shared/json/exact-integers.ts';
import type { JsonValue } from '../../../shared/json/parse-json.ts';
import { DATATYPE_NAMES, type Datatype } from '../../../shared/tensor/datatype.ts';
import { parseNested, toNested } from '../../../shared/tensor/nested.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { errorOf } from '../error-of.ts';

function parse(value: JsonValue, datatype: Datatype = 'FP32', elementLimit = 100): Tensor {
  return parseNested(value, datatype, { field: 'inputs.x', elementLimit });
}

describe('parseNested', () => {
  it('takes the nesting for the shape', () => {
    expect(parse([[1, 2, 3], [4, 5, 6]])).toEqual(createTensor('FP32', [2, 3], [1, 2, 3, 4, 5, 6])); // biome-ignore format: one line shows the shape
    expect(parse([[[1]], [[2]]])).toEqual(createTensor('FP32', [2, 1, 1], [1, 2]));
  });

  it('takes a bare value for a scalar', () => {
    expect(parse(5, 'INT32')).toEqual(createTensor('INT32', [], [5]));
    expect(parse('text', 'BYTES')).toEqual({ datatype: 'BYTES', shape: [], data: ['text'] });
  });

  it('takes empty lists', () => {
    expect(parse([])).toEqual(createTensor('FP32', [0], []));
    expect(parse([[], []])).toEqual(createTensor('FP32', [2, 0], []));
  });

  it.each([
    [[[1, 2], [3]], 'Field "inputs.x" is ragged: an array of 1 at depth 1; expected an array of 2.'],
    [[[1], 2], 'Field "inputs.x" is ragged: the number 2 at depth 1; expected an array of 1.'],
    [[1, [2]], 'Field "inputs.x" is ragged: an array of 1 at depth 1; expected a single value.'],
    [[[], [1]], 'Field "inputs.x" is ragged: an array of 1 at depth 1; expected an array of 0.'],
  ])('refuses the ragged list %j', (value, message) => {
    expect(errorOf(() => parse(value)).message).toBe(message);
  });

  it('stops at the limit of elements', () => {
    expect(parse([1, 2], 'FP32', 2).data).toHaveLength(2);
    expect(errorOf(() => parse([[1], [2], [3]], 'FP32', 2)).message).toBe(
      'Field "inputs.x" has more than 2 elements, which is the limit (MAX_TENSOR_ELEMENTS).',
    );
  });

  it.each<[Datatype, number, number]>([
    ['UINT8', 0, 255],
    ['UINT16', 0, 65_535],
    ['UINT32', 0, 4_294_967_295],
    ['UINT64', 0, Number.MAX_SAFE_INTEGER],
    ['INT8', -128, 127],
    ['INT16', -32_768, 32_767],
    ['INT32', -2_147_483_648, 2_147_483_647],
    ['INT64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ])('takes %s from %d to %d and nothing beyond', (datatype, low, high) => {
    expect([...parse([low, high], datatype).data].map(Number)).toEqual([low, high]);
    const beyond = datatype.endsWith('64') ? [] : [low - 1, high + 1];
    for (const value of [...beyond, 0.5, true, '1', null, Number.NaN]) {
      expect(errorOf(() => parse([0, value], datatype)).message).toMatch(`Element 1 of field "inputs.x" is`);
      expect(errorOf(() => parse([value], datatype)).message).toMatch(
        `expected a whole number from ${low} to ${high} (${datatype}).`,
      );
    }
  });

  it.each<[Datatype, bigint, bigint]>([
    ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
    ['UINT64', 0n, 2n ** 64n - 1n],
  ])(
    'takes %s with all digits from %d to %d, and asks for them where they were lost',
    (datatype, low, high) => {
      expect([...parse([low, high], datatype).data]).toEqual([low, high]);
      for (const value of [low - 1n, high + 1n]) {
        expect(errorOf(() => parse([value], datatype)).message).toMatch(
          `Element 0 of field "inputs.x" is the bigint ${value}`.slice(0, 60),
        );
      }
      expect(() => parse([2 ** 60], datatype)).toThrow(UnsafeIntegerError);
    },
  );

  it('takes true, false, 1 and 0 for BOOL', () => {
    expect(parse([true, false, 1, 0], 'BOOL').data).toEqual(Uint8Array.of(1, 0, 1, 0));
    expect(errorOf(() => parse([2], 'BOOL')).message).toBe(
      'Element 0 of field "inputs.x" is the number 2; expected true or false.',
    );
    expect(errorOf(() => parse(['true'], 'BOOL')).status).toBe(400);
  });

  it('takes null, NaN and infinities for floats, and no text', () => {
    const values = [null, Number.NaN, Number.NEGATIVE_INFINITY, 0.5];
    expect([...parse(values, 'FP64').data]).toEqual([Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, 0.5]);
    expect(errorOf(() => parse(['0.5'], 'FP16')).message).toBe(
      'Element 0 of field "inputs.x" is the string "0.5"; expected a number.',
    );
  });

  it('takes texts for BYTES, but no numbers and no NUL, where the runtime would cut', () => {
    expect(parse(['', 'ä\ud83d\ude00'], 'BYTES').data).toEqual(['', 'ä😀']);
    expect(errorOf(() => parse([1], 'BYTES')).message).toBe(
      'Element 0 of field "inputs.x" is the number 1; expected a string.',
    );
    expect(errorOf(() => parse(['ok', 'a\0b'], 'BYTES')).message).toBe(
      'Element 1 of field "inputs.x" has a NUL character.',
    );
  });
});

describe('toNested', () => {
  it('writes a scalar bare', () => {
    expect(toNested(createTensor('INT32', [], [5]))).toBe(5);
  });

  it('writes empty axes', () => {
    expect(toNested(createTensor('FP32', [0], []))).toEqual([]);
    expect(toNested(createTensor('FP32', [2, 0], []))).toEqual([[], []]);
    expect(toNested(createTensor('FP32', [0, 2], []))).toEqual([]);
  });

  it('writes floats with their own digits, bools as such and 64-bit integers whole', () => {
    expect(toNested(createTensor('FP32', [2], [0.1, 1 / 3]))).toEqual([0.1, 0.33333334]);
    expect(toNested(createTensor('FP64', [1], [0.1]))).toEqual([0.1]);
    expect(toNested(createTensor('FP16', [1], [1.5]))).toEqual([1.5]);
    expect(toNested(createTensor('BOOL', [2], [0, 1]))).toEqual([false, true]);
    const large = { datatype: 'UINT64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) } as const;
    expect(toNested(large)).toEqual([18446744073709551615n]);
  });

  it('gives back what parseNested read, for every datatype and shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.constantFrom(...DATATYPE_NAMES), (shape, datatype) => {
        // An empty axis hides the ones behind it.
        const seen = shape.includes(0) ? shape.slice(0, shape.indexOf(0) + 1) : shape;
        const zero = datatype === 'BYTES' ? 'x' : datatype === 'BOOL' ? true : 1;
        const value = seen.reduceRight<JsonValue>((inner, size) => new Array(size).fill(inner), zero);
        const tensor = parse(value, datatype);
        expect(tensor.shape).toEqual(seen);
        expect(JSON.stringify(toNested(tensor), (_, v) => (typeof v === 'bigint' ? Number(v) : v))).toBe(
          JSON.stringify(value),
        );
      }),
    );
  });
});
