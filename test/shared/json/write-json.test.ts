import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WritableJson, writeJson } from '../../../shared/json/write-json.ts';

describe('writeJson', () => {
  it('equals JSON.stringify on any plain value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(writeJson(JSON.parse(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('keeps the order of a map, digits included, where an object would sort them', () => {
    const map = new Map([
      ['9', 0.5],
      ['10', 0.25],
      ['a', 0.125],
      ['0', 0],
    ]);
    expect(writeJson(map)).toBe('{"9":0.5,"10":0.25,"a":0.125,"0":0}');
    expect(writeJson({ probabilities: map })).toBe('{"probabilities":{"9":0.5,"10":0.25,"a":0.125,"0":0}}');
  });

  it('writes keys of maps as text, quotes and __proto__ included', () => {
    const map = new Map([
      ['a"b\n', 1],
      ['__proto__', 2],
    ]);
    expect(writeJson(map)).toBe('{"a\\"b\\n":1,"__proto__":2}');
  });

  it('writes bigint with all digits', () => {
    expect(writeJson([2n ** 64n - 1n, -(2n ** 63n)])).toBe('[18446744073709551615,-9223372036854775808]');
  });

  it.each<[WritableJson, string]>([
    [[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '[null,null,null]'],
    [undefined, 'null'],
    [[undefined, 1], '[null,1]'],
    [{ a: undefined, b: null }, '{"b":null}'],
    [new Map([['a', undefined]]), '{}'],
    ['\ud83d\ude00 ä \u2028 \ud800', '"😀 ä \u2028 \\ud800"'],
    [[], '[]'],
    [-0, '0'],
  ])('writes %j', (value, json) => {
    expect(writeJson(value)).toBe(json);
  });
});
