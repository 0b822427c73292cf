import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Environment, GoogleToken } from '../../google/token-request.ts';
import type { HttpContent } from '../../http/http-client.ts';
import { isMembers, parseMembers } from '../../json/members.ts';
import { type Kept, keepFresh } from '../../keep-fresh.ts';
import { StoreError, type StoreErrorReason } from '../model-store.ts';
import type { ObjectAnswer, ObjectPage, ObjectProtocol, Refusal } from './protocol.ts';

export interface GcsConnection {
  readonly endpoint?: string | undefined;
  readonly token?: ((scope: string) => Promise<GoogleToken>) | undefined;
  readonly environment?: Environment | undefined;
}

const ENDPOINT = 'https://storage.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';
const REASON_OF_STATUS: Readonly<Record<number, StoreErrorReason>> = {
  401: 'denied',
  403: 'denied',
  404: 'missing',
  412: 'changed',
  416: 'changed',
};
const MOST_WORDS = 300;

/**
 * The JSON API of Cloud Storage. The etag of a file is the generation of its object, a number in digits. Source: the
 * reference of the JSON API; Google's documentation of request preconditions and of transcoding.
 */
export function createGcsProtocol(bucket: string, connection: GcsConnection): ObjectProtocol {
  const { environment = {}, token: source } = connection;
  const emulator = emulatorOf(environment);
  const base = (connection.endpoint ?? emulator ?? ENDPOINT).replace(/\/+$/, '');
  const token: Kept<GoogleToken> | undefined =
    source && emulator === undefined ? keepFresh('credentials of Google', () => source(SCOPE)) : undefined;
  let used: GoogleToken | undefined;

  const urlOf = (root: string, name: string | undefined, query: Query): URL => {
    // An address cannot have such a part, and no object such a name.
    if (name === '.' || name === '..')
      throw new StoreError('missing', `${JSON.stringify(name)} cannot be the name of an object.`);
    const key = name === undefined ? '' : `/${encodeURIComponent(name)}`;
    const pairs = Object.entries(query).flatMap(([parameter, value]) =>
      value === undefined ? [] : [`${parameter}=${encodeURIComponent(value)}`],
    );
    return new URL(`${base}${root}/storage/v1/b/${encodeURIComponent(bucket)}/o${key}?${pairs.join('&')}`);
  };

  return {
    title: 'Cloud Storage',
    permissions: {
      list: 'storage.objects.list',
      read: 'storage.objects.get',
      write: 'storage.objects.create and, to replace files, storage.objects.delete',
      remove: 'storage.objects.delete',
    },
    advice: {
      missing: 'check MODEL_REPOSITORY',
      unreachable: 'check the network route to Cloud Storage, and STORAGE_EMULATOR_HOST if it is set',
    },
    largest: { bytes: 5 * 1024 ** 4, text: '5 TiB' },
    needsMd5: true,
    list: (prefix, start) => ({
      method: 'GET',
      url: urlOf('', undefined, {
        prefix,
        pageToken: start,
        fields: 'kind,items(name,size,generation),nextPageToken',
      }),
      headers: {},
    }),
    readPage,
    get: (key, { range, etag, known }) => ({
      method: 'GET',
      url: urlOf('', key, { alt: 'media', ifGenerationMatch: etag, ifGenerationNotMatch: known }),
      headers: {
        // Otherwise objects that are stored as gzip would be unpacked, and have neither their size nor ranges.
        'accept-encoding': 'gzip',
        ...(range && { range: `bytes=${range.start}-${range.end - 1}` }),
      },
    }),
    put: (key, content, replaced) => {
      const boundary = randomUUID();
      const metadata = { name: key, contentType: CONTENT_TYPE, md5Hash: content.md5 };
      return {
        method: 'POST',
        url: urlOf('/upload', undefined, {
          uploadType: 'multipart',
          ifGenerationMatch: replaced ?? '0',
          fields: 'generation',
        }),
        headers: { 'content-type': `multipart/related; boundary=${boundary}` },
        content: joinParts(metadata, content, boundary),
      };
    },
    remove: (key, etag) => ({
      method: 'DELETE',
      url: urlOf('', key, { ifGenerationMatch: etag }),
      headers: {},
    }),
    etagOf: ({ headers }, text) => {
      if (text === undefined) return headers['x-goog-generation'];
      const { generation } = parseMembers(text);
      return typeof generation === 'string' ? generation : undefined;
    },
    refusalOf,
    prove: async ({ headers }, { refused, signal }) => {
      if (token === undefined) return headers;
      // Another request may have replaced it already.
      const isUsed = used !== undefined && refused?.authorization === bearerOf(used);
      const own = await token(signal, isUsed ? used : undefined).catch((error: unknown) => {
        signal.throwIfAborted();
        const said = error instanceof Error ? error.message : String(error);
        throw new StoreError('denied', `There are no credentials for Cloud Storage: ${said}.`, error);
      });
      used = own;
      return { ...headers, authorization: bearerOf(own) };
    },
  };
}

