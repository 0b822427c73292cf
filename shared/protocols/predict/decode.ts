import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { CSV_TYPE, FORM_TYPE } from '../../http/media-type.ts';
import type { FormField } from '../../http/multipart.ts';
import {
  describeJson,
  hasOnly,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../../json/json-value.ts';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from '../../processing/image/decode/sniff.ts';
import { isImageText } from '../../values/image-value.ts';
import type { FieldValue, InferenceInput, TextValue } from '../../values/input.ts';
import { checkInstances } from '../../values/instances.ts';
import { holdsJson, isUntyped, TASK_OPTIONS, unsupportedBody } from '../body/json-body.ts';
import { nameFields, parseForm, readText, TEXT_TYPE } from '../body/media.ts';
import { INPUT_KEYS } from '../input-keys.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';

/** Whether a request has one instance, or a batch that is answered as a batch. */
export interface DecodedBody {
  readonly input: InferenceInput;
  readonly isBatch: boolean;
}

/**
 * Reads the body of a predict request: JSON, a form with files, an image or a text itself.
 *
 * @throws InferenceError saying what came and what is accepted
 */
export function decodeBody(
  invocation: Invocation,
  limits: Limits,
): Reading<DecodedBody> | Promise<Reading<DecodedBody>> {
  const { request, mediaType, body } = invocation;
  if (mediaType === FORM_TYPE) {
    return parseForm(request, body, limits).then((form) => readingOf(decodeForm(form, limits)));
  }
  if (holdsJson(invocation)) return invocation.read((json) => decodeJson(json, limits));
  if (mediaType.startsWith('image/') || (isUntyped(mediaType) && sniffImageType(body) !== undefined)) {
    const images = [{ value: body, field: 'body' }];
    return readingOf({ input: { kind: 'image', images }, isBatch: false });
  }
  if (mediaType === TEXT_TYPE) {
    return readingOf({ input: { kind: 'text', texts: [readText(invocation)] }, isBatch: false });
  }
  const types = ['application/json', FORM_TYPE, ...ACCEPTED_IMAGE_TYPES, TEXT_TYPE];
  throw unsupportedBody(mediaType, `${types.join(', ')}; "/invocations" also takes ${CSV_TYPE}`);
}

function decodeForm(form: readonly FormField[], limits: Limits): DecodedBody {
  const parts = form.filter(({ name }) => name === FILE_FIELD);
  if (parts.length === 0) {
    throw invalid(
      'The form',
      `has no field "${FILE_FIELD}" (its fields: ${nameFields(form)}); expected an image file.`,
    );
  }
  checkInstances(parts.length, FILE_FIELD, limits);
  const images = parts.map(({ value }, index) => {
    const field = parts.length === 1 ? FILE_FIELD : `${FILE_FIELD}[${index}]`;
    if (typeof value === 'string') throw invalid(`Field "${field}"`, 'is text; expected an image file.');
    return { value, field };
  });
  return { input: { kind: 'image', images }, isBatch: images.length > 1 };
}

/** Name of the form field that holds an image. */
const FILE_FIELD = 'file';

/** The bodies of a predict request, in words. */
function describeBodies(): string {
  const keys = INPUT_KEYS.map((key) => `"${key}"`).join(', ');
  return `a JSON object with one of ${keys}, a form with the file "${FILE_FIELD}", or an image`;
}

/**
 * Reads the JSON body of a predict request.
 *
 * @throws InferenceError naming the field, what came and what is expected
 */
function decodeJson(body: JsonValue, limits: Limits): DecodedBody {
  if (Array.isArray(body)) {
    const way = areRows(body) ? '{"instances": [...]}' : '{"features": [...]}';
    throw invalid('The JSON body', `is ${describeJson(body)}; expected an object, such as ${way}.`);
  }
  if (!isJsonObject(body))
    throw invalid('The JSON body', `is ${describeJson(body)}; expected ${describeBodies()}.`);
  const given = INPUT_KEYS.filter((key) => Object.hasOwn(body, key));
  const [key] = given;
  if (key === undefined) {
    throw invalid(
      'Field "features"',
      `is missing: the JSON body is ${describeJson(body)}; expected ${describeBodies()}. Values by name are {"features": {...}}.`,
    );
  }
  if (given.length > 1) {
    const names = given.map((name) => `"${name}"`).join(' and ');
    throw invalid('The JSON body', `has ${names}; expected only one of them.`);
  }
  checkOptions(body);
  switch (key) {
    case 'features':
      return { input: { kind: 'features', rows: [decodeFeatures(body[key])] }, isBatch: false };
    case 'image':
      return { input: { kind: 'image', images: [decodeImageField(body[key], key)] }, isBatch: false };
    case 'text':
      return { input: { kind: 'text', texts: [decodeText(body, '')] }, isBatch: false };
    case 'inputs':
      return {
        input: { kind: 'tensors', tensors: { value: body[key] ?? null, field: key } },
        isBatch: false,
      };
    case 'instances':
      return { input: decodeInstances(body[key], limits), isBatch: true };
  }
}

function decodeFeatures(value: JsonValue = null): FieldValue<JsonValue> {
  if (!areRows(value)) return { value, field: 'features' };
  throw invalid(
    'Field "features"',
    `is ${describeJson(value)}, each a row; expected one row. Several rows are {"instances": [...]}.`,
  );
}

function areRows(value: JsonValue): boolean {
  return Array.isArray(value) && (Array.isArray(value[0]) || isJsonObject(value[0]));
}

/**
 * Requests in this form have no options. One that has options is meant for Hugging Face and would get a wrong answer.
 */
function checkOptions(body: JsonObject): void {
  const { parameters } = body;
  const isEmpty = isJsonObject(parameters) && Object.keys(parameters).length === 0;
  const names = isEmpty ? TASK_OPTIONS : [...TASK_OPTIONS, 'parameters'];
  const given = names.find((name) => (body[name] ?? null) !== null);
  if (given === undefined) return;
  throw invalid(
    'The JSON body',
    `has "${given}", which only Hugging Face's form takes: {"inputs": ..., "${given}": ...}.`,
  );
}

/** The first instance decides whether they are images, texts or rows. */
function decodeInstances(instances: JsonValue | undefined, limits: Limits): InferenceInput {
  if (!Array.isArray(instances) || instances.length === 0) {
    const given = Array.isArray(instances) ? 'empty' : describeJson(instances);
    throw invalid('Field "instances"', `is ${given}; expected an array of at least one instance.`);
  }
  checkInstances(instances.length, 'instances', limits);
  if (hasOnly(instances[0], 'image')) {
    return { kind: 'image', images: instances.map((value, index) => decodeImageInstance(value, index)) };
  }
  if (isTextInstance(instances[0])) {
    return { kind: 'text', texts: instances.map((value, index) => decodeTextInstance(value, index)) };
  }
  const rows = instances.map((instance, index): FieldValue<JsonValue> => {
    const field = `instances[${index}]`;
    return hasOnly(instance, 'features')
      ? { value: instance.features ?? null, field: `${field}.features` }
      : { value: instance, field };
  });
  return { kind: 'features', rows };
}

function decodeImageInstance(instance: JsonValue, index: number): FieldValue<Uint8Array> {
  const field = `instances[${index}]`;
  if (hasOnly(instance, 'image')) return decodeImageField(instance.image, `${field}.image`);
  throw invalid(
    `Field "${field}"`,
    `is ${describeJson(instance)}; expected {"image": "<base64>"}, as the first one.`,
  );
}

/** A text, alone or under its name, or a pair of them. An image in base64 is not a text. */
function isTextInstance(instance: JsonValue | undefined): boolean {
  if (typeof instance === 'string') return !isImageText(instance);
  if (!isJsonObject(instance) || !Object.hasOwn(instance, 'text')) return false;
  return Object.keys(instance).every((key) => key === 'text' || key === PAIR_KEY);
}

function decodeTextInstance(instance: JsonValue, index: number): FieldValue<TextValue> {
  const field = `instances[${index}]`;
  if (typeof instance === 'string') return { value: instance, field };
  if (isJsonObject(instance) && isTextInstance(instance)) return decodeText(instance, `${field}.`);
  throw invalid(
    `Field "${field}"`,
    `is ${describeJson(instance)}; expected {"text": "..."}, as the first one.`,
  );
}

/** A text, with a second one if the request has it. */
function decodeText(holder: JsonObject, prefix: string): FieldValue<TextValue> {
  const text = decodeTextField(holder.text, `${prefix}text`);
  if (!Object.hasOwn(holder, PAIR_KEY)) return text;
  const { value: pair } = decodeTextField(holder[PAIR_KEY], `${prefix}${PAIR_KEY}`);
  return { value: { text: text.value, pair }, field: text.field };
}

/** Name of the second text of a pair, as transformers has it. */
const PAIR_KEY = 'text_pair';

function decodeTextField(value: JsonValue | undefined, field: string): FieldValue<string> {
  if (typeof value !== 'string')
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected text.`);
  return { value, field };
}

function decodeImageField(value: JsonValue | undefined, field: string): FieldValue<Uint8Array> {
  if (typeof value !== 'string')
    throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected base64 text.`);
  return { value: decodeBase64(value, field), field };
}
