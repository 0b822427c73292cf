import type { Limits } from '../config.ts';
import { InferenceError, invalid, overLimit } from '../errors.ts';
import { typeParameter } from '../http/media-type.ts';
import { checkAnswerSize } from '../json/join-each.ts';
import type { NamedTensors } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { writeElements } from '../tensor/write-tensor.ts';
import type { ModelContract } from './contract.ts';
import { tooManyLines } from './lines.ts';
import type { Table } from './table.ts';
import { areTextNames } from './text-value.ts';

/** What the Content-Type of a table may say in addition to its type. */
export interface CsvParameters {
  /** Whether the first row holds names; undefined if nothing is said. Source: RFC 4180, section 3. */
  readonly header: 'present' | 'absent' | undefined;
  /** How many of the first columns are labels, which a model does not take. Source: SageMaker's training data. */
  readonly labels: number;
}

/** @throws InferenceError for values without a meaning */
export function readCsvParameters(headers: Headers): CsvParameters {
  const header = typeParameter(headers, 'header');
  const labels = typeParameter(headers, 'label_size') ?? '0';
  if (header !== undefined && header !== 'present' && header !== 'absent') {
    throw invalid(`The Content-Type has header=${header.slice(0, 40)}; expected "present" or "absent".`);
  }
  if (!/^\d{1,4}$/.test(labels)) {
    throw invalid(`The Content-Type has label_size=${labels.slice(0, 40)}; expected a number of columns.`);
  }
  return { header, labels: Number(labels) };
}

/**
 * The rows of a table in CSV, each as its cells. The rows are found at once; a row is cut into cells when it is asked
 * for.
 */
export interface CsvRows {
  readonly count: number;
  /**
   * The rows from `start` to `end` (exclusive).
   * @throws InferenceError when they are not CSV
   */
  readonly slice: (start: number, end: number) => readonly (readonly string[])[];
  /** How many characters these rows have. */
  readonly charactersOf: (start: number, end: number) => number;
}

/**
 * Reads a table: quotes, line breaks of any kind and a byte order mark as RFC 4180 and spreadsheets have them. Empty
 * lines are not rows. Rows can differ in length. If a quote is out of place, every line counts as a row, so the mistake
 * is reported only for the rows that it affects.
 *
 * @throws InferenceError BAD_REQUEST when the body is not UTF-8, PAYLOAD_TOO_LARGE for more rows than MAX_LINES
 */
export function readCsv(body: Uint8Array, limits: Limits): CsvRows {
  const text = decodeUtf8(body);
  if (!text.includes('"')) return rowsOf(text, findRows(text, limits), splitCells);
  return rowsOf(text, findQuotedRows(text, limits) ?? findRows(text, limits), splitQuotedCells);
}

/**
 * Rows by where they start. A row is made only when it is asked for: a table can have a million.
 *
 * @param split makes the cells of a row
 */
function rowsOf(text: string, starts: readonly number[], split: (row: string) => string[]): CsvRows {
  return {
    count: starts.length,
    charactersOf: (start, end) => (starts[end] ?? text.length) - (starts[start] ?? text.length),
    slice: (start, end) =>
      starts.slice(start, end).map((from, index) => {
        return checkCells(split(text.slice(from, endOfRow(text, from, starts[start + index + 1]))));
      }),
  };
}

