import { type Budget, createBudget } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { InferenceError } from '../../errors.ts';
import { CSV_TYPE } from '../../http/media-type.ts';
import { UnsafeIntegerError } from '../../json/exact-integers.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { parseExactJson } from '../../json/parse-json.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import type { ModelContract } from '../../values/contract.ts';
import { holdsNames, readCsv, readCsvParameters, readFirstRow, tableOfCells } from '../../values/csv.ts';
import type { InputKind } from '../../values/input.ts';
import { decodeRows, kindOfValues } from '../../values/instances.ts';
import { type ByteRanges, isLinesType, splitLines } from '../../values/lines.ts';
import type { NamedInputs } from '../../values/named-inputs.ts';
import { checkWidth, decodeTable, distinctNames } from '../../values/table.ts';
import type { Invocation } from '../invocation.ts';
import { LIBSVM_TYPES, readLibsvm } from './read-libsvm.ts';
import type { Lines } from './run-lines.ts';

/** Whether a body has one instance a line. */
export function holdsLines(mediaType: string): boolean {
  return mediaType === CSV_TYPE || isLinesType(mediaType) || LIBSVM_TYPES.includes(mediaType);
}

/** @throws InferenceError when the body has no lines at all, or is not text */
export function readLines(invocation: Invocation, limits: Limits): Lines {
  const { mediaType, body } = invocation;
  if (LIBSVM_TYPES.includes(mediaType)) return readLibsvm(body, limits);
  return mediaType === CSV_TYPE
    ? readTable(invocation, limits)
    : createJsonLines(splitLines(body, limits), limits);
}

/** Lines that hold one JSON value each. */
export function createJsonLines(lines: ByteRanges, limits: Limits): Lines {
  if (lines.count === 0) throw noLines();
  const rowsWith =
    (parse: Parse) =>
    (start: number, end: number): readonly ParsedLine[] => {
      // Only these lines are in memory now, not those before them. So only a very long line can have too many values.
      const budget = createBudget(limits);
      return Array.from({ length: end - start }, (_, i) =>
        parseLine(lines.at(start + i), start + i, budget, parse),
      );
    };
  const decodeRowsOf = (
    rows: readonly ParsedLine[],
    start: number,
    end: number,
    contract: ModelContract,
  ): NamedInputs => decodeRows(rows.map(valueOfLine), placeOf(start, end), contract, limits);
  const parseOnce = remembering(rowsWith((line, budget) => parseRequestJson(line, budget, { isLine: true })));
  const parseExactly = rowsWith((line) => parseExactJson(line, limits.jsonDepth, { isLine: true }));
  return {
    kind: kindOfLine(lines.at(0), limits),
    count: () => lines.count,
    sizeOf: lines.bytesOf,
    decode: (start, end, contract) => {
      try {
        return decodeRowsOf(parseOnce(start, end), start, end, contract);
      } catch (error) {
        if (!(error instanceof UnsafeIntegerError)) throw error;
        return decodeRowsOf(parseExactly(start, end), start, end, contract);
      }
    },
  };
}

/** Lines that fail are asked for again in smaller parts, but parsed only once. */
function remembering(parse: (start: number, end: number) => readonly ParsedLine[]): typeof parse {
  let known: { readonly start: number; readonly rows: readonly ParsedLine[] } = { start: 0, rows: [] };
  return (start, end) => {
    const isKnown = start >= known.start && end <= known.start + known.rows.length;
    if (!isKnown) known = { start, rows: parse(start, end) };
    return known.rows.slice(start - known.start, end - known.start);
  };
}

type ParsedLine = { readonly value: JsonValue } | { readonly error: unknown };

function valueOfLine(line: ParsedLine): JsonValue {
  if ('error' in line) throw line.error;
  return line.value;
}

type Parse = (bytes: Uint8Array, budget: Budget) => JsonValue;

function parseLine(line: Uint8Array, index: number, budget: Budget, parse: Parse): ParsedLine {
  try {
    return { value: parse(line, budget) };
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const cause = { cause: error };
    return { error: new InferenceError(error.code, [`Line ${index + 1}`, error.problem], cause) };
  }
}

/** A line that is not JSON is reported when it is run. */
function kindOfLine(line: Uint8Array, limits: Limits): InputKind {
  try {
    return kindOfValues([parseRequestJson(line, createBudget(limits))]);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    return 'features';
  }
}

/** A table in CSV. Its first row holds names if the Content-Type says so, or if its cells are the model's own names. */
function readTable({ request, body }: Invocation, limits: Limits): Lines {
  const { header, labels } = readCsvParameters(request.headers);
  const rows = readCsv(body, limits);
  if (rows.count === 0) throw noLines();
  const first = readFirstRow(body, limits);
  const countNames = (contract: ModelContract) =>
    Number(header === undefined ? holdsNames(first, contract) : header === 'present');
  return {
    kind: 'features',
    count: (contract) => rows.count - countNames(contract),
    sizeOf: (start, end, contract) => {
      const skipped = countNames(contract);
      return rows.charactersOf(start + skipped, end + skipped);
    },
    decode: (start, end, contract) => {
      const skipped = countNames(contract);
      const names = skipped ? distinctNames(first, 'line 1').slice(labels) : undefined;
      const cells = rows.slice(start + skipped, end + skipped);
      const features = labels === 0 ? cells : cells.map((row) => row.slice(labels));
      const place = placeOf(start + skipped, end + skipped);
      if (!names) checkWidth(features[0] ?? [], contract, place);
      return decodeTable(tableOfCells(names, features, place), contract, limits);
    },
  };
}

/** Lines are counted from 1, as editors do; empty ones do not count. */
function placeOf(start: number, end: number): string {
  return end - start === 1 ? `line ${start + 1}` : `lines ${start + 1} to ${end}`;
}

function noLines(): InferenceError {
  return new InferenceError('BAD_REQUEST', [
    'The request body',
    'has no lines; expected one instance per line.',
  ]);
}
