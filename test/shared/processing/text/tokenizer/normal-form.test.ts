import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NormalForm, sortMarks } from '../../../../../shared/processing/text/tokenizer/normal-form.ts';

const FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const satisfies readonly NormalForm[];
const CHARACTERS = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code));
/** A mark changes places with marks of another class. */
const isMark = (character: string) =>
  `\u0345${character}\u0334`.normalize('NFD') !== `\u0345${character}\u0334`;
const beginsWithMark = (text: string) => isMark(String.fromCodePoint(text.codePointAt(0) ?? 0));
const MARKS = CHARACTERS.filter((character) => /[\p{M}\uff9e\uff9f]/u.test(character));

const mark = fc.constantFrom(
  ...'\u0301\u0323\u0334\u0345\u0344\u0f73\u0f75\u0f81\uff9e\uff9f\u034f\u09be\u0e38\u05b0\u093c\u3099\u302a\u20d0\u{1d165}\u{1d16d}',
  ...MARKS,
);
const other = fc.constantFrom(
  ...'aeioUαωаיかハ\u1100\u1161\u11a8각가\u00c5\u212b\u1e69\ufdfa\ufb2c\u0958\u09c7\u{1d15e}\u{1f600}\u00a8\ufc5e \n',
);

/** The same text with its marks in order has the same normal form. */
function expectSame(text: string): void {
  for (const form of FORMS) {
    const expected = text.normalize(form);
    if (sortMarks(text, form).normalize(form) !== expected) expect(`${form} ${text}`).toBe(expected);
  }
}

describe('sortMarks', () => {
  it('leaves every character its normal form, alone and forty times', () => {
    for (const character of CHARACTERS) expectSame(character);
    for (const character of MARKS) expectSame(`a\u0301\u0323${character.repeat(40)}\u0334\u0323b`);
  });

  it('knows every character that can lengthen a run', () => {
    const lengthening = CHARACTERS.filter((character) =>
      (['NFD', 'NFKD'] as const).some((form) => beginsWithMark(character.normalize(form))),
    );
    expect(lengthening.filter((character) => !MARKS.includes(character))).toEqual([]);
    expect(lengthening.length).toBeGreaterThan(900);
  });

  it('leaves every text its normal forms', () => {
    const piece = fc.oneof(
      { weight: 3, arbitrary: fc.array(mark, { minLength: 28, maxLength: 120 }) },
      { weight: 1, arbitrary: fc.array(other, { maxLength: 3 }) },
    );
    void fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => expectSame(pieces.flat().join(''))),
      { numRuns: 5000 },
    );
  });

  it.each([30, 31, 32, 33, 64, 65, 500, 2000])('leaves a run of %i marks its normal forms', (length) => {
    const run = (marks: string) => Array.from(marks.repeat(length)).slice(0, length).join('');
    for (const marks of ['\u0301\u0323', '\u0344\u0323', '\u0f73', '\uff9e\u0301', '\u0301\u034f\u0323']) {
      for (const before of ['', 'a', '\u00e9', '\u1100', '\u306f']) expectSame(`${before}${run(marks)}b`);
    }
  });

  // Sorted, no mark is before one of a lower class: what V8 sorts by insertion takes one step a mark.
  it.each(['\u0301\u0323', '\u0344\u0323', '\u0f73\u0f73', '\uff9e\u0301'])(
    'puts a run of %j into order as a whole',
    (marks) => {
      const sorted = sortMarks(`a${marks.repeat(20_000)}`, 'NFKD');
      const pairs = Array.from(sorted, (each, at) => each + sorted.charAt(at + 1));
      expect(sorted.length).toBeGreaterThanOrEqual(40_000);
      expect(pairs.filter((pair) => pair.normalize('NFD') !== pair)).toEqual([]);
    },
  );
});
