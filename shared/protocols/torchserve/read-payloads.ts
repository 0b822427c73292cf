import type { Budget } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { isJsonType } from '../../http/media-type.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { sniffImageType } from '../../processing/image/sniff.ts';
import type { Located } from '../../values/input.ts';
import { checkInstances } from '../../values/instances.ts';
import { looksLikeJson } from '../body/json-body.ts';
import { checkParts, FORM_TYPE, parseForm } from '../body/media.ts';
import { parseRequestJson } from '../body/request-json.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';

/** What a request brings in one place: JSON, or bytes that are none, such as an image. */
export type Payload = Located<JsonValue | Uint8Array>;

export interface Payloads {
  readonly payloads: readonly Payload[];
  /** Whether the answer is a list with one item for each of them. */
  readonly isBatch: boolean;
  /** Whether they came as `instances`, which are answered with `predictions`. */
  readonly isEnvelope: boolean;
}

const URLENCODED_TYPE = 'application/x-www-form-urlencoded';

/** The names that TorchServe's own handlers look for, in this order. */
const FIELDS = ['data', 'body'] as const;

/**
 * Reads the body of a request: a form, JSON, or anything else as it is, whatever its type says.
 * Source: how TorchServe's frontend makes parameters of a body, and which of them its handlers read.
 *
 * @throws InferenceError
 */
export async function readPayloads(invocation: Invocation): Promise<Reading<Payloads>> {
  const { mediaType, body, request, budget } = invocation;
  const { limits } = budget;
  if (mediaType === FORM_TYPE) {
    const form = await parseForm(request.headers, body, limits);
    return readingOf(await readFields(pickFields(form), budget));
  }
  if (mediaType === URLENCODED_TYPE) {
    const fields = readUrlEncoded(body, limits);
    if (fields.length > 0) return readingOf(await readFields(fields, budget));
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

/** What stands under one of the names that handlers look for, or the value itself. */
function unwrap(value: JsonValue, field: string): Payload {
  const key = isJsonObject(value) ? FIELDS.find((name) => Object.hasOwn(value, name)) : undefined;
  if (key === undefined || !isJsonObject(value)) return { value, field: field || 'body' };
  return { value: value[key] ?? null, field: field ? `${field}.${key}` : key };
}

function single(payload: Payload): Payloads {
  return { payloads: [payload], isBatch: false, isEnvelope: false };
}

type Field = readonly [name: string, part: string | Blob];

/** The fields handlers look for; a form with neither of them stands for the files in it. */
function pickFields(form: FormData): Field[] {
  const fields = [...form];
  const named = FIELDS.map((name) => fields.filter(([key]) => key === name)).find(({ length }) => length > 0);
  const picked = named ?? fields.filter(([, part]) => typeof part !== 'string');
  if (picked.length > 0) return picked;
  const names = [...new Set(form.keys())].slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
  throw invalid('The form', `has no field "data" (its fields: ${names.join(', ') || 'none'}), and no file.`);
}

/** `curl -d` sends everything under this type: only a body with one of the names is taken for a form. */
function readUrlEncoded(body: Uint8Array, limits: Limits): Field[] {
  if (sniffImageType(body) !== undefined || looksLikeJson(body)) return [];
  checkParts(body, '&', limits);
  const pairs = splitPairs(body);
  const name = FIELDS.find((field) => pairs.some(([key]) => key === field));
  if (name === undefined) return [];
  return pairs.flatMap(([key, value]): Field[] =>
    key === name ? [[name, mendBase64(decodeValue(value))]] : [],
  );
}

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

/** The pairs of a form with their values as they were sent. Node's own parser takes seconds for some bodies of 16 MB. */
function splitPairs(body: Uint8Array): [key: string, value: Uint8Array][] {
  const pairs: [string, Uint8Array][] = [];
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(AMPERSAND, start);
    const end = found === -1 ? body.length : found;
    const pair = body.subarray(start, end);
    const equals = pair.indexOf(EQUALS);
    const key = equals === -1 ? pair : pair.subarray(0, equals);
    // The names that are looked for are short, however they are escaped.
    if (key.length <= 3 * LONGEST_FIELD) {
      pairs.push([decodeValue(key), equals === -1 ? new Uint8Array(0) : pair.subarray(equals + 1)]);
    }
    start = end + 1;
  }
  return pairs;
}

const LONGEST_FIELD = Math.max(...FIELDS.map(({ length }) => length));

/** Source: WHATWG URL, application/x-www-form-urlencoded parsing. */
function decodeValue(bytes: Uint8Array): string {
  const decoded = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const escaped = byte === PERCENT ? hexDigit(bytes[i + 1]) * 16 + hexDigit(bytes[i + 2]) : Number.NaN;
    if (Number.isNaN(escaped)) {
      decoded[length++] = byte === PLUS ? SPACE : byte;
    } else {
      decoded[length++] = escaped;
      i += 2;
    }
  }
  return decoded.toString('utf8', 0, length);
}

/** The value of a hexadecimal digit; NaN for any other byte. */
function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** A plus of base64 that its sender did not escape came out as a space. */
function mendBase64(text: string): string {
  if (!text.includes(' ') || !/^[\w+/= -]*$/.test(text)) return text;
  // In memory: there can be millions of them.
  const bytes = Buffer.from(text, 'latin1');
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === SPACE) bytes[i] = PLUS;
  return bytes.toString('latin1');
}

async function readFields(fields: readonly Field[], budget: Budget): Promise<Payloads> {
  checkInstances(fields.length, fields[0]?.[0] ?? '', budget.limits);
  const payloads: Payload[] = [];
  for (const [index, [name, part]] of fields.entries()) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : new Uint8Array(await part.arrayBuffer());
    const field = fields.length === 1 ? name : `${name}[${index}]`;
    if (isJson(bytes))
      payloads.push(unwrap(parseRequestJson(bytes, budget, { what: `Field "${field}"` }), field));
    else payloads.push({ value: typeof part === 'string' ? part : bytes, field });
  }
  return { payloads, isBatch: payloads.length > 1, isEnvelope: false };
}

/** JSON that can be told from text and images by its beginning; a text in quotes as well. */
function isJson(bytes: Uint8Array): boolean {
  return looksLikeJson(bytes) || bytes[0] === 0x22;
}
