import { expect, test } from 'vitest';
import {
  createTokenSearch,
  type Occurrence,
  occurrences,
} from '../../../../../shared/processing/text/tokenizer/occurrences.ts';
import { createRandom } from '../../../../fuzz/mutate.ts';

test('finds the leftmost token, the longest of those that begin there, and the next one after it', () => {
  expect(find(['he', 'she', 'hers', 'shells'], 'ushers shell')).toEqual([
    { id: 1, start: 1, end: 4 },
    { id: 1, start: 7, end: 10 },
  ]);
  // A longer token that almost occurs holds nothing back.
  expect(find(['b', 'abcd', 'bc'], 'abcabcd')).toEqual([
    { id: 2, start: 1, end: 3 },
    { id: 1, start: 3, end: 7 },
  ]);
  expect(find(['same', 'same'], 'same')).toEqual([{ id: 1, start: 0, end: 4 }]);
  expect(find([], 'text')).toEqual([]);
});

test('finds what a search at each place finds, in random texts of few letters', () => {
  const random = createRandom(7);
  const word = (most: number) =>
    Array.from({ length: 1 + random(most) }, () => 'abc'.charAt(random(3))).join('');
  let found = 0;
  for (let round = 0; round < 3000; round++) {
    const tokens = Array.from({ length: 1 + random(6) }, () => word(6));
    const text = word(40);
    const expected = findAtEachPlace(tokens, text);
    expect(find(tokens, text), `${tokens} in ${text}`).toEqual(expected);
    found += expected.length;
  }
  expect(found).toBeGreaterThan(10_000);
});

test('pauses in a long text, and in one whose every letter is a token', () => {
  const long = [...occurrences(createTokenSearch([[`${'a'.repeat(511)}b`, 0]]), 'a'.repeat(100_000))];
  expect(long).toEqual(new Array(97).fill(undefined));
  const each = [...occurrences(createTokenSearch([['a', 0]]), 'a'.repeat(100_000))];
  expect(each.filter((one) => one !== undefined)).toHaveLength(100_000);
  expect(each.length).toBeGreaterThan(100_010);
});

function find(tokens: readonly string[], text: string): Occurrence[] {
  const search = createTokenSearch(tokens.map((token, id) => [token, id]));
  return [...occurrences(search, text)].filter((occurrence) => occurrence !== undefined);
}

function findAtEachPlace(tokens: readonly string[], text: string): Occurrence[] {
  const found: Occurrence[] = [];
  for (let start = 0; start < text.length; ) {
    const fitting = tokens.filter((token) => text.startsWith(token, start));
    const longest = fitting.reduce((a, b) => (b.length > a.length ? b : a), '');
    if (longest !== '') found.push({ id: tokens.lastIndexOf(longest), start, end: start + longest.length });
    start += Math.max(1, longest.length);
  }
  return found;
}
