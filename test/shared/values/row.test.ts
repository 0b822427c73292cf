import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import { FLOAT_BOUNDS } from '../../../shared/tensor/datatype.ts';
import { describeFormat, parseRow, type RowFormat } from '../../../shared/values/row.ts';
import { errorOf } from '../../support/error-of.ts';

const named: RowFormat = {
  named: [
    { name: 'length', unit: 'cm', range: [0, 20] },
    { name: 'width', range: [-1, 1] },
    { name: 'free' },
  ],
  width: 3,
  columns: [{ type: 'number', floatBound: FLOAT_BOUNDS.FP32 }],
};
const unnamed: RowFormat = { named: undefined, width: 2, columns: [{ type: 'number' }] };
const BY_NAME = 'as a list or as an object by name';
const NAMED = `3 numbers (length, width, free) ${BY_NAME}`;

function messageOf(row: JsonValue | undefined, format: RowFormat = named): string {
  const error = errorOf(() => parseRow(row, 'instances[2]', format));
  expect(error.code).toBe('INVALID_PARAMETER_VALUE');
  return error.message;
}

describe('parseRow', () => {
  it('takes a list in the order of the model', () => {
    expect(parseRow([1, 0.5, -7e30], 'features', named)).toEqual([1, 0.5, -7e30]);
    expect(parseRow([1, 2], 'features', unnamed)).toEqual([1, 2]);
  });

  it('takes an object in any order of its keys', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['length', 'width', 'free'], { minLength: 3 }), (keys) => {
        const values = new Map<string, number>([
          ['length', 1],
          ['width', 0.5],
          ['free', 3],
        ]);
        const row = Object.fromEntries(keys.map((key) => [key, values.get(key) ?? 0]));
        expect(parseRow(row, 'features', named)).toEqual([1, 0.5, 3]);
      }),
    );
  });

  it('takes the bounds of a range', () => {
    expect(parseRow([0, 1, 0], 'features', named)).toEqual([0, 1, 0]);
    expect(parseRow([20, -1, 0], 'features', named)).toEqual([20, -1, 0]);
  });

  it('takes a list of any length where neither model nor config says one', () => {
    const open: RowFormat = { named: undefined, width: undefined, columns: [{ type: 'number' }] };
    expect(parseRow([1, 2, 3, 4, 5], 'features', open)).toEqual([1, 2, 3, 4, 5]);
    expect(messageOf('1,2', open)).toBe(
      'Field "instances[2]" is the string "1,2"; expected a list of numbers.',
    );
  });

  it.each<[JsonValue | undefined, string]>([
    [undefined, `Field "instances[2]" is nothing; expected ${NAMED}.`],
    [null, `Field "instances[2]" is null; expected ${NAMED}.`],
    ['1,2,3', `Field "instances[2]" is the string "1,2,3"; expected ${NAMED}.`],
    [[1, 2], `Field "instances[2]" has 2 values; expected ${NAMED}.`],
    [[], `Field "instances[2]" has 0 values; expected ${NAMED}.`],
    [[1, 2, 3, 4], `Field "instances[2]" has 4 values; expected ${NAMED}.`],
    [{ length: 1, width: 0 }, `Field "instances[2]" lacks "free"; expected ${NAMED}.`],
    [{}, `Field "instances[2]" lacks "length", "width", "free"; expected ${NAMED}.`],
    [
      { length: 1, width: 0, free: 0, colour: 1 },
      `Field "instances[2]" has unknown features "colour"; expected ${NAMED}.`,
    ],
    [[1, 2, 0], 'Field "instances[2][1]" (width) is 2; expected a number from -1 to 1.'],
    [
      { length: 20.5, width: 0, free: 0 },
      'Field "instances[2].length" is 20.5; expected a number from 0 to 20 cm.',
    ],
    [[-0.001, 0, 0], 'Field "instances[2][0]" (length) is -0.001; expected a number from 0 to 20 cm.'],
    [['1', 0, 0], 'Field "instances[2][0]" (length) is the string "1"; expected a number.'],
    [[0, 0, null], 'Field "instances[2][2]" (free) is null; expected a number.'],
    [[0, 0, {}], 'Field "instances[2][2]" (free) is an object with no keys; expected a number.'],
    [[0, 0, [1]], 'Field "instances[2][2]" (free) is an array of 1; expected a number.'],
    [[0, 0, Number.NaN], 'Field "instances[2][2]" (free) is NaN; expected a number.'],
    // A float32 would hold this as infinity.
    [
      [0, 0, 3.5e38],
      'Field "instances[2][2]" (free) is 3.5e+38; expected a number below 3.4028235677973366e+38.',
    ],
  ])('says what is wrong with %j', (row, message) => {
    expect(messageOf(row)).toBe(message);
  });

  it('takes no object where the model names no features', () => {
    expect(messageOf({ a: 1, b: 2 }, unnamed)).toBe(
      'Field "instances[2]" is an object with the keys "a", "b"; expected a list of 2 numbers.',
    );
  });

  it('does not treat properties that every object has as features', () => {
    const format: RowFormat = {
      named: [{ name: 'constructor' }],
      width: 1,
      columns: [{ type: 'number' }],
    };
    expect(messageOf({}, format)).toMatch('lacks "constructor"');
    expect(parseRow({ constructor: 5 }, 'features', format)).toEqual([5]);
  });

  it('looks at each name only a few times, however many there are', () => {
    let looks = 0;
    const names = Array.from({ length: 500 }, (_, index) => `f${index}`);
    const format: RowFormat = {
      named: names.map((name) => ({
        get name() {
          looks += 1;
          return name;
        },
      })),
      width: 500,
      columns: [{ type: 'number' }],
    };
    const row = Object.fromEntries(names.map((name) => [name, 1]));
    expect(parseRow(row, 'features', format)).toEqual(names.map(() => 1));
    expect(messageOf({ ...row, g: 1 }, format)).toContain('has unknown features "g"');
    expect(looks).toBeLessThan(10 * names.length);
  });

  it('names no more than five unknown features, each shortened', () => {
    const row = Object.fromEntries(Array.from('abcdefg', (key) => [key.repeat(80), 1]));
    const message = messageOf(row);
    expect(message).toMatch(`${'e'.repeat(60)}"; expected`);
    expect(message).not.toMatch('f'.repeat(60));
  });

  it('takes only whole numbers of a range where the model takes whole numbers', () => {
    const integers: RowFormat = { ...unnamed, columns: [{ type: 'number', integers: [-8, 7] }] };
    expect(parseRow([-8, 7], 'features', integers)).toEqual([-8, 7]);
    for (const value of [2.5, -9, 8, 2 ** 53]) {
      expect(messageOf([1, value], integers)).toBe(
        `Field "instances[2][1]" is ${value}; expected a whole number from -8 to 7.`,
      );
    }
  });
});

