import { type AnswerStyle, answerBytes } from '../../answers/answer.ts';
import { encodeColumns, encodeRows } from '../../answers/predictions.ts';
import { InferenceError } from '../../errors.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import { JsonText, type WritableJson, writeJson } from '../../json/write-json.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { npyBytes, writeNpy } from '../../tensor/npy.ts';
import { writeNpz } from '../../tensor/npz.ts';
import { CSV_TYPE, quoteCell, writeCsvRows } from '../../values/csv.ts';
import { isLinesType } from '../../values/lines.ts';
import { type AnswerType, JSON_TYPE, NPY_TYPE, NPZ_TYPE } from '../headers/answer-type.ts';
import { joinParts, type Part } from './run-lines.ts';

/**
 * The answer to lines: as many lines, in their order, or one list or array of them. A line that could not be run is
 * `{"error": …}` among JSON lines and the one cell `ERROR: …` in CSV; the other types have no place for it.
 *
 * @param wrap makes the JSON of the list
 */
export async function encodeParts(
  parts: readonly Part[],
  type: AnswerType,
  style: AnswerStyle,
  wrap: ListWrapper = (rows) => rows,
): Promise<Response> {
  const { limitBytes } = style;
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(joinParts(parts), type, limitBytes);
  // Text part by part: a batch can have a million rows.
  if (type === CSV_TYPE) {
    return linesResponse(
      writeParts(parts, limitBytes, (part) => csvRows(part, limitBytes).join('\n')),
      type,
      limitBytes,
    );
  }
  const write = (between: string) =>
    writeParts(parts, limitBytes, (part) =>
      jsonRows(part, style)
        .map((row) => writeJson(row, limitBytes))
        .join(between),
    );
  return isLinesType(type)
    ? linesResponse(write('\n'), type, limitBytes)
    : textResponse(writeJson(wrap(new JsonText(`[${write(',').join(',')}]`))), type, limitBytes);
}

/** The text of each part, as long as they are not too long together. */
function writeParts(
  parts: readonly Part[],
  limitBytes: number,
  write: (part: Part) => string,
): readonly string[] {
  let length = 0;
  return parts.map((part) => {
    const text = write(part);
    length += text.length;
    checkAnswerSize(length, limitBytes);
    return text;
  });
}

/** Makes the answer of the list of rows. */
type ListWrapper = (rows: JsonText) => WritableJson;

function jsonRows(part: Part, style: AnswerStyle): readonly WritableJson[] {
  return 'error' in part ? [{ error: part.error.message }] : encodeRows(part.outputs, style);
}

function csvRows(part: Part, limitBytes: number): readonly string[] {
  return 'error' in part
    ? [quoteCell(`ERROR: ${part.error.message}`)]
    : writeCsvRows(part.outputs, part.count, limitBytes);
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
  style: AnswerStyle,
  wrap?: ListWrapper,
): Promise<Response> {
  const { limitBytes } = style;
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(outputs, type, limitBytes);
  const count = countRows(outputs);
  if (count !== undefined) return await encodeParts([{ outputs, count }], type, style, wrap);
  const whole = wrap
    ? wrap(new JsonText(writeJson(encodeRows(outputs, style), limitBytes)))
    : encodeColumns(outputs, style);
  if (isLinesType(type)) return linesResponse([writeJson(whole, limitBytes)], type, limitBytes);
  if (type === JSON_TYPE) return textResponse(writeJson(whole, limitBytes), type, limitBytes);
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

async function encodeArrays(outputs: NamedTensors, type: AnswerType, limitBytes: number): Promise<Response> {
  const bytes = [...outputs.values()].reduce((sum, tensor) => sum + npyBytes(tensor), 0);
  checkAnswerSize(bytes, limitBytes);
  if (type === NPZ_TYPE) return answerBytes(await writeNpz(outputs), type, limitBytes);
  const [only, ...others] = outputs.values();
  if (only && others.length === 0) return answerBytes(writeNpy(only), type, limitBytes);
  const names = [...outputs.keys()].map((name) => `"${name}"`).join(', ');
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The model has the outputs ${names}, which one array (${NPY_TYPE}) cannot hold; ask for ${NPZ_TYPE} or ${JSON_TYPE}.`,
  );
}

/** Every line ends with a line break, the last one too: the answers of a batch are joined as they are. */
export function linesResponse(lines: readonly string[], type: string, limitBytes: number): Response {
  return textResponse(lines.map((line) => `${line}\n`).join(''), type, limitBytes);
}

function textResponse(text: string, type: string, limitBytes: number): Response {
  return answerBytes(Buffer.from(text), type, limitBytes);
}
