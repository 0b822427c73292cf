import { isUtf8 } from 'node:buffer';
import type { Budget } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { FORM_TYPE, isJsonType } from '../../http/media-type.ts';
import type { FormField } from '../../http/multipart.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { measureNesting } from '../../json/nesting.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { appendPath } from '../../tensor/nested.ts';
import { describeInputs, type ModelContract, type TextInput } from '../../values/contract.ts';
import { decodeImageValue, findImage, isBase64Object } from '../../values/image-value.ts';
import type { FieldValue, InputKind, TextValue } from '../../values/input.ts';
import {
  checkInstances,
  decodeColumns,
  decodeRows,
  kindOfValues,
  takesJson,
} from '../../values/instances.ts';
import type { NamedInputs } from '../../values/named-inputs.ts';
import { parseTensorValues } from '../../values/nested-values.ts';
import { decodeTextValue } from '../../values/text-value.ts';
import { looksLikeJson } from '../body/json-body.ts';
import { nameFields, parseForm } from '../body/media.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import { readUrlEncoded, URLENCODED_TYPE } from './url-encoded.ts';

/** The content of one place in a request: JSON, or bytes that are not JSON, such as an image. */
type Payload = FieldValue<JsonValue | Uint8Array>;

export interface Payloads {
  readonly payloads: readonly Payload[];
  /** Whether the answer is a list with one item for each of them. */
  readonly isBatch: boolean;
  /** Whether they came as `instances`, which are answered with `predictions`. */
  readonly isEnvelope: boolean;
}

/** The names that TorchServe's own handlers look for, in this order. */
const FIELDS = ['data', 'body'] as const;

/**
 * Reads the body of a request: a form, JSON, or anything else unchanged; its type does not matter. Source: how
 * TorchServe's frontend turns a body into parameters, and which of them its handlers read.
 *
 * @throws InferenceError
 */
export async function readPayloads(invocation: Invocation): Promise<Reading<Payloads>> {
  const { mediaType, body, request, budget } = invocation;
  const { limits } = budget;
  if (mediaType === FORM_TYPE) {
    return readingOf(readFields(pickFields(await parseForm(request, body, limits)), budget));
  }
  if (mediaType === URLENCODED_TYPE) {
    const fields = readUrlEncoded(body, FIELDS, limits);
    if (fields.length > 0) return readingOf(readFields(fields, budget));
  }
  if (!isJson(body) && !isJsonType(mediaType)) return readingOf(single({ value: body, field: 'body' }));
  return invocation.read((json) => unwrapBody(json, limits));
}

/** An envelope of KServe's first protocol, or the value itself. */
function unwrapBody(json: JsonValue, limits: Limits): Payloads {
  if (!isJsonObject(json) || !Array.isArray(json.instances)) return single(unwrap(json, ''));
  const { instances } = json;
  if (instances.length === 0)
    throw invalid('Field "instances"', 'is empty; expected an array of at least one instance.');
  checkInstances(instances.length, 'instances', limits);
  const payloads = instances.map((instance, index) => unwrap(instance, `instances[${index}]`));
  return { payloads, isBatch: true, isEnvelope: true };
}

/** The value under one of the names that handlers look for, or the value itself. */
function unwrap(value: JsonValue, field: string): Payload {
  const key = isJsonObject(value) ? FIELDS.find((name) => Object.hasOwn(value, name)) : undefined;
  if (key === undefined || !isJsonObject(value)) return { value, field: field || 'body' };
  return { value: value[key] ?? null, field: field ? `${field}.${key}` : key };
}

function single(payload: Payload): Payloads {
  return { payloads: [payload], isBatch: false, isEnvelope: false };
}

/** The fields that handlers look for; a form without them stands for the files in it. */
function pickFields(form: readonly FormField[]): readonly FormField[] {
  const named = FIELDS.map((field) => form.filter(({ name }) => name === field)).find(
    ({ length }) => length > 0,
  );
  const picked = named ?? form.filter(({ value }) => typeof value !== 'string');
  if (picked.length > 0) return picked;
  throw invalid('The form', `has no field "data" (its fields: ${nameFields(form)}), and no file.`);
}

function readFields(fields: readonly FormField[], budget: Budget): Payloads {
  checkInstances(fields.length, fields[0]?.name ?? '', budget.limits);
  const payloads = fields.map(({ name, value }, index): Payload => {
    const field = fields.length === 1 ? name : `${name}[${index}]`;
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    if (!isJson(bytes)) return { value, field };
    return unwrap(parseRequestJson(bytes, budget, { what: `Field "${field}"`, isPart: true }), field);
  });
  return { payloads, isBatch: payloads.length > 1, isEnvelope: false };
}

/** JSON that can be distinguished from text and images by its beginning; also a text in quotes. */
function isJson(bytes: Uint8Array): boolean {
  return looksLikeJson(bytes) || bytes[0] === 0x22;
}

export interface DecodedValues {
  readonly inputs: NamedInputs;
  /** Whether each payload is one instance; otherwise the only one brings all of them. */
  readonly areInstances: boolean;
}

/**
 * Tensors of numbers or texts. A single list that has as many levels as the input has axes is used unchanged; lists
 * with one level fewer are instances, which are stacked, as TorchServe's handlers stack the requests of a batch.
 *
 * @throws InferenceError naming the item, what came and what is expected
 */
