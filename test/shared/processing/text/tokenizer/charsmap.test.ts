import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCharsMap } from '../../../../../shared/processing/text/tokenizer/charsmap.ts';
import { finishSteps } from '../../../../../shared/processing/text/tokenizer/vocabulary.ts';
import { PROJECT } from '../../../../support/project.ts';

const { normalizer } = JSON.parse(
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/charsmap/tokenizer.json'), 'utf8'),
);
const charsmap: string = normalizer.normalizers[0].precompiled_charsmap;

describe('createCharsMap', () => {
  const replaceAll = createCharsMap(charsmap);
  const replace = (text: string) => finishSteps(replaceAll(text, 1e6));

  it.each([
    ['plain text', 'plain text'],
    ['', ''],
    ['ﬁne ½', 'fine 1/2'],
    // The combining accent goes with its letter, which has a rule of its own as well.
    ['e\u0301 É', 'é e'],
    ['o\u0308', 'oe'],
    // A cluster of many bytes goes character by character.
    ['👩\u200d👧', '👩 👧'],
    ['👍🏽', '+1🏽'],
    ['soft\u00adhyphen', 'softhyphen'],
    // The end of a line is one cluster, and the rule of its first character is the one that fits.
    ['a\r\nb\rc\nd', 'a b c d'],
  ])('makes %j of %j', (text, expected) => {
    expect(replace(text)).toBe(expected);
    expect(replace(text)).toBe(expected);
  });

  it('stays right after more clusters than it remembers', () => {
    const many = Array.from({ length: 12_000 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('');
    expect(replace(many)).toBe(many);
    expect(replace('ﬁ')).toBe('fi');
  });

  it('refuses rules that are cut off', () => {
    expect(() => createCharsMap(charsmap.slice(0, 40))).toThrow(RangeError);
    expect(() => createCharsMap('')).toThrow(RangeError);
  });
});
