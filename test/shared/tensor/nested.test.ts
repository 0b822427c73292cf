import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnsafeIntegerError } from '../../../shared/json/exact-integers.ts';
import { describeJson, type JsonValue } from '../../../shared/json/json-value.ts';
import { DATATYPE_NAMES, type Datatype } from '../../../shared/tensor/datatype.ts';
import { appendPath, parseNested, toNested } from '../../../shared/tensor/nested.ts';
import { createTensor, type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';
import { errorOf } from '../../support/error-of.ts';

function parse(value: JsonValue, datatype: Datatype = 'FP32', elementLimit = 100): Tensor {
  return parseNested(value, datatype, { field: 'inputs.x', elementLimit });
}

describe('parseNested', () => {
  it('takes the shape from the nesting', () => {
    expect(
      parse([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    ).toEqual(createTensor('FP32', [2, 3], [1, 2, 3, 4, 5, 6]));
    expect(parse([[[1]], [[2]]])).toEqual(createTensor('FP32', [2, 1, 1], [1, 2]));
  });

  it('takes a bare value as a scalar', () => {
    expect(parse(5, 'INT32')).toEqual(createTensor('INT32', [], [5]));
    expect(parse('text', 'BYTES')).toEqual({ datatype: 'BYTES', shape: [], data: ['text'] });
  });

  it('takes empty lists', () => {
    expect(parse([])).toEqual(createTensor('FP32', [0], []));
    expect(parse([[], []])).toEqual(createTensor('FP32', [2, 0], []));
  });

  it.each<[JsonValue, string]>([
    [[[1, 2], [3]], 'Field "inputs.x[1]" is an array of 1; expected an array of 2, like "inputs.x[0]".'],
    [[[1], 2], 'Field "inputs.x[1]" is the number 2; expected an array of 1, like "inputs.x[0]".'],
    [[1, [2]], 'Field "inputs.x[1]" is an array of 1; expected a single value, like "inputs.x[0]".'],
    [[[], [1]], 'Field "inputs.x[1]" is an array of 1; expected an array of 0, like "inputs.x[0]".'],
    [
      [
        [
          [1, 2],
          [3, 4],
        ],
        [[5, 6], [7]],
      ],
      'Field "inputs.x[1][1]" is an array of 1; expected an array of 2, like "inputs.x[0][0]".',
    ],
    [
      [
        [[1], [2]],
        [[3], [[4]]],
      ],
      'Field "inputs.x[1][1][0]" is an array of 1; expected a single value, like "inputs.x[0][0][0]".',
    ],
  ])('names the item of the ragged list %j', (value, message) => {
    expect(errorOf(() => parse(value)).message).toBe(message);
  });

  it('names the place of a wrong element as the caller says, or by its indices', () => {
    const value = [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 'a'],
      ],
    ];
    expect(errorOf(() => parse(value)).message).toBe(
      'Field "inputs.x[1][1][1]" is the string "a"; expected a number.',
    );
    const locate = ([row, ...rest]: readonly number[]) => appendPath(`rows[${row}].x`, rest);
    const options = { field: 'rows', locate, elementLimit: 100 };
    expect(errorOf(() => parseNested(value, 'FP32', options)).message).toBe(
      'Field "rows[1].x[1][1]" is the string "a"; expected a number.',
    );
    expect(errorOf(() => parse('a')).message).toBe('Field "inputs.x" is the string "a"; expected a number.');
  });

  it('stops at the limit of elements', () => {
    expect(parse([1, 2], 'FP32', 2).data).toHaveLength(2);
    expect(errorOf(() => parse([[1], [2], [3]], 'FP32', 2)).message).toBe(
      'Field "inputs.x" has 3 elements; the limit is 2 (MAX_TENSOR_ELEMENTS).',
    );
  });

  it.each<[Datatype, number, number]>([
    ['UINT8', 0, 255],
    ['UINT16', 0, 65_535],
    ['UINT32', 0, 4_294_967_295],
    ['INT8', -128, 127],
    ['INT16', -32_768, 32_767],
    ['INT32', -2_147_483_648, 2_147_483_647],
  ])('takes %s from %d to %d and nothing beyond', (datatype, low, high) => {
    expect([...parse([low, high], datatype).data].map(Number)).toEqual([low, high]);
    for (const value of [low - 1, high + 1, 0.5, true, '1', null, Number.NaN]) {
      expect(errorOf(() => parse([0, value], datatype)).message).toMatch(`Field "inputs.x[1]" is`);
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
      for (const value of [low - 1n, high + 1n, 0.5, true, '1', null, Number.NaN]) {
        expect(errorOf(() => parse([value], datatype)).message).toBe(
          `Field "inputs.x[0]" is ${describeJson(value)}; expected a whole number from ${low} to ${high} (${datatype}).`,
        );
      }
      expect(() => parse([2 ** 60], datatype)).toThrow(UnsafeIntegerError);
    },
  );

  it('takes true, false, 1 and 0 for BOOL', () => {
    expect(parse([true, false, 1, 0], 'BOOL').data).toEqual(Uint8Array.of(1, 0, 1, 0));
    expect(errorOf(() => parse([2], 'BOOL')).message).toBe(
      'Field "inputs.x[0]" is the number 2; expected true or false.',
    );
    expect(errorOf(() => parse(['true'], 'BOOL')).status).toBe(400);
  });

  it('takes null, NaN and infinities for floats, and no text', () => {
    const values = [null, Number.NaN, Number.NEGATIVE_INFINITY, 0.5];
    expect([...parse(values, 'FP64').data]).toEqual([Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, 0.5]);
    expect(errorOf(() => parse(['0.5'], 'FP16')).message).toBe(
      'Field "inputs.x[0]" is the string "0.5"; expected a number.',
    );
  });

  it.each<[Datatype, number, number, string]>([
    [
      'FP32',
      3.4028234e38,
      3.4028236e38,
      'the number 3.4028236e+38; expected a number below 3.4028235677973366e+38 (FP32).',
    ],
    ['FP16', 65_519, 65_520, 'the number 65520; expected a number below 65520 (FP16).'],
  ])('refuses for %s numbers that would round to infinity', (datatype, low, high, message) => {
    expect(toNumbers(parse([low, -low], datatype)).every(Number.isFinite)).toBe(true);
    expect(errorOf(() => parse([0, high], datatype)).message).toBe(`Field "inputs.x[1]" is ${message}`);
    expect(errorOf(() => parse([-high], datatype)).message).toMatch('expected a number below');
  });

  it('takes whole numbers that came with all digits for floats as well', () => {
    expect(parse([2n ** 70n, 1], 'FP64').data).toEqual(Float64Array.of(2 ** 70, 1));
  });

  it('takes texts for BYTES, but no numbers and no NUL, where the runtime would cut', () => {
    expect(parse(['', 'ä\ud83d\ude00'], 'BYTES').data).toEqual(['', 'ä😀']);
    expect(errorOf(() => parse([1], 'BYTES')).message).toBe(
      'Field "inputs.x[0]" is the number 1; expected a string.',
    );
    expect(errorOf(() => parse(['ok', 'a\0b'], 'BYTES')).message).toBe(
      'Field "inputs.x[1]" has a NUL character, which strings cannot hold.',
    );
    expect(errorOf(() => parse(['\ud800'], 'BYTES')).message).toBe(
      'Field "inputs.x[0]" has half of a surrogate pair, which strings cannot hold.',
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

  it('returns what parseNested has read, for every datatype and shape', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, fc.constantFrom(...DATATYPE_NAMES), (shape, datatype) => {
        // An empty axis hides the ones after it.
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
