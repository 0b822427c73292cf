import { invalid } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import type { TextInput } from './contract.ts';
import { isBase64Object, isOfImage, SIDE_KEYS } from './image-value.ts';
import type { TextValue } from './input.ts';
import { decodeUtf8 } from './nested-values.ts';

/** Names under which clients put texts that come with other members or columns. */
const TEXT_NAMES: readonly string[] = [
  'text',
  'texts',
  'inputs',
  'input',
  'content',
  'instance',
  'data',
  'sentence',
];

/**
 * Names of two texts that are read together: those of transformers, and of the data that models of pairs are trained on.
 * Source: `text_pair` of transformers' tokenizers; the data sets of GLUE and MS MARCO.
 */
const PAIR_NAMES: readonly (readonly [string, string])[] = [
  ['text', 'text_pair'],
  ['premise', 'hypothesis'],
  ['sentence1', 'sentence2'],
  ['question1', 'question2'],
  ['question', 'sentence'],
  ['query', 'passage'],
  ['query', 'document'],
  ['query', 'text'],
];

/** The forms of a text in a request, in words. */
function describeTexts({ takesPairs }: TextInput): string {
  return takesPairs ? 'a text, or a pair as {"text": "…", "text_pair": "…"}' : 'a text';
}

/**
 * Whether a value is one text, or two that belong together: a string, bytes in base64 as `{"b64": …}`, either of them in a
 * list or as the only member of an object, a list of two, or an object with two members that are named like a pair.
 */
export function isTextValue(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return (value.length === 1 || value.length === 2) && value.every(isPlain);
  if (isPlain(value)) return true;
  if (!isJsonObject(value)) return false;
  const names = namesIn(value);
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return isSingle(value[only]);
  const pair = names.length === 2 ? findPair(names) : undefined;
  return pair?.every((name) => isSingle(value[name])) ?? false;
}

/** Whether a value looks like a text or a list of texts, and not like images. */
export function holdsTexts(value: JsonValue | undefined): boolean {
  const first = Array.isArray(value) ? value[0] : value;
  return isTextValue(first) && !isOfImage(first);
}

/** @throws InferenceError if the value is not a text, or is a pair and the model takes no pairs */
export function decodeTextValue(
  value: JsonValue | undefined,
  textInput: TextInput,
  field: string,
): TextValue {
  if (!isTextValue(value)) {
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected ${describeTexts(textInput)}.`);
  }
  const [first, second] = placesOf(value, field);
  const text = readPlain(first, field);
  if (second === undefined) return text;
  if (!textInput.takesPairs) throw noPairs(field);
  return { text, pair: readPlain(second, field) };
}

/** The error for two texts that a model does not read together. */
export function noPairs(field: string) {
  return invalid(`Field "${field}"`, 'is a pair of texts; this model takes one text at a time.');
}

type Place = readonly [JsonValue | undefined, string];

/** The text of a value, or both of its texts, each with its place. */
function placesOf(value: JsonValue | undefined, field: string): readonly Place[] {
  if (Array.isArray(value)) {
    return value.map((item, index): Place => [item, value.length === 1 ? field : `${field}[${index}]`]);
  }
  if (isPlain(value) || !isJsonObject(value)) return [[value, field]];
  const names = namesIn(value);
  return (findPair(names) ?? names).map((name) => [value[name], `${field}.${name}`]);
}

function namesIn(value: JsonObject): string[] {
  return Object.keys(value).filter((key) => !SIDE_KEYS.includes(key));
}

/** The names of a pair that has both members. */
export function findPair(names: readonly string[]): readonly [string, string] | undefined {
  return PAIR_NAMES.find((pair) => pair.every((name) => names.includes(name)));
}

/** The first of several names that means a text. */
export function findTextName(names: readonly string[]): string | undefined {
  return TEXT_NAMES.find((name) => names.includes(name));
}

/** Whether names are the usual ones of a text, or of two texts that belong together. */
export function areTextNames(keys: readonly string[]): boolean {
  const names = keys.filter((key) => !SIDE_KEYS.includes(key));
  const [only, ...others] = names;
  return others.length === 0
    ? TEXT_NAMES.includes(only ?? '')
    : names.length === 2 && findPair(names) !== undefined;
}

function isPlain(value: JsonValue | undefined): boolean {
  return typeof value === 'string' || isBase64Object(value);
}

/** Clients of TensorFlow put each value into a list. */
function isSingle(value: JsonValue | undefined): boolean {
  return isPlain(value) || (Array.isArray(value) && value.length === 1 && isPlain(value[0]));
}

function readPlain([value, field]: Place | undefined = [undefined, ''], where: string): string {
  const plain = Array.isArray(value) ? value[0] : value;
  if (typeof plain === 'string') return plain;
  if (isBase64Object(plain)) return decodeUtf8(decodeBase64(plain.b64, field), field);
  throw invalid(`Field "${where}"`, `is ${describeJson(plain)}; expected a text.`);
}
