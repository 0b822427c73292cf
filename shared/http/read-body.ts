import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { InferenceError } from '../errors.ts';

interface InflateOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

type Inflate = (bytes: Uint8Array, options: InflateOptions) => Promise<Buffer>;

/** Each piece of a result is a trip to another thread and back; with Node's 16 KB, large bodies take a third longer. */
const CHUNK_BYTES = 65_536;

/** Content codings of HTTP (RFC 9110, section 8.4.1). */
const DECODERS: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', inflateEither],
  ['br', promisify(brotliDecompress)],
]);

const ACCEPTED_CODINGS = 'gzip, deflate, br';
/** A body that a gateway compressed once more has two; each costs the time of a whole body. */
const MOST_CODINGS = 2;

/**
 * The body of a request as bytes, decompressed.
 *
 * @param limitBytes largest body, as sent and as decompressed
 * @throws InferenceError 413 beyond the limit, 415 for an unknown Content-Encoding, 400 for damaged data
 */
export async function readBody(request: Request, limitBytes: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > limitBytes) throw tooLarge(limitBytes);
  let body: Uint8Array = await request.bytes();
  if (body.length > limitBytes) throw tooLarge(limitBytes);
  const codings = (request.headers.get('content-encoding') ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > MOST_CODINGS) {
    throw unsupportedCoding(
      `Content-Encoding names ${codings.length} codings; at most ${MOST_CODINGS} are accepted.`,
    );
  }
  for (const coding of codings.reverse()) {
    body = await decompress(body, coding, limitBytes);
  }
  return body;
}

async function decompress(body: Uint8Array, coding: string, limitBytes: number): Promise<Uint8Array> {
  const decoder = DECODERS.get(coding);
  if (!decoder) {
    throw unsupportedCoding(
      `Content-Encoding ${JSON.stringify(coding.slice(0, 40))} is not accepted; accepted are ${ACCEPTED_CODINGS}.`,
    );
  }
  try {
    return await decoder(body, { maxOutputLength: limitBytes, chunkSize: CHUNK_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limitBytes);
    throw new InferenceError(
      'BAD_REQUEST',
      `The body is not valid ${coding} data, as its Content-Encoding says.`,
      {
        cause: error,
      },
    );
  }
}

/** "deflate" means zlib data (RFC 9110), yet some clients send the raw stream. */
async function inflateEither(bytes: Uint8Array, options: InflateOptions): Promise<Buffer> {
  try {
    return await promisify(inflate)(bytes, options);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    return await promisify(inflateRaw)(bytes, options);
  }
}

function unsupportedCoding(text: string): InferenceError {
  return new InferenceError('UNSUPPORTED_MEDIA_TYPE', text, {
    headers: { 'accept-encoding': ACCEPTED_CODINGS },
  });
}

export function tooLarge(limitBytes: number): InferenceError {
  return new InferenceError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${limitBytes} bytes, which is the limit (MAX_BODY_BYTES).`,
  );
}