/** Where a row ends, without the line breaks before the next one. A pattern would look at those within quotes again and again. */
function endOfRow(text: string, start: number, next = text.length): number {
  let end = next;
  while (end > start && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--;
  return end;
}

/** Where each line that is not empty starts. */
function findRows(text: string, limits: Limits): readonly number[] {
  const starts: number[] = [];
  const nextBreak = createBreakFinder(text);
  for (let start = 0; start < text.length; ) {
    const end = nextBreak(start);
    if (end > start) starts.push(start);
    if (starts.length > limits.lines) throw tooManyLines(limits);
    start = end + 1;
  }
  return starts;
}

/**
 * Where each row starts that is not empty, when quotes can hold line breaks. Undefined if a quote is out of place: it
 * opens in the middle of a cell, closes before its end, or is never closed.
 */
function findQuotedRows(text: string, limits: Limits): readonly number[] | undefined {
  const starts: number[] = [];
  let escapes = 0;
  const nextBreak = createBreakFinder(text);
  const nextQuote = createFinder(text, '"');
  for (let start = 0; start < text.length; ) {
    let end = nextBreak(start);
    for (let quote = nextQuote(start); quote < end; quote = nextQuote(quote)) {
      if (quote > start && text[quote - 1] !== ',') return undefined;
      const close = closingQuote(text, quote, () => {
        if (++escapes > limits.values) throw tooManyQuotes(limits);
      });
      if (close === undefined) return undefined;
      quote = close + 1;
      end = nextBreak(quote);
      if (quote !== end && text[quote] !== ',') return undefined;
    }
    if (end > start) starts.push(start);
    if (starts.length > limits.lines) throw tooManyLines(limits);
    start = end + 1;
  }
  return starts;
}

/**
 * Two quotes in a row stand for one within a cell.
 *
 * @param onEscape is called for each such pair
 */
function closingQuote(text: string, open: number, onEscape?: () => void): number | undefined {
  for (let at = text.indexOf('"', open + 1); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
    onEscape?.();
  }
  return undefined;
}

function tooManyQuotes({ values }: Limits): InferenceError {
  return overLimit(
    `The table has more than ${values} quotes within its cells, which is the limit (MAX_VALUES).`,
  );
}

type Finder = (from: number) => number;

/**
 * The next place of a character, or the length of the text. If the last place found is still ahead, there is no new
 * search.
 */
function createFinder(text: string, character: string): Finder {
  let next = -1;
  return (from) => {
    if (next < from) {
      const found = text.indexOf(character, from);
      next = found === -1 ? text.length : found;
    }
    return next;
  };
}

function createBreakFinder(text: string): Finder {
  const lineFeed = createFinder(text, '\n');
  const carriageReturn = createFinder(text, '\r');
  return (from) => Math.min(lineFeed(from), carriageReturn(from));
}

/** The cells of the first row; empty if it is not CSV. */
export function readFirstRow(body: Uint8Array, limits: Limits): readonly string[] {
  const start = new TextDecoder().decode(body.subarray(0, LONGEST_ROW_BYTES));
  const rows = readCsv(Buffer.from(/[^\r\n]+/.exec(start)?.[0] ?? ''), limits);
  try {
    return rows.slice(0, 1)[0] ?? [];
  } catch (error) {
    if (error instanceof InferenceError) return [];
    throw error;
  }
}

const LONGEST_ROW_BYTES = 256 * 1024;
/** More than any model takes in one row. */
const MOST_CELLS = 1_000_000;

/** Without quotes every comma separates two cells. */
function splitCells(row: string): string[] {
  return row.split(',', MOST_CELLS + 1);
}

/** @throws InferenceError when a quote is out of place */
function splitQuotedCells(row: string): string[] {
  const cells: string[] = [];
  for (let start = 0; start <= row.length && cells.length <= MOST_CELLS; ) {
    const close = row[start] === '"' ? closingQuote(row, start) : start;
    if (close === undefined) throw misquoted();
    const comma = row.indexOf(',', close);
    const end = comma === -1 ? row.length : comma;
    const isQuoted = close > start;
    if (isQuoted ? close + 1 !== end : row.slice(start, end).includes('"')) throw misquoted();
    cells.push(isQuoted ? row.slice(start + 1, close).replaceAll('""', '"') : row.slice(start, end));
    start = end + 1;
  }
  return cells;
}

function checkCells(cells: string[]): readonly string[] {
  if (cells.length <= MOST_CELLS) return cells;
  throw invalid(`A row of the table has more than ${MOST_CELLS} cells, which is the limit.`);
}

function misquoted(): InferenceError {
  return new InferenceError('BAD_REQUEST', 'The CSV body has a quote out of place.');
}

function decodeUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new InferenceError('BAD_REQUEST', 'The CSV body is not valid UTF-8.');
  }
}

/** Whether cells are the names of a model's columns, in any order and perhaps among others. */
export function holdsNames(
  cells: readonly string[],
  { inputs, features, textInput }: ModelContract,
): boolean {
  if (textInput && areTextNames(cells)) return true;
  const names = features ?? inputs.map(({ name }) => name);
  return names.length > 0 && names.every((name) => cells.includes(name));
}

/**
 * The table that rows of cells make.
 *
 * @param names of the columns; undefined if the table has none
 * @param field where the first row stands in the request, for errors: rows are counted from there
 * @throws InferenceError when the rows differ in length
 */
export function tableOfCells(
  names: readonly string[] | undefined,
  rows: readonly (readonly string[])[],
  field: string,
): Table {
  const width = names?.length ?? rows[0]?.length ?? 0;
  const columns = Array.from({ length: width }, (): string[] => []);
  for (const [index, cells] of rows.entries()) {
    if (cells.length !== width) {
      const where = rows.length === 1 ? field : `${field}[${index}]`;
      throw invalid(`Field "${where}"`, `has ${cells.length} cells; expected ${width}.`);
    }
    for (const [column, cell] of cells.entries()) columns[column]?.push(cell);
  }
  return { names, columns, field, isText: true };
}

/**
 * The outputs as rows of CSV, without line breaks: the elements of each instance side by side, output by output.
 *
 * @param limitBytes most bytes of all rows
 * @throws InferenceError PAYLOAD_TOO_LARGE when they are longer
 */
export function writeCsvRows(outputs: NamedTensors, rows: number, limitBytes: number): string[] {
  const tensors = [...outputs.values()];
  let length = 0;
  return Array.from({ length: rows }, (_, row) => {
    const text = tensors
      .map((tensor) => {
        const width = tensor.data.length / rows;
        return writeCells(tensor, row * width, (row + 1) * width, limitBytes);
      })
      .join(',');
    length += text.length;
    checkAnswerSize(length, limitBytes);
    return text;
  });
}

function writeCells(tensor: Tensor, start: number, end: number, limitBytes: number): string {
  if (Array.isArray(tensor.data)) return tensor.data.slice(start, end).map(quoteCell).join(',');
  return writeElements(tensor, { nonFinite: 'literal', limitBytes }, start, end);
}

/** A cell, in quotes if it needs them. Source: RFC 4180, section 2. */
export function quoteCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
