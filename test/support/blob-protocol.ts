import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { element, sendXml } from './send-xml.ts';
import { cutOut, pageOf, type StoreEffect, sendBody } from './store-faults.ts';

/** One request, as the log keeps it. */
export interface BlobRequest {
  readonly operation: 'List Blobs' | 'Get Blob' | 'Put Blob' | 'Delete Blob' | 'other';
  readonly container: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** The bytes asked for: `end` is exclusive. */
  readonly range: { readonly start: number; readonly end: number } | undefined;
  status: number;
  sentBytes: number;
}

export interface Blob {
  readonly content: Buffer;
  /** As headers have it. */
  readonly etag: string;
}

export interface Container {
  readonly name: string;
  readonly blobs: Map<string, Blob>;
  /** Most names of one page of a listing. */
  readonly pageNames: number;
}

/** @param account the first part of the path, as with an emulator */
export function parseRequest(message: IncomingMessage, account: string): BlobRequest {
  const url = new URL(message.url ?? '/', 'http://localhost');
  const [, first = '', container = '', ...rest] = url.pathname.split('/');
  const key = rest.map(decodeURIComponent).join('/');
  const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(message.headers.range ?? '') ?? [];
  const kind = `${message.method} ${key === '' ? 'container' : 'blob'}`;
  return {
    operation:
      first === account ? (OPERATIONS[kind + (url.searchParams.get('comp') ?? '')] ?? 'other') : 'other',
    container: decodeURIComponent(container),
    key,
    query: url.searchParams,
    headers: message.headers,
    range: from && last ? { start: Number(from), end: Number(last) + 1 } : undefined,
    status: 0,
    sentBytes: 0,
  };
}

const OPERATIONS: Readonly<Record<string, BlobRequest['operation']>> = {
  'GET containerlist': 'List Blobs',
  'GET blob': 'Get Blob',
  'PUT blob': 'Put Blob',
  'DELETE blob': 'Delete Blob',
};

/** The signature that a request should have. Source: "Authorize with Shared Key" of the reference of Azure Storage. */
export function signatureOf({ method, url, headers }: IncomingMessage, account: string, key: string): string {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://localhost');
  const length = headers['content-length'] ?? '';
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-'));
  const names = [...new Set(searchParams.keys())].sort();
  const text = [
    method,
    headers['content-encoding'] ?? '',
    headers['content-language'] ?? '',
    length === '0' ? '' : length,
    headers['content-md5'] ?? '',
    headers['content-type'] ?? '',
    headers.date ?? '',
    headers['if-modified-since'] ?? '',
    headers['if-match'] ?? '',
    headers['if-none-match'] ?? '',
    headers['if-unmodified-since'] ?? '',
    headers.range ?? '',
    ...own.map(([name, value]) => `${name}:${value}`).sort(),
    `/${account}${pathname}`,
    ...names.map((name) => `${name}:${searchParams.getAll(name).sort().join(',')}`),
  ];
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text.join('\n')).digest('base64');
}

/** Pages as Azure sends them: etags have no quotes, and names that XML cannot have are escaped. */
export function sendListing(
  { name, blobs, pageNames }: Container,
  { query }: BlobRequest,
  response: ServerResponse,
): void {
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('marker') ?? '', 'base64url').toString();
  const { page, more } = pageOf(blobs.keys(), { prefix, after, most: pageNames });
  const entries = page.map((key) => {
    const { content, etag } = blobs.get(key) ?? toBlob('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has not got them
    const isOdd = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(key);
    const properties = [
      element('Last-Modified', 'Wed, 01 Jan 2025 00:00:00 GMT'),
      element('Etag', etag.replaceAll('"', '')),
      ...(key.endsWith('(folder)') ? [element('ResourceType', 'directory')] : []),
      element('Content-Length', String(content.length)),
      '<Content-Encoding />',
      element('BlobType', 'BlockBlob'),
    ];
    const named = isOdd
      ? element('Name', encodeURIComponent(key)).replace('<Name>', '<Name Encoded="true">')
      : element('Name', key);
    return `<Blob>${named}<Properties>${properties.join('')}</Properties><OrMetadata /></Blob>`;
  });
  const next = Buffer.from(page.at(-1) ?? '').toString('base64url');
  const head = `<EnumerationResults ServiceEndpoint="http://localhost/" ContainerName="${name}">`;
  const end = more ? element('NextMarker', next) : '<NextMarker />';
  sendXml(
    response,
    200,
    `${head}${element('Prefix', prefix)}<Blobs>${entries.join('')}</Blobs>${end}</EnumerationResults>`,
  );
}