const mixed: RowFormat = {
  named: [{ name: 'city', values: ['Bern', 'Rome'] }, { name: 'age', values: [1, 2] }, { name: 'note' }],
  width: 3,
  columns: [{ type: 'string' }, { type: 'number' }, { type: 'string' }],
};

describe('a row of strings and numbers', () => {
  it('is taken as a list or as an object', () => {
    expect(parseRow(['Bern', 1, ''], 'features', mixed)).toEqual(['Bern', 1, '']);
    expect(parseRow({ age: 2, note: 'ü😀', city: 'Rome' }, 'features', mixed)).toEqual(['Rome', 2, 'ü😀']);
  });

  it.each<[JsonValue, string]>([
    [['Bern', '1', ''], 'Field "instances[2][1]" (age) is the string "1"; expected a number.'],
    [[3, 1, ''], 'Field "instances[2][0]" (city) is the number 3; expected a string.'],
    [
      { city: 'Paris', age: 1, note: '' },
      'Field "instances[2].city" is the string "Paris"; expected one of "Bern", "Rome".',
    ],
    [['Bern', 3, ''], 'Field "instances[2][1]" (age) is the number 3; expected one of 1, 2.'],
    [['Bern', 1, 'a\0b'], expect.stringMatching(/^Field "instances\[2\]\[2\]" \(note\) .*NUL/)],
    [['Bern', 1, '\ud800'], 'Field "instances[2][2]" (note) has half of a surrogate pair.'],
    [
      ['Bern', 1],
      `Field "instances[2]" has 2 values; expected 3 values (city: string, age: number, note: string) ${BY_NAME}.`,
    ],
  ])('is refused by the name of the feature: %j', (row, message) => {
    expect(messageOf(row, mixed)).toEqual(message);
  });

  it('lists no more than twenty values', () => {
    const values = Array.from({ length: 30 }, (_, index) => `v${index}`);
    const format: RowFormat = { named: [{ name: 'x', values }], width: 1, columns: [{ type: 'string' }] };
    expect(messageOf(['w'], format)).toMatch(/"v19", …\.$/);
  });
});

describe('describeFormat', () => {
  it('says what a row looks like', () => {
    expect(describeFormat(named)).toBe(NAMED);
    expect(describeFormat(unnamed)).toBe('a list of 2 numbers');
    expect(describeFormat({ named: undefined, width: undefined, columns: [{ type: 'number' }] })).toBe(
      'a list of numbers',
    );
  });
});
