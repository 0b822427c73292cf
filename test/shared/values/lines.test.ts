import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ByteRanges, splitConcatenated, splitLines } from '../../../shared/values/lines.ts';
import { errorOf } from '../../support/error-of.ts';
import { testLimits } from '../../support/test-budget.ts';

const textsOf = ({ count, at }: ByteRanges) =>
  Array.from({ length: count }, (_, index) => Buffer.from(at(index)).toString());
const linesOf = (text: string) => textsOf(splitLines(Buffer.from(text), testLimits()));
const valuesOf = (text: string) =>
  textsOf(splitConcatenated(Buffer.from(text), testLimits())).map((value) => value.trim());

describe('a body of lines', () => {
  it.each([splitLines, splitConcatenated])('is refused with more of them than the limit', (split) => {
    const limits = testLimits({ lines: 3 });
    expect(split(Buffer.from('[]\n'.repeat(3)), limits).count).toBe(3);
    expect(errorOf(() => split(Buffer.from('[]\n'.repeat(4)), limits)).status).toBe(413);
  });
});

describe('lines', () => {
  it.each([
    ['1\n2', ['1', '2']],
    ['1\r\n2\r\n', ['1\r', '2\r']],
    ['\ufeff[1]\n', ['[1]']],
    ['\n \n1\n\t\n', ['1']],
    ['', []],
  ])('of %j are those that are not empty', (text, lines) => {
    expect(linesOf(text)).toEqual(lines);
  });
});

describe('JSON values one after the other', () => {
  it.each([
    ['{"a":1}{"a":2}', ['{"a":1}', '{"a":2}']],
    ['[1]\n[2]\n', ['[1]', '[2]']],
    ['{\n "a": [1]\n}\n{\n "a": [2]\n}', ['{\n "a": [1]\n}', '{\n "a": [2]\n}']],
    ['["]","\\"]"][1]', ['["]","\\"]"]', '[1]']],
    ['{"a":1}', ['{"a":1}']],
    ['[1] x', ['[1]', 'x']],
    ['[1', ['[1']],
    ['"abc', ['"abc']],
    [']', [']']],
  ])('%j are separated', (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it('are separated with any content', () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.constantFrom('', ' ', '\n', '\r\n'),
        (values, space) => {
          const texts = values.map((item) => JSON.stringify(item));
          expect(valuesOf(texts.join(space))).toEqual(texts);
        },
      ),
    );
  });
});
