import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { cutOut, pageOf, type StoreEffect, sendBody } from './store-faults.ts';

/** One request, as the log keeps it. */
export interface GcsRequest {
  readonly operation: 'objects.list' | 'objects.get' | 'objects.insert' | 'objects.delete' | 'other';
  readonly bucket: string;
  /** Of an insertion, it is known when its body has arrived. */
  name: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  /** The bytes asked for: `end` is exclusive. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  status: number;
  sentBytes: number;
}

export interface GcsObject {
  readonly content: Buffer;
  readonly generation: string;
  /** Whether it is stored as gzip, and unpacked for clients that do not accept that. */
  readonly isGzip: boolean;
}

export interface GcsBucket {
  readonly name: string;
  readonly objects: Map<string, GcsObject>;
  /** Most objects of one listing page. */
  readonly pageObjects: number;
  /** The last one that was given, of all objects. */
  generation: number;
}

export function parseRequest(message: IncomingMessage): GcsRequest {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const [, upload, bucket, name] =
    /^(\/upload)?\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  const { searchParams: query } = url;
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(message.headers.range ?? '') ?? [];
  const kind = [
    message.method,
    upload ? query.get('uploadType') : query.get('alt'),
    name === undefined ? 'bucket' : 'object',
  ].join(' ');
  const [, token] = /^Bearer (\S+)$/.exec(message.headers.authorization ?? '') ?? [];
  return {
    operation: (bucket !== undefined && OPERATIONS[kind]) || 'other',
    bucket: decodeURIComponent(bucket ?? ''),
    name: decodeURIComponent(name ?? ''),
    query,
    token,
    range: first && last ? { start: Number(first), end: Number(last) + 1 } : undefined,
    status: 0,
    sentBytes: 0,
  };
}

const OPERATIONS: Readonly<Record<string, GcsRequest['operation']>> = {
  'GET  bucket': 'objects.list',
  'GET media object': 'objects.get',
  'POST multipart bucket': 'objects.insert',
  'DELETE  object': 'objects.delete',
};

export function sendListing(
  { objects, pageObjects }: GcsBucket,
  { query }: GcsRequest,
  response: ServerResponse,
): void {
  const after = Buffer.from(query.get('pageToken') ?? '', 'base64url').toString();
  const { page, more } = pageOf(objects.keys(), {
    prefix: query.get('prefix') ?? '',
    after,
    most: pageObjects,
  });
  const items = page.flatMap((name) => {
    const { content, generation } = objects.get(name) ?? {};
    return content ? [{ name, size: String(content.length), generation }] : [];
  });
  sendJson(response, 200, {
    kind: 'storage#objects',
    ...(more && { nextPageToken: Buffer.from(page.at(-1) ?? '').toString('base64url') }),
    // An empty listing has none.
    ...(items.length > 0 && { items }),
  });
}

export async function sendObject(
  { name: bucket, objects }: GcsBucket,
  request: GcsRequest,
  message: IncomingMessage,
  response: ServerResponse,
  effect: StoreEffect | undefined,
): Promise<void> {
  const object = objects.get(request.name);
  if (!object) return sendText(response, 404, `No such object: ${bucket}/${request.name}`);
  const { content, generation, isGzip } = object;
  const refusal = findMismatch(object, request.query);
  if (refusal !== undefined) {
    if (refusal !== 304)
      return sendText(response, refusal, 'At least one of the pre-conditions did not hold.');
    response.writeHead(304, { 'x-goog-generation': generation }).end();
    return;
  }
  if (isGzip && !message.headers['accept-encoding']?.includes('gzip')) {
    response.writeHead(200, { 'x-goog-generation': generation }).end(gunzipSync(content));
    return;
  }
  const { start, end } = request.range ?? { start: 0, end: content.length };
  if (request.range && start >= content.length)
    return sendText(response, 416, 'The requested range cannot be satisfied.');
  const body = cutOut(content, start, end, effect);
  const range = `bytes ${start}-${start + body.length - 1}/${content.length}`;
  response.writeHead(request.range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': body.length,
    'x-goog-generation': generation,
    ...(request.range && { 'content-range': range }),
    ...(isGzip && { 'content-encoding': 'gzip' }),
  });
  request.status = response.statusCode;
  await sendBody(response, body, effect, request);
}

/** Keeps an object whose MD5 is right, if the one that it replaces is the one in its condition. */
export async function takeObject(
  bucket: GcsBucket,
  request: GcsRequest,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts = partsOf(await buffer(message), message.headers['content-type'] ?? '');
  const [metadata, content] = parts;
  if (!metadata || !content || parts.length !== 2)
    return sendError(response, 400, 'the body does not have two parts');
  const { name, md5Hash } = JSON.parse(metadata.toString());
  if (typeof name !== 'string') return sendError(response, 400, 'Required');
  request.name = name;
  const md5 = createHash('md5').update(content).digest('base64');
  if (md5Hash !== undefined && md5Hash !== md5) {
    const message = `Provided MD5 hash "${md5Hash}" doesn't match calculated MD5 hash "${md5}".`;
    return sendError(response, 400, message);
  }
  // Checked when all bytes have arrived: of two writers at once, one is first.
  const refusal = findMismatch(bucket.objects.get(name), request.query);
  if (refusal !== undefined) return sendError(response, refusal, 'conditionNotMet');
  const object = keepObject(bucket, name, content);
  sendJson(response, 200, { generation: object.generation });
}

export function keepObject(
  bucket: GcsBucket,
  name: string,
  content: string | Uint8Array,
  isGzip = false,
): GcsObject {
  bucket.generation += 1;
  const object = { content: Buffer.from(content), generation: String(bucket.generation), isGzip };
  bucket.objects.set(name, object);
  return object;
}

export function removeObject(
  { name: bucket, objects }: GcsBucket,
  { name, query }: GcsRequest,
  response: ServerResponse,
): void {
  const object = objects.get(name);
  const refusal = findMismatch(object, query);
  if (!object) {
    sendError(response, 404, `No such object: ${bucket}/${name}`);
  } else if (refusal !== undefined) {
    sendError(response, refusal, 'conditionNotMet');
  } else {
    objects.delete(name);
    response.writeHead(204).end();
  }
}

/** The status of an answer whose conditions do not hold. An object that is not there has the generation 0. */
function findMismatch(object: GcsObject | undefined, query: URLSearchParams): number | undefined {
  const generation = object?.generation ?? '0';
  const [match, notMatch] = [query.get('ifGenerationMatch'), query.get('ifGenerationNotMatch')];
  if (match !== null && match !== generation) return 412;
  return notMatch === generation ? 304 : undefined;
}

/** The contents of the parts of a body. Source: RFC 2046, 5.1.1. */
function partsOf(body: Buffer, type: string): readonly Buffer[] {
  const [, boundary] = /^multipart\/related; boundary=(\S+)$/.exec(type) ?? [];
  if (boundary === undefined) return [];
  const text = body.toString('latin1');
  const [before, ...parts] = `\r\n${text}`.split(`\r\n--${boundary}`);
  if (before !== '' || parts.pop() !== '--\r\n') return [];
  return parts.map((part) => Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4), 'latin1'));
}

export function sendError(response: ServerResponse, status: number, message: string): void {
  const errors = [{ message, domain: 'global', reason: 'test' }];
  sendJson(response, status, { error: { code: status, message, errors } });
}

/** Where a content is asked for, errors are texts. */
export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=UTF-8' }).end(text);
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': body.length,
  });
  response.end(body);
}
