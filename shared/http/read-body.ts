import type { Transform } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ZlibOptions } from 'node:zlib';
import type { Limits } from '../config.ts';
import { InferenceError, overLimit } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import { nodeZlib } from '../node-modules.ts';
import { type BodyParts, gatherBody } from './body-memory.ts';
import { type BodyPart, SMALL_BYTES } from './body-room.ts';
import { BytesRequest } from './bytes.ts';

type CreateInflater = (options: Pick<ZlibOptions, 'chunkSize'>) => Transform;

/** Each piece of a result is a trip to another thread and back; with Node's 16 KB, large bodies take a third longer. */
const CHUNK_BYTES = 65_536;

const gunzip: CreateInflater = (options) => nodeZlib().createGunzip(options);

/** Content codings of HTTP (RFC 9110, section 8.4.1). */
const INFLATERS: ReadonlyMap<string, readonly CreateInflater[]> = new Map([
  ['gzip', [gunzip]],
  ['x-gzip', [gunzip]],
  // The name means zlib data, but some clients send the raw stream.
  [
    'deflate',
    [(options) => nodeZlib().createInflate(options), (options) => nodeZlib().createInflateRaw(options)],
  ],
  ['br', [(options) => nodeZlib().createBrotliDecompress(options)]],
]);

const CODING = 'content-encoding';
const ACCEPTED_CODINGS = 'gzip, deflate, br';
/** A body that a gateway compressed again has two; each takes the time of a whole body. */
const MOST_CODINGS = 2;

/** The limits for a body before its content is read. */
export type BodyLimits = Pick<Limits, 'bodyBytes' | 'compressionRatio'>;

/**
 * The body of a request as bytes, decompressed.
 *
 * A body of more than a megabyte may be this many times as large as it was sent. Deflate shrinks zeros by a factor of
 * up to 1,032, and real tensors of zeros come close to that, so the default allows it. Brotli and two codings in a row
 * can reach a factor of a million.
 *
 * @param part the room of the body in memory; only large bodies take some
 * @returns no promise for a small body that is in memory as it is
 * @throws InferenceError 413 beyond the limits, 415 for an unknown Content-Encoding, 400 for damaged data
 */
export function readBody(
  request: Request,
  limits: BodyLimits,
  part?: Pick<BodyPart, 'resize'>,
): Uint8Array | Promise<Uint8Array> {
  const body = request instanceof BytesRequest && !request.headers.has(CODING) ? request.content : undefined;
  const isReady = body !== undefined && body.length <= Math.min(SMALL_BYTES, limits.bodyBytes);
  return isReady && !isDeclaredTooLarge(request, limits) ? body : readAll(request, limits, part);
}

async function readAll(
  request: Request,
  limits: BodyLimits,
  part: Pick<BodyPart, 'resize'> | undefined,
): Promise<Uint8Array> {
  const body = await inflateBody(request, limits, part);
  if (body.length > SMALL_BYTES) await oneByOne(() => setImmediate());
  return body;
}

function isDeclaredTooLarge({ headers }: Request, { bodyBytes }: BodyLimits): boolean {
  return Number(headers.get('content-length') ?? 0) > bodyBytes;
}

/** The event loop decodes one large body per turn: many at once would keep all others waiting. */
const oneByOne = createLimiter(1);

async function inflateBody(
  request: Request,
  limits: BodyLimits,
  part: Pick<BodyPart, 'resize'> | undefined,
): Promise<Uint8Array> {
  const { bodyBytes } = limits;
  if (isDeclaredTooLarge(request, limits)) throw tooLarge(bodyBytes);
  let body: Uint8Array = await request.bytes();
  if (body.length > bodyBytes) throw tooLarge(bodyBytes);
  const codings = codingsOf(request.headers);
  if (codings.length > MOST_CODINGS) {
    throw unsupportedCoding(
      `Content-Encoding names ${codings.length} codings; at most ${MOST_CODINGS} are accepted.`,
    );
  }
  const sentBytes = body.length;
  const mostBytes = Math.min(bodyBytes, Math.max(SMALL_BYTES, sentBytes * limits.compressionRatio));
  // Room for all that the body can become is taken at once: a request that holds some room and waits for more would
  // block the others.
  let hasRoom = false;
  const grow = async () => {
    if (!hasRoom) await part?.resize(sentBytes + codings.length * mostBytes);
    hasRoom = true;
  };
  if (sentBytes > SMALL_BYTES) await grow();
  for (const coding of codings.reverse()) {
    const create = () => gatherBody(request.headers, mostBytes);
    const inflated = await decompress(body, coding, create, grow);
    if (!inflated) throw mostBytes < bodyBytes ? tooDense(limits.compressionRatio) : tooLarge(bodyBytes);
    body = inflated;
  }
  if (hasRoom && codings.length > 0) await part?.resize(sentBytes + body.length);
  return body;
}

/** Undefined if there are more bytes than the parts have room for. */
async function decompress(
  body: Uint8Array,
  coding: string,
  createParts: () => BodyParts,
  grow: () => Promise<void>,
): Promise<Uint8Array | undefined> {
  const inflaters = INFLATERS.get(coding);
  if (!inflaters) {
    throw unsupportedCoding(
      `Content-Encoding ${JSON.stringify(coding.slice(0, 40))} is not accepted; accepted codings are ${ACCEPTED_CODINGS}.`,
    );
  }
  let cause: unknown;
  for (const create of inflaters) {
    try {
      return await inflate(body, create({ chunkSize: CHUNK_BYTES }), createParts(), grow);
    } catch (error) {
      // There was no room for it.
      if (error instanceof InferenceError) throw error;
      cause = error;
    }
  }
  const text = `The body is not valid ${coding} data, as its Content-Encoding says.`;
  throw new InferenceError('BAD_REQUEST', text, { cause });
}

/** Stops when the parts have no room left. */
async function inflate(
  bytes: Uint8Array,
  stream: Transform,
  parts: BodyParts,
  grow: () => Promise<void>,
): Promise<Uint8Array | undefined> {
  stream.end(bytes);
  const pieces: AsyncIterable<Buffer> = stream;
  for await (const piece of pieces) {
    if (parts.grows(piece)) await grow();
    if (!parts.add(piece)) return undefined;
  }
  return parts.join();
}

function unsupportedCoding(text: string): InferenceError {
  return new InferenceError('UNSUPPORTED_MEDIA_TYPE', text, {
    headers: { 'accept-encoding': ACCEPTED_CODINGS },
  });
}

function tooLarge(bytes: number): InferenceError {
  return overLimit('The request body', `is larger than ${bytes} bytes, which is the limit (MAX_BODY_BYTES).`);
}

function tooDense(ratio: number): InferenceError {
  return overLimit(
    'The request body',
    `is more than ${ratio} times as large as it was sent, which is the limit (MAX_COMPRESSION_RATIO).`,
  );
}

/** How often a body has to be inflated; 0 for one that is refused for its codings. */
export function countCodings(headers: Headers): number {
  const codings = codingsOf(headers);
  const isRefused = codings.length > MOST_CODINGS || codings.some((coding) => !INFLATERS.has(coding));
  return isRefused ? 0 : codings.length;
}

function codingsOf(headers: Headers): string[] {
  const given = headers.get(CODING);
  if (given === null) return [];
  return given
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
}
