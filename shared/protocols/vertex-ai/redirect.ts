import { InferenceError } from '../../errors.ts';
import { BytesRequest } from '../../http/bytes.ts';
import type { Handler } from '../operation.ts';

const REDIRECT_HEADER = 'x-vertex-ai-triton-redirect';

/** A handler that lets the header go before the body. */
export function orRedirected(handle: Handler): Handler {
  return async (c) => {
    const redirected = await readRedirect(c.req.raw);
    return redirected ? await c.env.forward(redirected) : await handle(c);
  };
}

/**
 * The request a client means that has one route for everything, and names a path of V2 in a header.
 * Source: Triton's Vertex AI front end.
 *
 * @returns undefined without the header
 * @throws InferenceError 403 for paths that change the server
 */
async function readRedirect(request: Request): Promise<Request | undefined> {
  const target = request.headers.get(REDIRECT_HEADER);
  if (target === null) return undefined;
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
