import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../../values/instances.ts';
import { decodeTable, tableOfSplit } from '../../values/table.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson, unsupportedBody } from '../body/json-body.ts';
import { holdsImages, readImagePayload } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import { scoreRequest } from './schemas.ts';

/** Longest id of a request, in characters, as in Azure ML's server. */
export const LONGEST_ID = 100;

const ID_HEADERS = ['x-request-id', 'x-ms-request-id', 'x-ms-client-request-id'] as const;

/** @throws InferenceError HEADER_TOO_LARGE for an id that is too long */
export function checkIds(headers: Headers): void {
  const tooLong = ID_HEADERS.find((name) => (headers.get(name) ?? '').length > LONGEST_ID);
  if (tooLong === undefined) return;
  const length = headers.get(tooLong)?.length;
  throw new InferenceError(
    'HEADER_TOO_LARGE',
    `Header ${tooLong} has ${length} characters; the limit is ${LONGEST_ID}.`,
  );
}

/**
 * Reads JSON or an image. The answer to a batch has one prediction per instance; other answers have whole outputs.
 *
 * @throws InferenceError saying what came and what is accepted
 */
export async function readPayload(invocation: Invocation, limits: Limits): Promise<Reading<Payload>> {
  if (holdsImages(invocation)) return readingOf(await readImagePayload(invocation, limits));
  if (holdsJson(invocation)) return invocation.read((json) => payloadOf(json, limits));
  throw unsupportedBody(invocation.mediaType, 'application/json and images');
}

function payloadOf(json: JsonValue, limits: Limits): Payload {
  const request = parseEnvelope(scoreRequest(), json);
  const [key, ...others] = DATA_KEYS.filter((name) => request[name] !== undefined);
  if (key === undefined) {
    throw invalid(
      'The request',
      `is ${describeJson(json)}; expected "input_data", "data" or "Inputs", or "inputs" for texts.`,
    );
  }
  if (others.length > 0) {
    throw invalid('The request', `has "${key}" and "${others[0]}"; expected only one of them.`);
  }
  const value = request[key] ?? null;
  return key === 'input_data' && isSplit(value)
    ? payloadOfSplit(value, limits)
    : payloadOfValues(value, key, limits);
}

/** A request has exactly one of these members. On Azure ML, models of Hugging Face take the last one. */
const DATA_KEYS = ['input_data', 'data', 'inputs'] as const;

/** A table in the `split` form of pandas has only these members. */
function isSplit(value: JsonValue): value is JsonObject {
  const parts = ['columns', 'index', 'data'];
  return (
    isJsonObject(value) &&
    Object.hasOwn(value, 'data') &&
    Object.keys(value).every((key) => parts.includes(key))
  );
}

function payloadOfSplit(value: JsonObject, limits: Limits): Payload {
  const table = tableOfSplit(value, 'input_data');
  const [only, ...others] = table.columns;
  return {
    kind: others.length === 0 ? kindOfValues(only?.[0]) : 'features',
    toInputs: (contract) => decodeTable(table, contract, limits),
    layout: 'instances',
  };
}

/** A list contains instances; anything else is whole inputs. */
function payloadOfValues(value: JsonValue, field: string, limits: Limits): Payload {
  const areListed = Array.isArray(value);
  const decode = areListed ? decodeRows : decodeColumns;
  return {
    kind: kindOfValues(value),
    toInputs: (contract) => decode(value, field, contract, limits),
    layout: areListed ? 'instances' : 'whole',
  };
}