const bearerOf = ({ token }: GoogleToken) => `Bearer ${token}`;

type Query = Readonly<Record<string, string | undefined>>;

const CONTENT_TYPE = 'application/octet-stream';

/** As in Google's tools, with or without a scheme. */
function emulatorOf({ STORAGE_EMULATOR_HOST: host = '' }: Environment): string | undefined {
  if (host.trim() === '') return undefined;
  return host.includes('://') ? host.trim() : `http://${host.trim()}`;
}

/** What an object is, and its bytes, as one body. */
function joinParts(metadata: object, content: HttpContent, boundary: string): HttpContent {
  const partOf = (type: string, text: string) => `--${boundary}\r\ncontent-type: ${type}\r\n\r\n${text}`;
  const head = Buffer.from(
    `${partOf('application/json; charset=UTF-8', JSON.stringify(metadata))}\r\n${partOf(CONTENT_TYPE, '')}`,
  );
  const end = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    sizeBytes: head.length + content.sizeBytes + end.length,
    open: () =>
      Readable.from(
        (async function* () {
          yield head;
          yield* content.open();
          yield end;
        })(),
        { objectMode: false },
      ),
  };
}

function refusalOf({ status }: ObjectAnswer, text: string): Refusal {
  const words = wordsOf(text);
  const isBadName = status === 400 && /invalid bucket name/i.test(words);
  return {
    reason: isBadName ? 'missing' : (REASON_OF_STATUS[status] ?? 'unreachable'),
    text: `${status} ${words}`.trim().replace(/\.?$/, '.'),
    isPassing: status === 408 || status === 429 || status >= 500,
    isContainer: isBadName || (status === 404 && /\bbucket does not exist\b/i.test(words)),
    isExpired: status === 401,
  };
}

/** What the store says about a refusal: in JSON, or as a text where a content was asked for. */
function wordsOf(text: string): string {
  const { error } = parseMembers(text);
  const message = isMembers(error) ? error.message : text;
  if (typeof message !== 'string' || message.trimStart().startsWith('<')) return '';
  return message.trim().slice(0, MOST_WORDS);
}

function readPage(text: string): ObjectPage {
  const { kind, items = [], nextPageToken } = parseMembers(text);
  if (kind !== 'storage#objects' || !Array.isArray(items))
    throw new Error('the answer is not a listing of Cloud Storage');
  return {
    objects: items.flatMap(({ name, size, generation }: Readonly<Record<string, unknown>>) =>
      typeof name === 'string' && typeof size === 'string' && typeof generation === 'string'
        ? [{ key: name, sizeBytes: Number(size), etag: generation }]
        : [],
    ),
    next: typeof nextPageToken === 'string' && nextPageToken !== '' ? nextPageToken : undefined,
  };
}
