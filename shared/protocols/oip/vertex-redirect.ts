import { InferenceError } from '../../errors.ts';
import { BytesRequest } from '../../http/bytes.ts';

const REDIRECT_HEADER = 'x-vertex-ai-triton-redirect';

/**
 * The request a Vertex AI client means: its endpoint has one route for everything, and the V2 path stands in a header.
 * Source: Triton's Vertex AI front end.
 *
 * @returns the request itself without the header
 * @throws InferenceError 403 for paths that change the server
 */
export async function followRedirect(request: Request): Promise<Request> {
  const target = request.headers.get(REDIRECT_HEADER);
  if (target === null) return request;
  // A backslash is a slash in a URL: two of them would name a host, which is none at all in the worst case.
  const url = URL.parse(target.replace(/^[\\/]*/, '/'), request.url);
  const path = url ? decodePath(url.pathname) : undefined;
  if (url === null || path === undefined || !/^\/v2(?:\/|$)/.test(path)) {
    throw new InferenceError('BAD_REQUEST', `Header ${REDIRECT_HEADER} must name a path below v2.`);
  }
  if (/\/(?:load|unload|register|unregister)\/?$|sharedmemory/.test(path)) {
    throw new InferenceError('PERMISSION_DENIED', 'This path cannot be reached through a redirect.');
  }
  const writes = /\/infer\/?$|\/repository\/(?:[^/]+\/)?index\/?$/.test(path);
  const headers = new Headers(request.headers);
  headers.delete(REDIRECT_HEADER);
  return new BytesRequest(url.href, { method: writes ? 'POST' : 'GET', headers }, await request.bytes());
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
