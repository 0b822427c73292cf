import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHARACTER, maskNewer } from '../../../../../shared/processing/text/tokenizer/characters.ts';
import { toNormalForm } from '../../../../../shared/processing/text/tokenizer/normal-form.ts';
import { cpuSeconds } from '../../../../support/cpu-seconds.ts';
import { PROJECT } from '../../../../support/project.ts';

const golden: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/characters.json'), 'utf8'),
);

const CODES = Array.from({ length: 0x110000 }, (_, code) => code).filter(
  (code) => code < 0xd800 || code > 0xdfff,
);

/** `61d 1b4e-1b4f`, as in the golden file. */
function rangesOf(isMember: (character: string) => boolean): string {
  const ranges: { first: number; last: number }[] = [];
  for (const code of CODES) {
    if (!isMember(String.fromCodePoint(code))) continue;
    const range = ranges.at(-1);
    if (range && range.last === code - 1) range.last = code;
    else ranges.push({ first: code, last: code });
  }
  const hex = (code: number) => code.toString(16);
  return ranges
    .map(({ first, last }) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`))
    .join(' ');
}

// The tables of tokenizers are those of Unicode 16 at the newest.
describe('a class of characters', () => {
  it.each(['combiningMark', 'whiteSpace', 'punctuation', 'numeric'] as const)(
    'is that of tokenizers: %s',
    (name) => {
      expect(rangesOf((character) => character.search(CHARACTER[name]) !== -1)).toBe(golden[name]);
    },
  );

  it('is that of tokenizers: nonspacingMark', () => {
    const isDropped = (character: string) =>
      toNormalForm(character, 'NFD').replace(CHARACTER.nonspacingMark, '') === '';
    expect(rangesOf(isDropped)).toBe(golden.nonspacingMark);
  });

  it('is that of tokenizers: control, with the two other characters that BERT drops', () => {
    const isDropped = (character: string) =>
      character === '\ufffd' || character.search(CHARACTER.control) !== -1;
    expect(rangesOf(isDropped)).toBe(golden.control);
  });

  it.each(['\\p{L}', '\\p{Ll}', '\\p{N}', '\\p{M}', '\\p{P}', '\\p{S}'])(
    'is that of the patterns of tokenizers, where newer characters are masked: %s',
    (name) => {
      const pattern = new RegExp(name, 'u');
      expect(rangesOf((character) => pattern.test(maskNewer(character)))).toBe(golden[name]);
    },
  );
});

describe('toNormalForm', () => {
  it.each(['NFC', 'NFD', 'NFKC', 'NFKD'] as const)(
    'decomposes, composes and orders what tokenizers does: %s',
    (form) => {
      const isChanged = (character: string) => {
        const text = `a\u0345${character}\u0334`;
        return toNormalForm(text, form) !== text;
      };
      expect(rangesOf(isChanged)).toBe(golden[form]);
    },
  );

  // By insertion, as the library of V8 sorts them, it is 6 s at the least.
  it.each(['\u0301\u0323', '\u0344\u0323', '\u0f73\u0f73'])(
    'takes long runs of marks in steps, not in their square: %j',
    (marks) => {
      const text = `a${marks.repeat(100_000)}`;
      expect(cpuSeconds(() => toNormalForm(text, 'NFC'))).toBeLessThan(2);
    },
  );

  it('puts no mark past one that tokenizers do not know', () => {
    const run = '\u0301\u0323'.repeat(40);
    const sorted = '\u0323'.repeat(40) + '\u0301'.repeat(40);
    expect(toNormalForm(`${run}\u1ac0${run}`, 'NFD')).toBe(`${sorted}\u1ac0${sorted}`);
  });
});
