import { invalid } from '../errors.ts';
import { UnsafeIntegerError } from '../json/exact-integers.ts';
import { describeJson, type JsonValue } from '../json/json-value.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { DATATYPES, FLOAT_BOUNDS, INTEGER_RANGES, WIDE_RANGES } from '../tensor/datatype.ts';
import { isDecimal } from './decimal.ts';

/** The values that one column can hold. */
export interface Column {
  readonly type: 'number' | 'string';
  /** Smallest and largest number of a column of whole numbers only. */
  readonly integers?: readonly [number, number] | undefined;
  /** The same for a 64-bit column, where a number cannot hold every digit. */
  readonly wideIntegers?: readonly [bigint, bigint] | undefined;
  /** From this magnitude, a number would reach the model as infinity. */
  readonly floatBound?: number | undefined;
  /** Whether the model takes true and false; 1 and 0 mean the same. */
  readonly isBoolean?: boolean;
  /** Whether a value may be missing; the model then gets NaN, or the empty text. */
  readonly allowsMissing?: boolean;
}

/** One value of a row: a string in columns of strings, a number in the others; a bigint if it needs all its digits. */
export type Cell = string | number | bigint;

/** What an input of a graph takes in each of its columns. */
export function columnOf({ datatype, allowsMissing = false }: TensorSpec): Column {
  const { kind } = DATATYPES[datatype];
  if (kind === 'string') return { type: 'string', allowsMissing };
  if (kind === 'bool') return { type: 'number', integers: [0, 1], isBoolean: true };
  if (kind === 'float') {
    return { type: 'number', floatBound: FLOAT_BOUNDS[datatype], allowsMissing };
  }
  return { type: 'number', integers: INTEGER_RANGES[datatype], wideIntegers: WIDE_RANGES[datatype] };
}

/**
 * How missing numbers are written: what `read_csv` of pandas takes for NaN, in any case.
 * Source: the default `na_values` of pandas.
 */
const MISSING: ReadonlySet<string> = new Set(
  ['', '#n/a', '#n/a n/a', '#na', '-1.#ind', '-1.#qnan', '-nan', '1.#ind', '1.#qnan', '<na>'].concat([
    'n/a',
    'na',
    'null',
    'nan',
    'none',
  ]),
);

/** A longer text is not one of the words. */
const LONGEST_WORD = 8;

/**
 * The value that the text of a cell means in its column. A text without a meaning is left unchanged, for `checkCell` to
 * report. The table is in docs/cells.md.
 */
export function readText(text: string, column: Column): JsonValue {
  if (column.type === 'string') return text;
  const word = text.trim();
  if (isDecimal(word)) return readNumber(word);
  const lower = word.length > LONGEST_WORD + 1 ? '' : word.toLowerCase();
  if (column.allowsMissing && MISSING.has(lower) && (word === '' || lower !== '')) return null;
  if (lower === 'true' || lower === 'false') return lower === 'true';
  const [, sign] = /^([+-]?)inf(?:inity)?$/.exec(lower) ?? [];
  if (sign !== undefined && isFloat(column)) return sign === '-' ? -Infinity : Infinity;
  return text;
}

/** Whether the text of a cell can be a name: a column of numbers or truth values would not take it. */
export function canBeName(text: string): boolean {
  const isValue = ANY_COLUMNS.some((column) => typeof readText(text, column) !== 'string');
  return !isValue && Number.isNaN(Number(text));
}

const ANY_COLUMNS: readonly Column[] = [
  { type: 'number', allowsMissing: true },
  { type: 'number', integers: [0, 1], isBoolean: true },
];

/** Whole numbers of 64 bits keep their digits. */
function readNumber(text: string): number | bigint {
  const value = Number(text);
  const isLarge = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLarge && /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : value;
}

/** Whether a column takes numbers with fractions. */
export function isFloat({ type, integers, isBoolean = false }: Column): boolean {
  return type === 'number' && integers === undefined && !isBoolean;
}

/**
 * Checks that a column takes a value.
 *
 * @param field what to call it in an error, to begin a sentence
 * @throws InferenceError saying what came and what is expected
 * @throws UnsafeIntegerError for a whole number of 64 bits that came without all its digits
 */
export function checkCell(value: JsonValue | undefined, column: Column, field: string): Cell {
  const { isBoolean = false, allowsMissing = false } = column;
  if (column.type === 'string')
    return allowsMissing && isMissing(value) ? '' : checkText(value, field, allowsMissing);
  if (typeof value === 'boolean') return Number(value);
  if (allowsMissing && isMissing(value)) return Number.NaN;
  if ((typeof value === 'number' && !Number.isNaN(value)) || typeof value === 'bigint') {
    return isFloat(column) ? checkFloat(Number(value), column, field) : checkInteger(value, column, field);
  }
  const found = typeof value === 'number' ? 'NaN' : value === '' ? 'empty' : describeJson(value);
  const wanted = isBoolean ? 'true or false' : allowsMissing ? 'a number or null' : 'a number';
  throw invalid(field, `is ${found}; expected ${wanted}.`);
}

/** Whether a value of JSON says that there is none. */
export function isMissing(value: JsonValue | undefined): boolean {
  return value === null || (typeof value === 'number' && Number.isNaN(value));
}

/** The runtime takes strings as UTF-8 without NUL: it would silently cut them there. */
function checkText(value: JsonValue | undefined, field: string, allowsMissing: boolean): string {
  if (typeof value !== 'string') {
    const wanted = allowsMissing ? 'a string or null' : 'a string';
    throw invalid(field, `is ${describeJson(value)}; expected ${wanted}.`);
  }
  if (value.includes('\0')) throw invalid(field, 'has a NUL character, which strings cannot hold.');
  if (!value.isWellFormed()) throw invalid(field, 'has half of a surrogate pair.');
  return value;
}

/**
 * Checks that a text is not too short.
 *
 * @param least fewest characters (code points)
 * @throws InferenceError
 */
export function checkLength(text: string, least = 0, field: string): void {
  if (text.length >= 2 * least) return;
  const length = [...text].length;
  if (length >= least) return;
  const given = length === 0 ? 'is empty' : `is shorter (${length})`;
  throw invalid(
    field,
    `${given}; expected at least ${least} ${least === 1 ? 'character' : 'characters'}. This model has no answer for a missing text: send one that it was trained with.`,
  );
}

/** Infinity itself is a value; a number that would only round to it is a mistake. */
function checkFloat(value: number, { floatBound = Number.POSITIVE_INFINITY }: Column, field: string): number {
  if (Math.abs(value) < floatBound || Math.abs(value) === Number.POSITIVE_INFINITY) return value;
  throw invalid(field, `is ${value}; expected a number below ${floatBound}.`);
}

function checkInteger(value: number | bigint, column: Column, field: string): number | bigint {
  const { integers = [0, 0], wideIntegers, isBoolean = false } = column;
  if (wideIntegers && typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new UnsafeIntegerError(
      field,
      `is ${value}, which JSON parsers round; send it as an integer with all its digits.`,
    );
  }
  const [low, high] = wideIntegers ?? integers;
  if ((typeof value === 'bigint' || Number.isInteger(value)) && value >= low && value <= high) return value;
  const wanted = isBoolean ? 'true or false' : `a whole number from ${low} to ${high}`;
  throw invalid(field, `is ${value}; expected ${wanted}.`);
}
