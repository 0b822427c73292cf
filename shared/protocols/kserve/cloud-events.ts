import { randomUUID } from 'node:crypto';
import { InferenceError, invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { BytesRequest, BytesResponse } from '../../http/bytes.ts';
import type { Answer } from '../../http/context.ts';
import { HeaderList } from '../../http/header-list.ts';
import { isHeaderValue } from '../../http/header-value.ts';
import { isJsonType } from '../../http/media-type.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { JsonText, writeJson } from '../../json/write-json.ts';
import { holdsImages } from '../body/media.ts';
import { createInvocation, type Dialect, type Invocation } from '../invocation.ts';

const EVENT_TYPES = 'application/cloudevents';
const STRUCTURED_TYPE = 'application/cloudevents+json';
const VERSIONS = ['1.0', '0.3'];
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const;

/**
 * A dialect that takes CloudEvents too, and answers each with one: an event as the body (structured mode) or one whose
 * attributes are `ce-` headers (binary mode). Errors are not wrapped in an event, as in KServe.
 *
 * Two things are KServe's own: headers make an event only when all required ones are there, and an event under plain
 * `application/json` is read, but the answer is not an event. Source: CloudEvents 1.0 with its HTTP binding and JSON
 * format; dataplane.py of KServe.
 */
export function withCloudEvents(dialect: Dialect): Dialect {
  return async (invocation, options) => {
    const { mediaType, request } = invocation;
    if (mediaType === STRUCTURED_TYPE) {
      return await wrapAnswer(await dialect(openEvent(invocation, readEvent(invocation.json())), options));
    }
    if (mediaType.startsWith(EVENT_TYPES)) throw unknownFormat(mediaType);
    if (REQUIRED.every((name) => request.headers.has(`ce-${name}`))) {
      checkVersion('Header "ce-specversion"', request.headers.get('ce-specversion'));
      return await markAnswer(await dialect(invocation, options));
    }
    const event = isJsonType(mediaType) && !holdsImages(invocation) ? invocation.json() : undefined;
    return await dialect(looksLikeEvent(event) ? openEvent(invocation, event) : invocation, options);
  };
}

function unknownFormat(mediaType: string): InferenceError {
  const given = mediaType.startsWith(`${EVENT_TYPES}-batch`)
    ? 'Batches of CloudEvents are'
    : `The event format ${JSON.stringify(mediaType.slice(0, 80))} is`;
  return new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${given} not accepted; send one event as ${STRUCTURED_TYPE}, or with its attributes in headers.`,
  );
}

function checkVersion(field: string, version: JsonValue): void {
  if (typeof version === 'string' && VERSIONS.includes(version)) return;
  throw invalid(field, `is ${describeJson(version)}; expected "1.0".`);
}

/** The members by which KServe recognises an event under another type. */
function looksLikeEvent(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value) && [...REQUIRED, 'time', 'data'].every((key) => Object.hasOwn(value, key));
}

/** @throws InferenceError naming the attribute that is missing */
function readEvent(event: JsonValue): JsonObject {
  if (!isJsonObject(event)) throw invalid('The request', `is ${describeJson(event)}; expected a CloudEvent.`);
  for (const name of REQUIRED) {
    const value = Object.hasOwn(event, name) ? event[name] : undefined;
    if (typeof value !== 'string' || value === '')
      throw invalid(`Field "${name}"`, `is ${describeJson(value)}; expected a text.`);
  }
  checkVersion('Field "specversion"', event.specversion ?? null);
  return event;
}

/** The payload of an event as a separate request. */
function openEvent(invocation: Invocation, event: JsonObject): Invocation {
  const headers = new HeaderList(invocation.request.headers);
  headers.delete('content-encoding');
  headers.set('content-type', readDataType(event));
  const {
    request: { url, method },
    choice,
  } = invocation;
  const open = (body: Uint8Array) => {
    const request = new BytesRequest(url, { method, headers }, body);
    return createInvocation(request, body, invocation, choice);
  };
  if (typeof event.data_base64 === 'string') return open(decodeBase64(event.data_base64, 'data_base64'));
  if (typeof event.data === 'string') return open(Buffer.from(event.data));
  if (event.data === undefined || event.data === null) {
    throw invalid('Field "data"', 'is missing; expected the inference request in it.');
  }
  // The event contains the JSON itself: it need not be written and read again.
  return {
    ...open(new Uint8Array(0)),
    json: () => dataOf(invocation.json()),
    read: (read) => invocation.read((value) => read(dataOf(value))),
  };
}

/** @throws InferenceError for a text that a header cannot have, such as one with line breaks */
function readDataType({ datacontenttype: type }: JsonObject): string {
  if (typeof type !== 'string') return 'application/json';
  if (isHeaderValue(type)) return type;
  throw invalid('Field "datacontenttype"', `is ${describeJson(type)}; expected a media type.`);
}

function dataOf(event: JsonValue): JsonValue {
  return isJsonObject(event) ? (event.data ?? null) : null;
}

async function wrapAnswer(answer: Answer): Promise<Answer> {
  const { response } = answer;
  const data = new JsonText(await response.text());
  const attributes = createAttributes(answer);
  const event = writeJson({ ...attributes, datacontenttype: 'application/json', data });
  const headers = { ...Object.fromEntries(response.headers), 'content-type': STRUCTURED_TYPE };
  return { ...answer, response: new BytesResponse(event, { status: response.status, headers }) };
}

async function markAnswer(answer: Answer): Promise<Answer> {
  const { response } = answer;
  const headers = new HeaderList(response.headers);
  for (const [name, value] of Object.entries(createAttributes(answer))) headers.set(`ce-${name}`, value);
  return {
    ...answer,
    response: new BytesResponse(await response.bytes(), { status: response.status, headers }),
  };
}

/** As KServe fills them in when nothing else is configured. */
function createAttributes({ usage }: Answer) {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: `io.kserve.inference.${usage?.reference.name ?? 'ternion'}`,
    type: 'io.kserve.inference.response',
    time: new Date().toISOString(),
  };
}
