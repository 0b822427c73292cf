import { CsvError, parse } from 'csv-parse/sync';
import { followQuotes } from './follow-quotes.ts';
import { type Line, readLines } from './read-lines.ts';

/** A row of CSV: its cells, or why it has none. */
export type TableRow =
  | { readonly cells: readonly string[] }
  /** `is ...` or `has ...`, to be put after the row's name. */
  | { readonly problem: string };

/** Bounds of one row that spans several lines: a quote that is never closed must not swallow the rest of a file. */
const LONGEST_ROW_LINES = 10_000;
const LONGEST_ROW_CHARACTERS = 1_048_576;

/**
 * Reads CSV as the server does (shared/values/csv.ts), but row by row: quotes are those of RFC 4180, empty lines are
 * skipped, and a quote out of place spoils only its own row.
 *
 * @param delimiter what separates cells: one character
 * @param seen called with the number of bytes that were read from the file
 */
export async function* readTable(
  path: string,
  delimiter: string,
  seen?: (bytes: number) => void,
): AsyncIterable<TableRow> {
  let rest: readonly Line[] = [];
  for await (const block of readLines(path, seen)) {
    const taken = takeRows(rest.length > 0 ? [...rest, ...block] : block, delimiter, false);
    yield* taken.rows;
    rest = taken.rest;
  }
  yield* takeRows(rest, delimiter, true).rows;
}

interface Taken {
  readonly rows: readonly TableRow[];
  /** Lines of a row that continues after them. */
  readonly rest: readonly Line[];
}

/** @param isEnd whether nothing comes after these lines */
function takeRows(lines: readonly Line[], delimiter: string, isEnd: boolean): Taken {
  const isPlain = lines.every(({ text, problem }) => problem === undefined && !text.includes('"'));
  if (isPlain) {
    const rows = lines
      .filter(({ text }) => text !== '')
      .map(({ text }) => ({ cells: text.split(delimiter) }));
    return { rows, rest: [] };
  }
  // Several times faster than line by line, which is needed only if a line is wrong or a row continues.
  const all = lines.some(({ problem }) => problem !== undefined) ? 'open' : parseLines(lines, delimiter);
  if (Array.isArray(all)) return { rows: all.map((cells) => ({ cells })), rest: [] };
  const rows: TableRow[] = [];
  for (let index = 0; index < lines.length; ) {
    const taken = takeRow(lines, index, delimiter);
    if (taken === 'open' && !isEnd) return { rows, rest: lines.slice(index) };
    if (taken === 'open') {
      rows.push(MISQUOTED);
      index++;
    } else {
      if (taken.row) rows.push(taken.row);
      index = taken.next;
    }
  }
  return { rows, rest: [] };
}

const MISQUOTED: TableRow = { problem: 'has a quote out of place' };

interface TakenRow {
  /** Undefined for an empty line. */
  readonly row: TableRow | undefined;
  /** Index of the line after it. */
  readonly next: number;
}

/** The row that begins at a line, or 'open' if it continues after the last line. */
function takeRow(lines: readonly Line[], start: number, delimiter: string): TakenRow | 'open' {
  let characters = 0;
  for (let end = start; end < lines.length; end++) {
    const { text = '', problem } = lines[end] ?? {};
    if (problem !== undefined) return { row: end === start ? { problem } : MISQUOTED, next: start + 1 };
    if (end === start && !text.includes('"')) {
      return { row: text === '' ? undefined : { cells: text.split(delimiter) }, next: end + 1 };
    }
    characters += text.length;
    if (end - start > LONGEST_ROW_LINES || characters > LONGEST_ROW_CHARACTERS) {
      // A line that is long by itself may still be a row.
      if (end > start) return { row: MISQUOTED, next: start + 1 };
    }
    const state = followQuotes(text, end > start, delimiter);
    if (state === 'open') continue;
    // Parsed once, because a row can have many lines.
    const rows = state === 'closed' ? parseLines(lines.slice(start, end + 1), delimiter) : state;
    if (!Array.isArray(rows)) return { row: MISQUOTED, next: start + 1 };
    const [cells] = rows;
    return { row: cells && { cells }, next: end + 1 };
  }
  return 'open';
}

function parseLines(lines: readonly Line[], delimiter: string): string[][] | 'open' | 'misquoted' {
  try {
    return parse(lines.map(({ text, end }) => text + end).join(''), {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'open' : 'misquoted';
  }
}
