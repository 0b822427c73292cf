import { promisify } from 'node:util';
import { constants, deflate, gzip } from 'node:zlib';
import { BytesResponse } from './bytes.ts';

/** Smaller bodies gain nothing that pays for the time. */
const SMALLEST_BODY_BYTES = 1024;

const ENCODERS = {
  gzip: promisify<Uint8Array, { level: number }, Buffer>(gzip),
  deflate: promisify<Uint8Array, { level: number }, Buffer>(deflate),
};

/** The answer compressed as the request's Accept-Encoding prefers, or as it is. */
export async function compressResponse(request: Request, response: Response): Promise<Response> {
  const coding = chooseCoding(request.headers.get('accept-encoding') ?? '');
  if (!coding) return response;
  const bytes = await response.bytes();
  if (bytes.length < SMALLEST_BODY_BYTES) return new BytesResponse(bytes, response);
  const headers = new Headers(response.headers);
  headers.set('content-encoding', coding);
  headers.append('vary', 'accept-encoding');
  const compressed = await ENCODERS[coding](bytes, { level: constants.Z_BEST_SPEED });
  return new BytesResponse(compressed, { status: response.status, headers });
}

/** The coding with the highest weight, the first of equals; undefined for none (RFC 9110, section 12.5.3). */
export function chooseCoding(header: string): 'gzip' | 'deflate' | undefined {
  let best: { coding: string; weight: number } = { coding: 'identity', weight: 0 };
  for (const part of header.split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (['gzip', 'deflate', 'identity'].includes(name) && weight > best.weight)
      best = { coding: name, weight };
  }
  return best.coding === 'gzip' || best.coding === 'deflate' ? best.coding : undefined;
}
