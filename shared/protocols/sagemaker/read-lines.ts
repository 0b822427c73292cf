import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import type { NamedInputs } from '../../inference/check-feeds.ts';
import type { InputKind } from '../../inference/input.ts';
import { UnsafeIntegerError } from '../../json/exact-integers.ts';
import { type JsonValue, parseExactJson, parseJson } from '../../json/parse-json.ts';
import {
  CSV_TYPE,
  decodeCsvText,
  frameOfCells,
  holdsNames,
  parseCsv,
  readCsvParameters,
} from '../codecs/csv.ts';
import { decodeFrame, distinctNames } from '../codecs/frame.ts';
import { isLinesType, splitLines } from '../codecs/lines.ts';
import type { ModelContract } from '../codecs/model-contract.ts';
import { decodeRows, kindOfValues } from '../codecs/rows.ts';
import type { Invocation } from '../invocation.ts';

/** Records of a body, one instance each, that can be decoded some at a time. */
export interface Lines {
  readonly kind: InputKind;
  /** How many there are; tables learn of a header only when they know the model. */
  readonly count: (contract: ModelContract) => number;
  /**
   * The inputs of the lines from `start` to `end` (exclusive).
   * @throws InferenceError
   */
  readonly decode: (start: number, end: number, contract: ModelContract) => NamedInputs;
}

export function holdsLines(mediaType: string): boolean {
  return mediaType === CSV_TYPE || isLinesType(mediaType);
}

/** @throws InferenceError when the body has no lines at all, or is no text */
export async function readLines(invocation: Invocation, limits: Limits): Promise<Lines> {
  return invocation.mediaType === CSV_TYPE
    ? await readTable(invocation, limits)
    : createJsonLines(splitLines(invocation.body), limits);
}

/** Lines that hold one JSON value each. */
export function createJsonLines(lines: readonly Uint8Array[], limits: Limits): Lines {
  if (lines.length === 0) throw noLines();
  const parsed = new Array<JsonValue | undefined>(lines.length);
  const parse = (index: number): JsonValue => {
    const value = parsed[index] ?? parseLine(lines[index], index, limits, parseJson);
    parsed[index] = value;
    return value;
  };
  const decodeWith =
    (read: (index: number) => JsonValue) => (start: number, end: number, contract: ModelContract) =>
      decodeRows(
        Array.from({ length: end - start }, (_, i) => read(start + i)),
        placeOf(start, end),
        contract,
        limits,
      );
  const decode = decodeWith(parse);
  const decodeExactly = decodeWith((index) => parseLine(lines[index], index, limits, parseExactJson));
  return {
    kind: kindOfFirst(lines, limits),
    count: () => lines.length,
    decode: (...range) => {
      try {
        return decode(...range);
      } catch (error) {
        if (!(error instanceof UnsafeIntegerError)) throw error;
        return decodeExactly(...range);
      }
    },
  };
}

function parseLine(
  line: Uint8Array | undefined,
  index: number,
  limits: Limits,
  parse: (bytes: Uint8Array, depthLimit: number) => JsonValue,
): JsonValue {
  try {
    return parse(line ?? new Uint8Array(0), limits.jsonDepth);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    throw new InferenceError(error.code, `Line ${index + 1}: ${error.message}`, { cause: error });
  }
}

/** A line that is no JSON will be told of later. */
function kindOfFirst([line = new Uint8Array(0)]: readonly Uint8Array[], limits: Limits): InputKind {
  try {
    return kindOfValues([parseJson(line, limits.jsonDepth)]);
  } catch {
    return 'features';
  }
}

/**
 * A table in CSV. Its first row holds names where the Content-Type says so, or where they are the model's own.
 * A quote out of place spoils its own line alone: no record of SageMaker's spans several.
 */
async function readTable({ request, body }: Invocation, limits: Limits): Promise<Lines> {
  const { header, labels } = readCsvParameters(request.headers);
  const rows = await parseRows(decodeCsvText(body));
  const [first] = rows;
  if (!first) throw noLines();
  const hasNames = (contract: ModelContract) =>
    header === undefined ? Array.isArray(first) && holdsNames(first, contract) : header === 'present';
  const cellsOf = (row: Row | undefined) => {
    if (row instanceof InferenceError) throw row;
    return (row ?? []).slice(labels);
  };
  return {
    kind: 'features',
    count: (contract) => rows.length - Number(hasNames(contract)),
    decode: (start, end, contract) => {
      const skipped = Number(hasNames(contract));
      const names = skipped ? distinctNames(cellsOf(first), 'line 1') : undefined;
      const cells = rows.slice(start + skipped, end + skipped).map(cellsOf);
      return decodeFrame(
        frameOfCells(names, cells, placeOf(start + skipped, end + skipped)),
        contract,
        limits,
      );
    },
  };
}

type Row = readonly string[] | InferenceError;

async function parseRows(text: string): Promise<readonly Row[]> {
  try {
    return await parseCsv(text);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const lines = text.split(/\r\n|\n|\r/).filter((line) => line !== '');
    return await Promise.all(lines.map(parseSingle));
  }
}

async function parseSingle(line: string, index: number): Promise<Row> {
  try {
    const [cells = []] = await parseCsv(line);
    return cells;
  } catch (error) {
    if (error instanceof InferenceError) return invalid(`Line ${index + 1} has a quote out of place.`);
    throw error;
  }
}

/** Lines are counted from 1, as editors do; empty ones do not count. */
function placeOf(start: number, end: number): string {
  return end - start === 1 ? `line ${start + 1}` : `lines ${start + 1} to ${end}`;
}

function noLines(): InferenceError {
  return new InferenceError('BAD_REQUEST', 'The request body has no lines; expected one instance per line.');
}
