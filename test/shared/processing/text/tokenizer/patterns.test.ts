import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { literal, readPattern } from '../../../../../shared/processing/text/tokenizer/patterns.ts';
import { split } from '../../../../../shared/processing/text/tokenizer/split.ts';
import { cpuSeconds } from '../../../../support/cpu-seconds.ts';
import { PROJECT } from '../../../../support/project.ts';

interface Golden {
  readonly texts: readonly string[];
  readonly patterns: Readonly<Record<string, { pattern: string; pieces: readonly (readonly string[])[] }>>;
}

const golden: Golden = JSON.parse(
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/patterns.json'), 'utf8'),
);

/** Runs of what patterns repeat, with and without an end that fits nothing. */
const RUNS = [
  ' ',
  '\n',
  ' \n',
  'a',
  'A',
  'aA',
  'a ',
  '\u00aa\u0301',
  '1',
  '!',
  "'",
  '[',
  '<sentinel:1',
  '\u{1f600}',
];
const longTexts = (length: number) =>
  RUNS.flatMap((run) => [run.repeat(length / run.length), `${run.repeat(length / run.length)}x`]);
const countMatches = (regex: string, text: string) => {
  const matches = readPattern({ Regex: regex })(text);
  return [...matches].length;
};

describe.each(Object.entries(golden.patterns))('the pattern of %s', (_, { pattern, pieces }) => {
  it('splits texts as tokenizers does', () => {
    const found = readPattern({ Regex: pattern });
    for (const [index, text] of golden.texts.entries()) {
      const parts = [...split({ text, isFirst: true }, found, 'Isolated')].map((part) => part.text);
      expect(parts, JSON.stringify(text)).toEqual(pieces[index]);
    }
  });

  // V8 tries "\\s+$" from each position again, which takes 8 s for 100,000 spaces.
  it('takes steps in proportion to the text', () => {
    const found = readPattern({ Regex: pattern });
    const texts = longTexts(20_000);
    expect(cpuSeconds(() => texts.map((text) => [...found(text)].length))).toBeLessThan(5);
  });
});

describe('a pattern', () => {
  it.each([
    ['(a+)+b', 0],
    ['(a|a)*b', 0],
    ['(a*)*b', 0],
    ['(?:a?){30}a{30}', 1],
    ['(?=(a+)+b)a', 0],
    ['(?<=(a+)+b)a', 0],
    ['.*.*.*=', 0],
  ])('that can be tried in countless ways takes steps in proportion to the text: %s', (regex, matches) => {
    const short = 'a'.repeat(30);
    expect(cpuSeconds(() => countMatches(regex, short))).toBeLessThan(1);
    expect(countMatches(regex, short)).toBe(matches);
    const long = 'a'.repeat(100_000);
    expect(cpuSeconds(() => countMatches(regex, long))).toBeLessThan(5);
  });

  it.each(['(a)\\1', '(?:a?){600}', 'a{6000}', `[${'a'.repeat(10_000)}]`])(
    'that cannot be used is named: %s',
    (regex) => {
      expect(() => readPattern({ Regex: regex })).toThrow(
        `its tokenizer.json has the pattern ${JSON.stringify(regex.slice(0, 80))}, which cannot be used here`,
      );
    },
  );

  it('for a text is no longer than can be looked for in a long one', () => {
    expect([...literal('a'.repeat(1000))('a'.repeat(1000))]).toEqual([{ start: 0, end: 1000 }]);
    expect(() => literal('a'.repeat(1001))).toThrow('which cannot be used here');
  });
});