export function decodeValues(
  { payloads, isBatch }: Payloads,
  contract: ModelContract,
  limits: Limits,
): DecodedValues {
  const located = payloads.map((payload) => ({ ...payload, value: toJson(payload, contract) }));
  const [first, ...others] = located;
  const [spec, ...more] = contract.inputs;
  if (!first || !spec) throw invalid('This model takes no inputs.');
  const isOne = others.length === 0 && !isBatch;
  const values = located.map(({ value }) => value);
  if (takesJson(contract)) {
    const isList = isOne && Array.isArray(first.value);
    const instances = isList && Array.isArray(first.value) ? first.value : values;
    return { inputs: decodeRows(instances, first.field, contract, limits), areInstances: !isList };
  }
  if (isOne && isNamed(first.value)) {
    return { inputs: decodeColumns(first.value, first.field, contract, limits), areInstances: false };
  }
  if (more.length > 0 || isNamed(first.value)) {
    const field = first.field.replace(/\[\d+\].*$/, '');
    return { inputs: decodeRows(values, field, contract, limits), areInstances: true };
  }
  if (isOne && isWhole(first.value, spec)) {
    const tensor = parseTensorValues(first.value, spec, first.field, limits);
    return { inputs: new Map([[spec.name, tensor]]), areInstances: false };
  }
  const locate = ([index = 0, ...rest]: readonly number[]) =>
    appendPath(located[index]?.field ?? first.field, rest);
  const tensor = parseTensorValues(values, spec, first.field, limits, locate);
  return { inputs: new Map([[spec.name, tensor]]), areInstances: true };
}

/** Bytes that are not JSON can only be text. */
function toJson({ value, field }: Payload, contract: ModelContract): JsonValue {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    throw invalid(
      `Field "${field}"`,
      `is neither JSON nor text; this model takes the inputs ${describeInputs(contract)}.`,
    );
  }
}

function isNamed(value: JsonValue): boolean {
  return isJsonObject(value) && !isBase64Object(value);
}

/** A flat list for a column of width 1 has all its rows, although it has one level fewer. */
function isWhole(value: JsonValue, { shape, isRankDynamic }: TensorSpec): boolean {
  const rank = measureNesting(value).shape.length;
  return isRankDynamic === true || rank >= shape.length || (rank === shape.length - 1 && shape.at(-1) === 1);
}

/** The kind of model that a request without a model's name needs. */
export function kindOf({ payloads: [first] }: Payloads): InputKind {
  return first?.value instanceof Uint8Array ? 'image' : kindOfValues(first?.value);
}

/** The images a payload holds: itself or a list of them; undefined for lists of numbers, which are pixels. */
function readImages({ value, field }: Payload, inputName: string): readonly Payload[] | undefined {
  if (!Array.isArray(value)) return [{ value, field }];
  if (findImage(value[0], inputName) === undefined) return undefined;
  return value.map((item, index) => ({ value: item, field: `${field}[${index}]` }));
}

/** Whether a request has numbers and the model takes images. */
export function holdsPixels({ payloads: [first] }: Payloads, inputName: string): boolean {
  return first !== undefined && readImages(first, inputName) === undefined;
}

/** @throws InferenceError naming the item, what came and what is expected */
export function decodeImages(
  payloads: readonly Payload[],
  inputName: string,
  limits: Limits,
): readonly FieldValue<Uint8Array>[] {
  checkInstances(countItems(payloads), payloads[0]?.field ?? 'data', limits);
  return payloads
    .flatMap((payload) => readImages(payload, inputName) ?? [payload])
    .map(({ value, field }) => {
      const isFile = value instanceof Uint8Array;
      return { value: isFile ? value : decodeImageValue(value, inputName, field), field };
    });
}

/** @throws InferenceError naming the item, what came and what is expected */
export function decodeTexts(
  payloads: readonly Payload[],
  textInput: TextInput,
  limits: Limits,
): readonly FieldValue<TextValue>[] {
  const field = payloads[0]?.field ?? 'data';
  checkInstances(countItems(payloads), field, limits);
  const texts = payloads.flatMap(({ value, field }) =>
    Array.isArray(value)
      ? value.map((item, index) => readText(item, textInput, `${field}[${index}]`))
      : [readText(value, textInput, field)],
  );
  if (texts.length === 0) throw invalid(`Field "${field}"`, 'is empty; expected at least one text.');
  return texts;
}

/** How many items payloads hold. They are counted before a place in the request is made for each. */
function countItems(payloads: readonly Payload[]): number {
  return payloads.reduce((count, { value }) => count + (Array.isArray(value) ? value.length : 1), 0);
}

function readText(value: Payload['value'], textInput: TextInput, field: string): FieldValue<TextValue> {
  if (value instanceof Uint8Array) {
    if (!isUtf8(value)) throw invalid(`Field "${field}"`, 'is bytes that are not UTF-8; expected a text.');
    return { value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(), field };
  }
  return { value: decodeTextValue(value, textInput, field), field };
}

/**
 * A payload is one row, or a list of them.
 *
 * @throws InferenceError for bytes, and for too many rows
 */
export function readRows({ value, field }: Payload, limits: Limits): FieldValue<JsonValue>[] {
  if (value instanceof Uint8Array) {
    throw invalid(`Field "${field}"`, 'is not JSON; this model takes features, as {"data": [...]}.');
  }
  if (!Array.isArray(value) || !(Array.isArray(value[0]) || isJsonObject(value[0])))
    return [{ value, field }];
  checkInstances(value.length, field, limits);
  return value.map((row, index) => ({ value: row, field: `${field}[${index}]` }));
}
