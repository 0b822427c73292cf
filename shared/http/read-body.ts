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
    .map((part) => part.trim().toLowerCase());
  for (const coding of codings.reverse()) {
    if (coding === '' || coding === 'identity') continue;
    body = await decompress(body, coding, limitBytes);
  }
  return body;
}

async function decompress(body: Uint8Array, coding: string, limitBytes: number): Promise<Uint8Array> {
  const decoder = DECODERS.get(coding);
  if (!decoder) {
    throw new InferenceError(
      'UNSUPPORTED_MEDIA_TYPE',
      `Content-Encoding ${JSON.stringify(coding.slice(0, 40))} is not accepted; accepted are ${ACCEPTED_CODINGS}.`,
      { headers: { 'accept-encoding': ACCEPTED_CODINGS } },
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

export function tooLarge(limitBytes: number): InferenceError {
  return new InferenceError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${limitBytes} bytes, which is the limit (MAX_BODY_BYTES).`,
  );
}
