import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTolerantJson } from '../../../shared/json/tolerant-json.ts';
import { errorOf } from '../../support/error-of.ts';

describe('parseTolerantJson', () => {
  it('equals JSON.parse on any JSON, also spread over lines', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(parseTolerantJson(json)).toEqual(JSON.parse(json));
      }),
    );
  });

  it('takes and refuses what JSON.parse does, in any text of JSON characters', () => {
    const pieces = ['{', '}', '[', ']', ':', ',', '"', '"a"', '\\', '0', '1', '-', '.', 'e', '+', ' ', '\n'];
    const words = ['true', 'null', 'nul', '01', '-0', '1.5e3', '\u0001', '\u00a0'];
    const texts = fc.array(fc.constantFrom(...pieces, ...words), { maxLength: 12 });
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join('');
        const expected = outcomeOf(() => JSON.parse(text));
        expect(outcomeOf(() => parseTolerantJson(text))).toEqual(expected);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ['', 'it ends too early at line 1, column 1'],
    ['  ', 'it ends too early at line 1, column 3'],
    ['{"a": 1,\n "b": }', 'unexpected "}" at line 2, column 7'],
    ['[1,\n2,\n  3 4]', 'unexpected "4]" at line 3, column 5'],
    ['{"a" 1}', 'unexpected "1}" at line 1, column 6'],
    ['{a: 1}', 'unexpected "a:" at line 1, column 2'],
    ["{'a': 1}", 'unexpected "\'a\':" at line 1, column 2'],
    ['[1, 2', 'it ends too early at line 1, column 6'],
    ['[1, 2]]', 'unexpected "]" at line 1, column 7'],
    ['{"a": "b', 'it ends too early at line 1, column 9'],
    ['[nan]', 'unexpected "nan]" at line 1, column 2'],
    ['[-NaN]', 'unexpected "-NaN]" at line 1, column 2'],
    ['[True, False, None]', 'unexpected "True," at line 1, column 2'],
    ['[01]', 'unexpected "1]" at line 1, column 3'],
    ['[1,]', 'unexpected "]" at line 1, column 4'],
    ['[1Inf,2,3,4]', 'unexpected "Inf,2,3,4]" at line 1, column 3'],
    ['[1.5Infinity,2]', 'unexpected "Infinity,2]" at line 1, column 5'],
    ['[2,-1Inf,3,4]', 'unexpected "Inf,3,4]" at line 1, column 6'],
    ['[2,3,4,5,Inf7]', 'unexpected "7]" at line 1, column 13'],
    ['[2,3,4,5,Inf.5]', 'unexpected ".5]" at line 1, column 13'],
    ['[2,3,4,5,1e1NaN]', 'unexpected "NaN]" at line 1, column 13'],
    ['["a\nb"]', 'unexpected "\\"a" at line 1, column 2'],
    ['["\\x"]', 'unexpected "\\"\\\\x\\"]" at line 1, column 2'],
    ['features=1', 'unexpected "features=1" at line 1, column 1'],
    [`[${'y'.repeat(40)}]`, 'unexpected "yyyyyyyyyyyy" at line 1, column 2'],
  ])('says where %j breaks', (text, problem) => {
    const error = errorOf(() => parseTolerantJson(text));
    expect(error.message).toBe(`The body is not valid JSON: ${problem}.`);
    expect(error.status).toBe(400);
  });

  it('reads long runs of numbers and bare words like short ones', () => {
    const items = fc.constantFrom(
      '1',
      '-2.5e3',
      '0.1',
      'NaN',
      'Infinity',
      '-Infinity',
      'Inf',
      '-Inf',
      '9007199254740993',
    );
    const values: Readonly<Record<string, number>> = {
      NaN: Number.NaN,
      Infinity: Number.POSITIVE_INFINITY,
      '-Infinity': Number.NEGATIVE_INFINITY,
      Inf: Number.POSITIVE_INFINITY,
      '-Inf': Number.NEGATIVE_INFINITY,
    };
    const spaces = fc.constantFrom('', ' ', '\n\t', '\r\n');
    fc.assert(
      fc.property(
        fc.array(items, { minLength: 1, maxLength: 60 }),
        spaces,
        fc.nat(),
        (list, space, place) => {
          const text = `[${list.map((item) => `${space}${item}${space}`).join(',')}]`;
          const expected = list.map((item) => values[item] ?? Number(item));
          expect(parseTolerantJson(text)).toEqual(expected);
          expect(parseTolerantJson(`{"a":${text},"b":[[],${text}]}`)).toEqual({
            a: expected,
            b: [[], expected],
          });
          const exact = list.map((item) =>
            item.length === 16 ? BigInt(item) : (values[item] ?? Number(item)),
          );
          expect(parseTolerantJson(text, { exactIntegers: true })).toEqual(exact);
          // A mistake among them is found where it is.
          const wrong: string[] = [...list];
          wrong[place % list.length] = '1.';
          const start =
            `[${wrong.slice(0, place % list.length).join(',')}`.length + (place % list.length > 0 ? 1 : 0);
          expect(errorOf(() => parseTolerantJson(`[${wrong.join(',')}]`)).message).toMatch(
            `at line 1, column ${start + 2}.`,
          );
        },
      ),
    );
  });

  it('reads runs of any length', () => {
    for (const count of [21_844, 21_845, 21_846, 70_000]) {
      const list = `[${'NaN,'.repeat(count)}1,2]`;
      const numbers = parseTolerantJson(list);
      expect(numbers).toHaveLength(count + 2);
      expect(Array.isArray(numbers) && numbers.slice(-3)).toEqual([Number.NaN, 1, 2]);
    }
  });

  it('reads long runs with anything after them, and leaves no empty places', () => {
    const numbers = Array.from({ length: 40_000 }, (_, at) => at);
    const run = numbers.join(',');
    for (const [text, rest] of [
      ['"a,b,c,d",[1,2,3],NaN', ['a,b,c,d', [1, 2, 3], Number.NaN]],
      [`[${run},NaN],{"a":[${run}]}`, [[...numbers, Number.NaN], { a: numbers }]],
      ['1,2,null', [1, 2, null]],
      [`${run},9007199254740993`, [...numbers, 9007199254740992]],
    ] as const) {
      const list = parseTolerantJson(`[${run},${text}]`);
      expect(list).toEqual([...numbers, ...rest]);
      expect(Array.isArray(list) && Object.keys(list).length).toBe(numbers.length + rest.length);
    }
    expect(() => parseTolerantJson(`[${run},1,,2]`)).toThrow(/unexpected ",2\]" at line 1/);
  });

  it('reads strings of a million characters and as many escapes', () => {
    const long = '\\"'.repeat(500_000);
    expect(parseTolerantJson(`[${JSON.stringify(long)}, NaN]`)).toEqual([long, Number.NaN]);
  });

  it('makes exact only what a datatype can hold: to read millions of digits takes seconds', () => {
    const options = { exactIntegers: true };
    const exact = '[18446744073709551615,-9223372036854775808]';
    expect(parseTolerantJson(exact, options)).toEqual([2n ** 64n - 1n, -(2n ** 63n)]);
    expect(parseTolerantJson(`[1${'0'.repeat(30)}]`, options)).toEqual([1e30]);
    expect(parseTolerantJson(`[${'9'.repeat(10_000_000)}]`, options)).toEqual([Number.POSITIVE_INFINITY]);
  });

  it('lets the last of equal keys count, as JSON.parse', () => {
    expect(parseTolerantJson('{"a":1,"b":2,"a":NaN}')).toEqual({ a: Number.NaN, b: 2 });
  });
});

/** The value, or that there is no value. */
function outcomeOf(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch {
    return 'refused';
  }
}