export async function sendBlob(
  { blobs }: Container,
  request: BlobRequest,
  response: ServerResponse,
  effect: StoreEffect | undefined,
): Promise<void> {
  const { headers } = request;
  const blob = blobs.get(request.key);
  const { 'if-match': expected } = headers;
  if (expected !== undefined && blob?.etag !== expected) return sendError(response, 412, 'ConditionNotMet');
  if (!blob) return sendError(response, 404, 'BlobNotFound');
  const { content, etag } = blob;
  if (headers['if-none-match'] === etag) {
    response.writeHead(304, { 'x-ms-error-code': 'ConditionNotMet' }).end();
    return;
  }
  const { start, end } = request.range ?? { start: 0, end: content.length };
  if (request.range && start >= content.length) return sendError(response, 416, 'InvalidRange');
  const body = cutOut(content, start, end, effect);
  const range = `bytes ${start}-${start + body.length - 1}/${content.length}`;
  response.writeHead(request.range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': body.length,
    'accept-ranges': 'bytes',
    etag,
    'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT',
    'x-ms-blob-type': 'BlockBlob',
    ...(request.range ? { 'content-range': range } : {}),
  });
  request.status = response.statusCode;
  await sendBody(response, body, effect, request);
}

/** Keeps a blob whose MD5 is right; with `If-None-Match: *` only a new one, with `If-Match` only in place of that one. */
export async function takeBlob(
  { blobs }: Container,
  { key, headers }: BlobRequest,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const content = await buffer(message);
  const md5 = createHash('md5').update(content).digest('base64');
  if (headers['x-ms-blob-type'] !== 'BlockBlob') return sendError(response, 400, 'InvalidHeaderValue');
  if ((headers['content-md5'] ?? md5) !== md5) return sendError(response, 400, 'Md5Mismatch');
  // Checked when all bytes have arrived: of two writers at once, one is first.
  if (headers['if-none-match'] === '*' && blobs.has(key))
    return sendError(response, 409, 'BlobAlreadyExists');
  const { 'if-match': expected } = headers;
  if (expected !== undefined && blobs.get(key)?.etag !== expected)
    return sendError(response, 412, 'ConditionNotMet');
  const blob = toBlob(content);
  blobs.set(key, blob);
  response.writeHead(201, { etag: blob.etag, 'content-md5': md5, 'content-length': 0 }).end();
}

export function removeBlob(
  { blobs }: Container,
  { key, headers }: BlobRequest,
  response: ServerResponse,
): void {
  const blob = blobs.get(key);
  const { 'if-match': expected } = headers;
  if (!blob) {
    sendError(response, 404, 'BlobNotFound');
  } else if (expected !== undefined && blob.etag !== expected) {
    sendError(response, 412, 'ConditionNotMet');
  } else {
    blobs.delete(key);
    response.writeHead(202, { 'content-length': 0 }).end();
  }
}

/** The detail is as with a wrong signature: it has what was signed. */
export function sendError(response: ServerResponse, status: number, code: string): void {
  const fields = [
    element('Code', code),
    element('Message', `${code} for a test.\nRequestId:TEST\nTime:2025-01-01T00:00:00.0000000Z`),
    element('AuthenticationErrorDetail', 'String to sign used was "DETAIL"'),
  ];
  sendXml(response, status, `<Error>${fields.join('')}</Error>`, { 'x-ms-error-code': code });
}

let count = 0;

/** Each write has an etag of its own, also of the same content. */
export function toBlob(content: string | Uint8Array): Blob {
  count += 1;
  return {
    content: Buffer.from(content),
    etag: `"0x8D${count.toString(16).toUpperCase().padStart(12, '0')}"`,
  };
}
