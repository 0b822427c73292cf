import { CsvError, parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { followQuotes } from '../../../../functions/cli/batch/follow-quotes.ts';

/** The state of a line according to the parser, after a line that opens a quoted cell if it should begin in one. */
function parsed(text: string, isOpen: boolean): 'closed' | 'open' | 'misquoted' {
  try {
    parse(isOpen ? `"\n${text}` : text, { relax_column_count: true });
    return 'closed';
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'open' : 'misquoted';
  }
}

/** All texts of up to this many of these characters. */
function textsOf(characters: string, length: number): readonly string[] {
  if (length === 0) return [''];
  const shorter = textsOf(characters, length - 1);
  return [
    ...shorter,
    ...shorter
      .filter((text) => text.length === length - 1)
      .flatMap((text) => [...characters].map((character) => text + character)),
  ];
}

describe('a line of CSV', () => {
  it.each([false, true])('leaves its row as the parser says, within a quoted cell: %s', (isOpen) => {
    const texts = textsOf('",x', 7);
    const given = texts.map((text) => [text, followQuotes(text, isOpen, ',')]);
    expect(texts).toHaveLength(3280);
    expect(given).toEqual(texts.map((text) => [text, parsed(text, isOpen)]));
    expect(new Set(given.map(([, state]) => state)).size).toBe(3);
  });
});
