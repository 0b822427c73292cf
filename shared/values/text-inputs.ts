import { invalid } from '../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { TextInput } from './contract.ts';
import type { FieldValue, TextValue } from './input.ts';
import type { NamedInputs } from './named-inputs.ts';
import { decodeTextValue, findPair, isTextValue } from './text-value.ts';

/**
 * Texts as one input: of shape [N], pairs of texts of shape [N,2]. The core runs the preprocessing of the model on them.
 *
 * @param field where they stand in the request, for errors
 * @throws InferenceError for texts and pairs in one request
 */
export function textsOf(texts: readonly TextValue[], { name }: TextInput, field: string): NamedInputs {
  const isPair = typeof texts[0] !== 'string';
  if (texts.some((text) => (typeof text !== 'string') !== isPair)) {
    throw invalid(`Field "${field}"`, 'has texts and pairs of texts; expected one or the other.');
  }
  const elements = texts.flatMap((text) => (typeof text === 'string' ? [text] : [text.text, text.pair]));
  return new Map([
    [name, { datatype: 'BYTES', shape: isPair ? [texts.length, 2] : [texts.length], elements }],
  ]);
}

/** Whether an instance is one of texts to a model. If the graph takes texts themselves, a list is a tensor instead. */
export function isTextInstance(value: JsonValue | undefined, { isPrepared }: TextInput): boolean {
  return isTextValue(value) && (isPrepared || !Array.isArray(value));
}

/** @throws InferenceError naming the instance that is not a text */
export function decodeTextRows(
  rows: readonly JsonValue[],
  textInput: TextInput,
  field: string,
  where: (index: number) => string = (index) => `${field}[${index}]`,
): NamedInputs {
  const texts = rows.map((row, index) => decodeTextValue(row, textInput, where(index)));
  return textsOf(texts, textInput, field);
}

/**
 * The texts that stand in whole inputs: the value itself, a list, or a list under one name; two lists under the names of a
 * pair belong together, one by one.
 *
 * @returns undefined if they are not texts
 * @throws InferenceError for two lists that are not equally long
 */
export function listTexts(
  value: JsonValue | undefined,
  field: string,
  textInput: TextInput,
): FieldValue<readonly JsonValue[]> | undefined {
  const list = findList(value, field);
  return list && isTextInstance(list.value[0], textInput) ? list : undefined;
}

function findList(value: JsonValue | undefined, field: string): FieldValue<readonly JsonValue[]> | undefined {
  if (Array.isArray(value)) return { value, field };
  if (!isJsonObject(value)) return value === undefined ? undefined : { value: [value], field };
  const [name = '', ...others] = Object.keys(value);
  const only = value[name];
  if (others.length === 0 && Array.isArray(only)) return { value: only, field: `${field}.${name}` };
  const pair = others.length === 1 ? findPair([name, ...others]) : undefined;
  return { value: (pair && zip(value, pair, field)) ?? [value], field };
}

/** Two lists as one of pairs; undefined if they are not both lists. */
function zip(
  value: JsonObject,
  [first, second]: readonly [string, string],
  field: string,
): readonly JsonValue[] | undefined {
  const [texts, others] = [value[first], value[second]];
  if (!Array.isArray(texts) || !Array.isArray(others)) return undefined;
  if (texts.length === others.length) return texts.map((text, index) => [text, others[index] ?? null]);
  throw invalid(
    `Field "${field}.${second}"`,
    `is ${describeJson(others)}; "${first}" has ${texts.length} texts.`,
  );
}
