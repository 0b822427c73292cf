import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import type { ModelContract } from '../../values/contract.ts';
import { tableOfCells } from '../../values/csv.ts';
import { takesJson } from '../../values/instances.ts';
import { splitLines, startOfText } from '../../values/lines.ts';
import { decodeTable, widthOf } from '../../values/table.ts';
import type { Lines } from './run-lines.ts';

/** Media types of sparse rows. Source: SageMaker's guide, XGBoost; xgb_content_types of its container. */
export const LIBSVM_TYPES = ['text/libsvm', 'text/x-libsvm'];

const LABEL = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan)$/i;
const GROUP = /^qid:\d+$/;
const CELL = /^(\d+):(.+)$/;

const EXPECTED = 'expected index:value, as 3:0.5, with spaces or tabs between cells';

/**
 * Sparse rows, a line each: a label and a group such as `qid:7`, which a row can lack and which are not read, then
 * `index:value` between spaces. A `#` starts a comment. If no row has an index 0, indexes count from 1. A column that a
 * row does not name is missing if the model allows that, and 0 otherwise. An index twice in a row is an error, because
 * the sources differ: one takes the last value, the other one the sum.
 * Sources: `_get_sparse_matrix_from_libsvm` and `libsvm_to_dmatrix` of sagemaker-xgboost-container; libsvm_parser.h of
 * dmlc-core for groups and comments.
 *
 * @throws InferenceError for a body without lines
 */
export function readLibsvm(body: Uint8Array, limits: Limits): Lines {
  const lines = splitLines(body, limits, COMMENT);
  if (lines.count === 0)
    throw new InferenceError('BAD_REQUEST', ['The request body', 'has no lines; expected one row per line.']);
  const first = firstIndex(body);
  return {
    kind: 'features',
    count: () => lines.count,
    // As many values as the same rows have in CSV.
    sizeOf: (start, end, contract) => lines.bytesOf(start, end) + 2 * (end - start) * widthOfModel(contract),
    decode: (start, end, contract) => {
      const width = widthOfModel(contract);
      const missing = contract.inputs[0]?.allowsMissing === true ? '' : '0';
      const rows = Array.from({ length: end - start }, (_, row) => {
        const cells = readCells(lines.at(start + row), start + row, width, first ?? 1);
        return Array.from(cells, (cell) => cell ?? missing);
      });
      // A table in another format has no cells at all.
      if (first === undefined) throw invalid('The request body', `has no cells; ${EXPECTED}.`);
      const place = end - start === 1 ? `line ${start + 1}` : `lines ${start + 1} to ${end}`;
      return decodeTable(tableOfCells(undefined, rows, place), contract, limits);
    },
  };
}

function widthOfModel({ inputs }: ModelContract): number {
  const [only, ...others] = inputs;
  const width = only && others.length === 0 ? widthOf(only) : inputs.length;
  if (width !== undefined && width > 0 && !takesJson({ inputs })) return width;
  throw invalid('Sparse rows need the number of columns, which this model does not say; send text/csv.');
}

/**
 * The values of a row, one for each column of the model.
 *
 * @param row counted from 0, for errors
 * @param first the index of the first column
 */
function readCells(
  line: Uint8Array,
  row: number,
  width: number,
  first: 0 | 1,
): readonly (string | undefined)[] {
  const field = `Line ${row + 1}`;
  const cells = new Array<string | undefined>(width).fill(undefined);
  for (const word of readWords(line, field)) {
    const [, digits, value] = CELL.exec(word) ?? [];
    if (digits === undefined || value === undefined) throw notCell(field, word);
    const column = Number(digits) - first;
    if (column >= width) {
      throw invalid(
        field,
        `has the index ${digits.slice(0, 40)}; the model takes ${width} columns, which are counted from ${first} here.`,
      );
    }
    if (cells[column] !== undefined) throw invalid(field, `has the index ${digits} twice; expected it once.`);
    cells[column] = value;
  }
  return cells;
}

/**
 * The words of a row without its label, its group and its comment. They are made one by one: a row of megabytes has
 * millions, of which at most one more is read than the model has columns.
 */
function* readWords(line: Uint8Array, field: string): Generator<string, void> {
  const comment = line.indexOf(COMMENT);
  const row = comment === -1 ? line : line.subarray(0, comment);
  const words = cutWords(Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('utf8'));
  let next = words.next();
  if (!next.done && !next.value.includes(':')) {
    if (!LABEL.test(next.value))
      throw invalid(field, `has the label ${quote(next.value)}; expected a number.`);
    next = words.next();
  }
  if (!next.done && GROUP.test(next.value)) next = words.next();
  if (next.done) return;
  yield next.value;
  yield* words;
}

/** All other white space is part of a word, where it is an error: a word that is cut wrongly shifts columns. */
function* cutWords(text: string): Generator<string, void> {
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = start;
    while (end < text.length && !isSeparator(text.charCodeAt(end))) end++;
    if (end > start) yield text.slice(start, end);
  }
}

function isSeparator(code: number): boolean {
  return code === SPACE || code === TAB || code === CARRIAGE_RETURN;
}

function notCell(field: string, word: string): InferenceError {
  const [index = '', ...value] = word.split(':');
  return /^\d+$/.test(index) || value.length === 0
    ? invalid(field, `has ${quote(word)}; ${EXPECTED}.`)
    : invalid(field, `has the index ${quote(index)}; expected a whole number of at least 0.`);
}

/** A word for a message. White space and characters that cannot be seen are written as escapes. */
function quote(word: string): string {
  return JSON.stringify(word.slice(0, 40)).replace(
    /[\p{Z}\p{C}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE, COMMENT, ZERO, NINE, COLON] = [
  0x09, 0x0a, 0x0d, 0x20, 0x23, 0x30, 0x39, 0x3a,
] as const;

/**
 * The index from which rows count: 0 if one of them has it, otherwise 1; undefined if no row has a cell. Bytes are
 * searched, as a body can have millions of cells.
 */
function firstIndex(body: Uint8Array): 0 | 1 | undefined {
  let hasCells = false;
  // How many digits the word has; undefined if it has anything else before them.
  let digits: number | undefined = 0;
  let isZero = true;
  for (let at = startOfText(body); at < body.length; at++) {
    const byte = body[at] ?? 0;
    if (byte === COMMENT) {
      const end = body.indexOf(LINE_FEED, at);
      at = (end === -1 ? body.length : end) - 1;
    } else if (byte === LINE_FEED || isSeparator(byte)) {
      digits = 0;
      isZero = true;
    } else if (digits !== undefined && byte >= ZERO && byte <= NINE) {
      digits++;
      isZero &&= byte === ZERO;
    } else {
      if (byte === COLON && digits) {
        if (isZero) return 0;
        hasCells = true;
      }
      digits = undefined;
    }
  }
  return hasCells ? 1 : undefined;
}
