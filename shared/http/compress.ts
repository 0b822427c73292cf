import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';
import { BytesResponse } from './bytes.ts';
import { HeaderList } from './header-list.ts';
import { type Preference, parseQualityList } from './quality-list.ts';

/** Compressing smaller bodies costs more time than it saves. */
const SMALLEST_BODY_BYTES = 1024;

const ENCODERS = {
  gzip: promisify<Uint8Array, { level: number }, Buffer>(gzip),
  deflate: promisify<Uint8Array, { level: number }, Buffer>(deflate),
};

const CODINGS: ReadonlySet<string> = new Set(['identity', ...Object.keys(ENCODERS)]);

/** The answer, compressed as the request's Accept-Encoding prefers, or unchanged. */
export async function compressResponse(request: Request, response: Response): Promise<Response> {
  const coding = chooseCoding(request.headers.get('accept-encoding') ?? '');
  if (!coding) return response;
  const bytes = await response.bytes();
  if (bytes.length < SMALLEST_BODY_BYTES) return new BytesResponse(bytes, response);
  const headers = new HeaderList(response.headers);
  headers.set('content-encoding', coding);
  headers.append('vary', 'accept-encoding');
  const compressed = await ENCODERS[coding](bytes, { level: constants.Z_BEST_SPEED });
  return new BytesResponse(compressed, { status: response.status, headers });
}

/**
 * The coding with the highest weight, or the first of equals; undefined if no coding is accepted (RFC 9110, section
 * 12.5.3).
 */
export function chooseCoding(header: string): 'gzip' | 'deflate' | undefined {
  let best: Preference = { value: 'identity', weight: 0 };
  for (const one of parseQualityList(header)) {
    if (CODINGS.has(one.value) && one.weight > best.weight) best = one;
  }
  return best.value === 'gzip' || best.value === 'deflate' ? best.value : undefined;
}
