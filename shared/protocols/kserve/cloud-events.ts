import { randomUUID } from 'node:crypto';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { BytesRequest, BytesResponse } from '../../http/bytes.ts';
import { mediaTypeOf } from '../../http/media-type.ts';
import { readBody } from '../../http/read-body.ts';
import { describeJson, isJsonObject, type JsonObject, parseExactJson } from '../../json/parse-json.ts';
import { JsonText, writeJson } from '../../json/write-json.ts';

const STRUCTURED_TYPE = 'application/cloudevents+json';
const RESPONSE_TYPE = 'io.kserve.inference.response';
const RESPONSE_SOURCE = 'io.kserve.inference.ternion';

/**
 * Answers a CloudEvent with one: an event in the body (structured mode) or one in `ce-` headers (binary mode). Other
 * requests, and failures, pass as they are.
 * Source: CloudEvents 1.0, HTTP protocol binding; KServe's Python server.
 *
 * @param respond answers the payload of the event
 * @throws InferenceError when a structured event holds no payload
 */
export async function answerCloudEvent(
  request: Request,
  limits: Limits,
  respond: (request: Request) => Promise<Response>,
): Promise<Response> {
  if (mediaTypeOf(request.headers) === STRUCTURED_TYPE)
    return await answerStructured(request, limits, respond);
  if (!request.headers.has('ce-specversion')) return await respond(request);
  const response = await respond(request);
  const { specversion, id, source, type } = createAttributes();
  const attributes = { 'ce-specversion': specversion, 'ce-id': id, 'ce-source': source, 'ce-type': type };
  const headers = { ...Object.fromEntries(response.headers), ...attributes };
  return new BytesResponse(await response.bytes(), { status: response.status, headers });
}

async function answerStructured(
  request: Request,
  limits: Limits,
  respond: (request: Request) => Promise<Response>,
): Promise<Response> {
  const event = parseExactJson(await readBody(request, limits.bodyBytes), limits.jsonDepth);
  if (!isJsonObject(event)) throw invalid(`The request is ${describeJson(event)}; expected a CloudEvent.`);
  const { body, type } = readPayload(event);
  const headers = new Headers(request.headers);
  headers.delete('content-encoding');
  headers.set('content-type', type);
  const response = await respond(new BytesRequest(request.url, { method: request.method, headers }, body));
  const data = new JsonText(Buffer.from(await response.bytes()).toString());
  const answer = writeJson({ ...createAttributes(), datacontenttype: 'application/json', data });
  return new BytesResponse(Buffer.from(answer), {
    status: response.status,
    headers: { ...Object.fromEntries(response.headers), 'content-type': STRUCTURED_TYPE },
  });
}

function readPayload(event: JsonObject): { body: Uint8Array; type: string } {
  const type = typeof event.datacontenttype === 'string' ? event.datacontenttype : 'application/json';
  if (typeof event.data_base64 === 'string') {
    return { body: decodeBase64(event.data_base64, 'data_base64'), type };
  }
  if (event.data === undefined || event.data === null) {
    throw invalid('Field "data" is missing; expected the inference request in it.');
  }
  return { body: Buffer.from(typeof event.data === 'string' ? event.data : writeJson(event.data)), type };
}

function createAttributes() {
  return { specversion: '1.0', id: randomUUID(), source: RESPONSE_SOURCE, type: RESPONSE_TYPE };
}
