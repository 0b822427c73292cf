import type { Context, Hono } from 'hono';
import { METHOD_NAME_ALL } from 'hono/router';
import { InferenceError } from '../errors.ts';
import type { AppEnvironment } from '../http/context.ts';
import { isFromForeignPage } from '../http/foreign-page.ts';
import { answerError } from './answer.ts';
import type { ListedProtocol, Protocol, Route } from './operation.ts';

const LONGEST_SHOWN_PATH = 200;

/** Methods that a route may have; others, such as TRACE, are never allowed. */
export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function isUsual(method: string): boolean {
  return METHODS.includes(method) || method === 'HEAD';
}

/**
 * The routes of protocols. If two have the same route, the first wins. A fixed word wins over a parameter in the same
 * place. The first request to a protocol loads it.
 */
export function mountProtocols(routes: Hono<AppEnvironment>, protocols: readonly ListedProtocol[]): void {
  for (const { path, allowed, refused } of findReservedPaths(protocols.flatMap((each) => each.routes))) {
    routes.on([...refused, 'OPTIONS'], toRoutePath(path), (c) => answerOtherMethod(c, allowed));
  }
  for (const { routes: listed, load } of protocols) {
    for (const route of listed) {
      let answer: Answering | undefined;
      routes.on(route.method === 'ALL' ? METHOD_NAME_ALL : route.method, toRoutePath(route.path), (c) => {
        if (answer) return answer(c);
        return load().then((protocol) => {
          answer = createAnswering(protocol, route);
          return answer(c);
        });
      });
    }
  }
}

type Answering = (c: Context<AppEnvironment>) => Promise<Response>;

/** How the operation of a route answers. */
function createAnswering(protocol: Protocol, route: Route): Answering {
  const operation = protocol.operations.find(
    ({ method, path }) => method === route.method && path === route.path,
  );
  if (!operation) throw new Error(`${protocol.name} has no operation for ${route.method} ${route.path}`);
  const { method, isAdmin, handle, encodeError = protocol.encodeError } = operation;
  return async (c) => {
    const { settle, context } = c.env;
    const by = { protocol: protocol.name, route: route.path, handledMs: performance.now() };
    if (encodeError) c.env = { ...c.env, encodeError };
    try {
      if (method === 'ALL' && !isUsual(c.req.method)) return answerOtherMethod(c, METHODS);
      if (isAdmin && isFromForeignPage(c.req.raw.headers)) throw foreignPage();
      const made = await handle(c);
      return settle('response' in made ? { ...by, ...made } : { ...by, response: made });
    } catch (thrown) {
      return settle({ ...by, ...answerError(thrown, context.requestId, encodeError) });
    }
  };
}

/**
 * Answers OPTIONS on a path that has operations of other methods.
 *
 * @param allowed the methods of these operations
 * @throws InferenceError METHOD_NOT_ALLOWED for all other methods
 */
export function answerOtherMethod({ req }: Context<AppEnvironment>, allowed: readonly string[]): Response {
  const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  if (req.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } });
  const path = JSON.stringify(req.path.slice(0, LONGEST_SHOWN_PATH));
  const text = `Method ${req.method} is not allowed on ${path}; allowed are ${allow}.`;
  throw new InferenceError('METHOD_NOT_ALLOWED', text, { headers: { allow } });
}

/** A web page must not change the server with the rights of the person who looks at it. */
function foreignPage(): InferenceError {
  return new InferenceError(
    'PERMISSION_DENIED',
    'A page of another site sent this request: only pages of this server, and programs that are not browsers, may change its models.',
  );
}

/**
 * `/v1/models/{model}:predict` as the router writes it; the verb becomes a part of the parameter. A name at the end has
 * no colon: `/v1/models/{model}` would take every verb.
 */
export function toRoutePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}(?=\/)/g, ':$1').replaceAll(/\{(\w+)\}(:\w+)?/g, ':$1{[^/:]+$2}');
}

/** A path with the methods that are refused on it. */
interface ReservedPath {
  readonly path: string;
  /** Methods of operations on exactly this path. */
  readonly allowed: readonly string[];
  /** Methods that only an operation with a parameter instead of the word would take. */
  readonly refused: readonly string[];
}

/**
 * The paths of operations that end in a fixed word, such as `/models/{model}/predict`, if another method takes that
 * word as a name, such as `GET /models/{model}/{version}`. A client that uses the wrong method would get an error about
 * a version it never asked for.
 */
function findReservedPaths(routes: readonly Route[]): readonly ReservedPath[] {
  const split = routes.map(({ method, path }) => ({ method, path, parts: path.split('/') }));
  const byLength = new Map<number, (typeof split)[number][]>();
  for (const route of split) {
    const same = byLength.get(route.parts.length);
    if (same) same.push(route);
    else byLength.set(route.parts.length, [route]);
  }
  // The router never takes a verb after a colon as a name.
  const paths = new Map(split.filter(({ path }) => /\/\w+$/.test(path)).map((route) => [route.path, route]));
  return [...paths].flatMap(([path, { parts }]) => {
    const near = byLength.get(parts.length) ?? [];
    const allowed = methodsOf(near.filter((route) => route.path === path));
    if (allowed.has('ALL')) return [];
    const others = methodsOf(near.filter((route) => route.path !== path && takesParts(route.parts, parts)));
    const refused = [...others].filter((method) => method !== 'ALL' && !allowed.has(method));
    return refused.length > 0 ? [{ path, allowed: [...allowed], refused }] : [];
  });
}

function methodsOf(routes: readonly Route[]): ReadonlySet<string> {
  return new Set(routes.map(({ method }) => method));
}

/** Whether a route has the same parts as a path, with a parameter where the path has a word. */
function takesParts(own: readonly string[], parts: readonly string[]): boolean {
  return own.every((part, index) => part === parts[index] || /^\{\w+\}$/.test(part));
}
