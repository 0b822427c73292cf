import type { Transform } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type ZlibOptions,
} from 'node:zlib';
import type { Limits } from '../config.ts';
import { InferenceError, overLimit } from '../errors.ts';
import { type BodyParts, gatherBody } from './body-memory.ts';

type CreateInflater = (options: Pick<ZlibOptions, 'chunkSize'>) => Transform;

/** Each piece of a result is a trip to another thread and back; with Node's 16 KB, large bodies take a third longer. */
const CHUNK_BYTES = 65_536;

/** Content codings of HTTP (RFC 9110, section 8.4.1). */
const INFLATERS: ReadonlyMap<string, readonly CreateInflater[]> = new Map([
  ['gzip', [createGunzip]],
  ['x-gzip', [createGunzip]],
  // It means zlib data, yet some clients send the raw stream.
  ['deflate', [createInflate, createInflateRaw]],
  ['br', [createBrotliDecompress]],
]);

const ACCEPTED_CODINGS = 'gzip, deflate, br';
/** A body that a gateway compressed once more has two; each costs the time of a whole body. */
const MOST_CODINGS = 2;
/** Up to this size a body may be compressed as much as it can. */
const FREE_BYTES = 1024 * 1024;

/** The limits that hold for a body before it is looked at. */
export type BodyLimits = Pick<Limits, 'bodyBytes' | 'compressionRatio'>;

/**
 * The body of a request as bytes, decompressed.
 *
 * A megabyte and more may be so many times as large as it was sent. Deflate makes 1,032 times less of zeros at best, and
 * real tensors of zeros come near that, so the default lets them pass; brotli and two codings can make a million times
 * less.
 *
 * @throws InferenceError 413 beyond the limits, 415 for an unknown Content-Encoding, 400 for damaged data
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array> {
  const { bodyBytes } = limits;
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > bodyBytes) throw tooLarge(bodyBytes);
  let body: Uint8Array = await request.bytes();
  if (body.length > bodyBytes) throw tooLarge(bodyBytes);
  const codings = (request.headers.get('content-encoding') ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MOST_CODINGS) {
    throw unsupportedCoding(
      `Content-Encoding names ${codings.length} codings; at most ${MOST_CODINGS} are accepted.`,
    );
  }
  const mostBytes = Math.min(bodyBytes, Math.max(FREE_BYTES, body.length * limits.compressionRatio));
  for (const coding of codings.reverse()) {
    const create = () => gatherBody(request.headers, mostBytes);
    const inflated = await decompress(body, coding, create);
    if (!inflated) throw mostBytes < bodyBytes ? tooDense(limits.compressionRatio) : tooLarge(bodyBytes);
    body = inflated;
  }
  return body;
}

/** Undefined where there are more bytes than the parts have room for. */
async function decompress(
  body: Uint8Array,
  coding: string,
  createParts: () => BodyParts,
): Promise<Uint8Array | undefined> {
  const inflaters = INFLATERS.get(coding);
  if (!inflaters) {
    throw unsupportedCoding(
      `Content-Encoding ${JSON.stringify(coding.slice(0, 40))} is not accepted; accepted are ${ACCEPTED_CODINGS}.`,
    );
  }
  let cause: unknown;
  for (const create of inflaters) {
    try {
      return await inflate(body, create({ chunkSize: CHUNK_BYTES }), createParts());
    } catch (error) {
      cause = error;
    }
  }
  const text = `The body is not valid ${coding} data, as its Content-Encoding says.`;
  throw new InferenceError('BAD_REQUEST', text, { cause });
}

/** Stops where the parts have no more room. */
function inflate(bytes: Uint8Array, stream: Transform, parts: BodyParts): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    stream.on('data', (piece: Buffer) => {
      if (parts.add(piece)) return;
      stream.destroy();
      resolve(undefined);
    });
    stream.on('end', () => resolve(parts.join()));
    stream.on('error', reject);
    stream.end(bytes);
  });
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
