import type { Transform } from 'node:stream';
import type { ZlibOptions } from 'node:zlib';
import { InferenceError, overLimit } from '../errors.ts';
import { nodeZlib } from '../node-modules.ts';
import { type BodyLimits, MOST_CODINGS, tooLarge } from './body-limits.ts';
import { type BodyParts, gatherBody } from './body-memory.ts';
import { type BodyPart, SMALL_BYTES } from './body-room.ts';

type CreateInflater = (options: Pick<ZlibOptions, 'chunkSize'>) => Transform;

/** Each piece of a result is a trip to another thread and back; with Node's 16 KB, large bodies take a third longer. */
const CHUNK_BYTES = 65_536;

const gunzip: CreateInflater = (options) => nodeZlib().createGunzip(options);

/** By the names of the codings. */
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

const ACCEPTED_CODINGS = 'gzip, deflate, br';

interface InflateOptions {
  readonly headers: Headers;
  readonly limits: BodyLimits;
  /** The room of the body in memory; only large bodies take some. */
  readonly part: Pick<BodyPart, 'resize'> | undefined;
}

/**
 * A body without its codings.
 *
 * @param codings in the order in which they were applied
 * @throws InferenceError 413 beyond the limits, 415 for an unknown coding, 400 for damaged data
 */
export async function inflateBody(
  sent: Uint8Array,
  codings: readonly string[],
  { headers, limits, part }: InflateOptions,
): Promise<Uint8Array> {
  if (codings.length > MOST_CODINGS) {
    throw unsupportedCoding(
      `Content-Encoding names ${codings.length} codings; at most ${MOST_CODINGS} are accepted.`,
    );
  }
  const { bodyBytes, compressionRatio } = limits;
  const mostBytes = Math.min(bodyBytes, Math.max(SMALL_BYTES, sent.length * compressionRatio));
  // Room for all that the body can become is taken at once: a request that holds some room and waits for more would
  // block the others.
  let hasRoom = false;
  const grow = async () => {
    if (!hasRoom) await part?.resize(sent.length + codings.length * mostBytes);
    hasRoom = true;
  };
  if (sent.length > SMALL_BYTES) await grow();
  let body = sent;
  for (const coding of codings.toReversed()) {
    const inflated = await decompress(body, coding, () => gatherBody(headers, mostBytes), grow);
    if (!inflated) throw mostBytes < bodyBytes ? tooDense(compressionRatio) : tooLarge(bodyBytes);
    body = inflated;
  }
  if (hasRoom) await part?.resize(sent.length + body.length);
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

function tooDense(ratio: number): InferenceError {
  return overLimit(
    'The request body',
    `is more than ${ratio} times as large as it was sent, which is the limit (MAX_COMPRESSION_RATIO).`,
  );
}
