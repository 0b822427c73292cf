import { InferenceError } from '../../errors.ts';
import { chooseMediaType } from '../../http/accept.ts';
import { BytesResponse } from '../../http/bytes.ts';
import { JsonText, type WritableJson, writeJson } from '../../json/write-json.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { writeNpy } from '../../tensor/npy.ts';
import { writeNpz } from '../../tensor/npz.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { CSV_TYPE, quoteCell, writeCsvRows } from '../codecs/csv.ts';
import { isLinesType, LINES_TYPES } from '../codecs/lines.ts';
import { encodeColumns, encodeRows } from '../codecs/predictions.ts';
import { joinParts, type Part } from './run-lines.ts';

export const JSON_TYPE = 'application/json';
export const NPY_TYPE = 'application/x-npy';
export const NPZ_TYPE = 'application/x-npz';

/** The types an answer can have, the usual one first. */
const ANSWER_TYPES = [JSON_TYPE, ...LINES_TYPES, CSV_TYPE, NPY_TYPE, NPZ_TYPE] as const;
export type AnswerType = (typeof ANSWER_TYPES)[number];

/** @throws InferenceError NOT_ACCEPTABLE when the request takes none of the types an answer can have */
export function chooseAnswerType(headers: Headers): AnswerType {
  const accept = headers.get('accept');
  const type = chooseMediaType(accept, ANSWER_TYPES);
  if (type !== undefined) return type;
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The request accepts only ${JSON.stringify((accept ?? '').slice(0, 100))}; an answer can be ${ANSWER_TYPES.join(', ')}.`,
  );
}

/** Whether an answer of this type has one line per instance, so that a line can hold its own error. */
export function hasLines(type: AnswerType): boolean {
  return type === CSV_TYPE || isLinesType(type);
}

/**
 * The answer to lines: as many lines, in their order, or one list or array of them. A line that could not be run is
 * `{"error": …}` among JSON lines and the one cell `ERROR: …` in CSV; the other types have no place for it.
 *
 * @param wrap makes the JSON of the list
 */
export async function encodeParts(
  parts: readonly Part[],
  type: AnswerType,
  style: ElementStyle,
  wrap: ListWrapper = (rows) => rows,
): Promise<Response> {
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(joinParts(parts), type);
  // Text part by part: a batch can have millions of rows.
  if (type === CSV_TYPE)
    return linesResponse(
      parts.map((part) => csvRows(part).join('\n')),
      type,
    );
  const write = (between: string) => parts.map((part) => jsonRows(part, style).map(writeJson).join(between));
  return isLinesType(type)
    ? linesResponse(write('\n'), type)
    : textResponse(writeJson(wrap(new JsonText(`[${write(',').join(',')}]`))), type);
}

/** Makes the answer of the list of rows. */
type ListWrapper = (rows: JsonText) => WritableJson;

function jsonRows(part: Part, style: ElementStyle): readonly WritableJson[] {
  return 'error' in part ? [{ error: part.error.message }] : encodeRows(part.outputs, style);
}

function csvRows(part: Part): readonly string[] {
  return 'error' in part
    ? [quoteCell(`ERROR: ${part.error.message}`)]
    : writeCsvRows(part.outputs, part.count);
}

/**
 * The outputs of a run on whole arrays: as a list without anything around it where they have one row per instance,
 * several of them as objects by name.
 *
 * @param wrap makes the JSON of the list, where there must be one
 */
export async function encodeOutputs(
  outputs: NamedTensors,
  type: AnswerType,
  style: ElementStyle,
  wrap?: ListWrapper,
): Promise<Response> {
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(outputs, type);
  const count = countRows(outputs);
  if (count !== undefined) return await encodeParts([{ outputs, count }], type, style, wrap);
  const whole = wrap
    ? wrap(new JsonText(writeJson(encodeRows(outputs, style))))
    : encodeColumns(outputs, style);
  if (isLinesType(type)) return linesResponse([writeJson(whole)], type);
  if (type === JSON_TYPE) return textResponse(writeJson(whole), type);
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The outputs of this model have no rows, which ${type} needs; ask for ${JSON_TYPE} or ${NPZ_TYPE}.`,
  );
}

/** How many instances the outputs tell apart; undefined where they do not. */
function countRows(outputs: NamedTensors): number | undefined {
  const [first] = outputs.values();
  const count = first?.shape[0];
  return [...outputs.values()].every(({ shape }) => shape[0] === count) ? count : undefined;
}

async function encodeArrays(outputs: NamedTensors, type: AnswerType): Promise<Response> {
  if (type === NPZ_TYPE) return bytesResponse(await writeNpz(outputs), type);
  const [only, ...others] = outputs.values();
  if (only && others.length === 0) return bytesResponse(writeNpy(only), type);
  const names = [...outputs.keys()].map((name) => `"${name}"`).join(', ');
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The model has the outputs ${names}, which one array (${NPY_TYPE}) cannot hold; ask for ${NPZ_TYPE} or ${JSON_TYPE}.`,
  );
}

/** Every line ends with a line break, the last one too: the answers of a batch are joined as they are. */
export function linesResponse(lines: readonly string[], type: string): Response {
  return textResponse(lines.map((line) => `${line}\n`).join(''), type);
}

function textResponse(text: string, type: string): Response {
  return bytesResponse(Buffer.from(text), type);
}

function bytesResponse(bytes: Uint8Array, type: string): Response {
  return new BytesResponse(bytes, { status: 200, headers: { 'content-type': type } });
}
