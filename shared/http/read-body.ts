import { setImmediate } from 'node:timers/promises';
import { createLimiter } from '../limiter.ts';
import { type BodyLimits, CODINGS, MOST_CODINGS, tooLarge } from './body-limits.ts';
import { type BodyPart, SMALL_BYTES } from './body-room.ts';
import { BytesRequest } from './bytes.ts';

const CODING = 'content-encoding';
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
  if (isDeclaredTooLarge(request, limits)) throw tooLarge(limits.bodyBytes);
  const sent = await request.bytes();
  if (sent.length > limits.bodyBytes) throw tooLarge(limits.bodyBytes);
  const codings = codingsOf(request.headers);
  let body: Uint8Array = sent;
  if (codings.length > 0) {
    // Few clients compress what they send.
    const { inflateBody } = await import('./inflate-body.ts');
    body = await inflateBody(sent, codings, { headers: request.headers, limits, part });
  } else if (sent.length > SMALL_BYTES) await part?.resize(sent.length);
  if (body.length > SMALL_BYTES) await oneByOne(() => setImmediate());
  return body;
}

function isDeclaredTooLarge({ headers }: Request, { bodyBytes }: BodyLimits): boolean {
  return Number(headers.get('content-length') ?? 0) > bodyBytes;
}

/** The event loop decodes one large body per turn: many at once would keep all others waiting. */
const oneByOne = createLimiter(1);

/** How often a body has to be inflated; 0 for one that is refused for its codings. */
export function countCodings(headers: Headers): number {
  const codings = codingsOf(headers);
  const isRefused = codings.length > MOST_CODINGS || codings.some((coding) => !CODINGS.includes(coding));
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
