import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { BytesResponse } from '../http/bytes.ts';
import { compressResponse } from '../http/compress.ts';
import { HeaderList } from '../http/header-list.ts';
import { parseQualityList } from '../http/quality-list.ts';
import type { Pages } from './pages.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Answers a request with a file of the pages, or with 304 if the client has it already; undefined when there is no such
 * file. The Content-Security-Policy of a document is in a file next to it, `<name>.csp`; without that file the document
 * is not served. A file can exist only in compressed form, as `<name>.br`: clients that take Brotli get it unchanged.
 *
 * @param headers what the route adds, such as `vary`
 */
export async function respondPage(
  pages: Pages,
  name: string,
  request: Request,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | undefined> {
  const packed = await pages.read(`${name}.br`);
  const bytes = packed ?? (await pages.read(name));
  const extension = extname(name);
  const policy = extension === '.html' ? await pages.read(`${name}.csp`) : undefined;
  if (!bytes || (extension === '.html' && !policy)) return undefined;
  const tag = makeTag(bytes);
  const common = {
    ...headers,
    // Cached, but checked every time: the next version of the server has files of the same names.
    'cache-control': 'no-cache',
    etag: tag,
    'referrer-policy': 'no-referrer',
    ...(policy && { 'content-security-policy': Buffer.from(policy).toString('utf8').trim() }),
  };
  if (hasTag(request, tag)) return new Response(null, { status: 304, headers: common });
  const type = CONTENT_TYPES[extension] ?? 'application/octet-stream';
  const all = new HeaderList({ ...common, 'content-type': type });
  if (packed) return await respondPacked(packed, request, all);
  return await compressResponse(request, new BytesResponse(bytes, { headers: all }));
}

/** A file that was compressed when it was built is not compressed again for each client. */
async function respondPacked(packed: Uint8Array, request: Request, headers: Headers): Promise<Response> {
  if (!takesBrotli(request.headers)) {
    const plain = new BytesResponse(await promisify(brotliDecompress)(packed), { headers });
    const response = await compressResponse(request, plain);
    if (!response.headers.has('vary')) response.headers.set('vary', 'accept-encoding');
    return response;
  }
  headers.set('vary', 'accept-encoding');
  headers.set('content-encoding', 'br');
  return new BytesResponse(packed, { headers });
}

/** Browsers take it over HTTPS alone. */
function takesBrotli(headers: Headers): boolean {
  const [brotli] = parseQualityList(headers.get('accept-encoding')).filter(({ value }) => value === 'br');
  return brotli !== undefined && brotli.weight > 0;
}

/** A weak tag: the same file is sent compressed and uncompressed. */
export function makeTag(bytes: Uint8Array): string {
  return `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
}

/** Source: RFC 9110, section 13.1.2; tags are compared without regard to their weakness. */
export function hasTag(request: Request, tag: string): boolean {
  const tags = (request.headers.get('if-none-match') ?? '').split(',').map((part) => part.trim());
  return tags.some((given) => given === '*' || given.replace(/^W\//, '') === tag.replace(/^W\//, ''));
}
