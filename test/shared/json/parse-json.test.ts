import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { errorOf } from '../../support/error-of.ts';

function parse(text: string, depthLimit = 32): JsonValue {
  return parseJson(Buffer.from(text), depthLimit);
}

function messageOf(text: string | Uint8Array, depthLimit = 32): string {
  const error = errorOf(() => parseJson(Buffer.from(text), depthLimit));
  expect(error.code).toBe('BAD_REQUEST');
  return error.message;
}

describe('parseJson', () => {
  it('equals JSON.parse on any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (json) => {
        expect(parse(json, 100)).toEqual(JSON.parse(json));
      }),
    );
  });

  it('takes the words Python writes for numbers without a JSON form', () => {
    expect(parse('[NaN, Infinity, -Infinity, Inf, -Inf]')).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(parse('{"features":[1,NaN]}')).toEqual({ features: [1, Number.NaN] });
    expect(parse(' NaN\n')).toBe(Number.NaN);
  });

  it('skips a byte order mark', () => {
    expect(parse('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it('takes nesting up to the limit and refuses one level more', () => {
    expect(parse('[[1]]', 2)).toEqual([[1]]);
    expect(messageOf('[[[1]]]', 2)).toBe(
      'The JSON body is nested more than 2 levels deep, which is the limit (MAX_JSON_DEPTH).',
    );
    expect(messageOf('[{"a":[1]}]', 2)).toMatch('more than 2 levels');
    expect(messageOf('['.repeat(250_000))).toMatch('more than 32 levels');
  });

  it('counts levels, not brackets', () => {
    expect(parse('[[1],[2],[3],{}]', 2)).toEqual([[1], [2], [3], {}]);
  });

  it.each(['[[[[[[', '"[[[[', '\\\\"[[[[', '\\\\\\"{{{{{', ']]]]]]', '\\u005b[[[ä['])(
    'counts no brackets inside the string %j',
    (text) => {
      const json = JSON.stringify({ [text]: text });
      expect(parse(json, 1)).toEqual({ [text]: text });
      // The same through the tolerant parser.
      expect(parse(`[${json},NaN]`, 2)).toEqual([{ [text]: text }, Number.NaN]);
    },
  );

  it('finds the depth of any JSON', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const depth = depthOf(value);
        expect(parse(JSON.stringify(value), depth)).toEqual(JSON.parse(JSON.stringify(value)));
        if (depth > 0) expect(messageOf(JSON.stringify(value), depth - 1)).toMatch('nested more than');
      }),
    );
  });

  it.each([0, 1, 2, 3])('finds the depth of bytes that begin %d bytes into a word', (offset) => {
    const rows = Array.from({ length: 50 }, (_, row) => [row / 7, -1.5e-7, `"[${row}`]);
    for (const padding of ['', ' ', '  ', '   ']) {
      const text = `{"instances":${padding}${JSON.stringify(rows)}}`;
      const bytes = Buffer.alloc(offset + text.length, '[');
      bytes.write(text, offset);
      expect(parseJson(bytes.subarray(offset), 3)).toEqual({ instances: rows });
      expect(errorOf(() => parseJson(bytes.subarray(offset), 2)).message).toMatch('more than 2 levels');
    }
  });

  it.each<[string, number]>([
    ['1', 0],
    ['{}', 1],
    ['[[],{"a":[1,2]},"b"]', 6],
    ['["[{", "\\"[", NaN, []]', 4],
    [JSON.stringify(new Array(100).fill({ key: 'text' })), 301],
    [`{"data":[${'1.5,'.repeat(200)}1]}`, 3],
  ])('counts the arrays, objects and strings of %j before any is made', (text, expected) => {
    const counts: number[] = [];
    parseJson(Buffer.from(text), 32, { spend: (values) => counts.push(values) });
    expect(counts).toEqual([expected]);
  });

  it('does not parse a text whose values are refused', () => {
    const refusal = new InferenceError('PAYLOAD_TOO_LARGE', 'too many');
    const parse = () =>
      parseJson(Buffer.from('[{},{'), 32, {
        spend: () => {
          throw refusal;
        },
      });
    // Otherwise the error would say that it ends too early.
    expect(errorOf(parse)).toBe(refusal);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(messageOf(Uint8Array.of(0x22, 0xff, 0x22))).toBe('The JSON body is not valid UTF-8.');
    // UTF-16, as some Windows clients send it.
    expect(messageOf(Uint8Array.of(0xff, 0xfe, 0x7b, 0x00))).toBe('The JSON body is not valid UTF-8.');
  });

  it('keeps a key __proto__ as data', () => {
    for (const json of ['{"__proto__":{"polluted":1}}', '{"__proto__":{"polluted":1},"x":NaN}']) {
      const value = parse(json);
      expect(isJsonObject(value) && Object.hasOwn(value, '__proto__')).toBe(true);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect('polluted' in {}).toBe(false);
    }
  });
});

describe('isJsonObject', () => {
  it('takes objects, not lists and not null', () => {
    expect([{}, [], null, 'a', undefined].map(isJsonObject)).toEqual([true, false, false, false, false]);
  });
});

describe('describeJson', () => {
  it.each<[JsonValue | undefined, string]>([
    [undefined, 'nothing'],
    [null, 'null'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object with no keys'],
    [{ a: 1, b: 2 }, 'an object with the keys "a", "b"'],
    [true, 'the boolean true'],
    [1.5, 'the number 1.5'],
    [Number.NaN, 'the number NaN'],
    ['text', 'the string "text"'],
    ['x'.repeat(100), `the string "${'x'.repeat(39)}…`],
    [
      Object.fromEntries(Array.from('abcdefghij', (key) => [key, 1])),
      'an object with the keys "a", "b", "c", "d", "e", "f", "g", "h" and 2 more',
    ],
    [{ ['k'.repeat(50)]: 1 }, `an object with the keys "${'k'.repeat(40)}…"`],
  ])('describes %j', (value, text) => {
    expect(describeJson(value)).toBe(text);
  });

  it('shows the beginning of any string', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', '"', '\n', '\u0001', '\ud83d\ude00', '\ud83d'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(texts, (text) => {
        const whole = JSON.stringify(text);
        const shown = whole.length > 40 ? `${whole.slice(0, 40)}…` : whole;
        expect(describeJson(text)).toBe(`the string ${shown}`);
      }),
    );
  });
});
