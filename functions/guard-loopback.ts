import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { InferenceError } from '../shared/errors.ts';
import { HeaderList } from '../shared/http/header-list.ts';
import { createContext, type Host } from './host.ts';
import { type HttpFunction, send } from './http-function.ts';

/**
 * Protects a server that only this machine can reach from web pages in its browsers. Such a page can send requests to
 * localhost, and a page whose own name resolves to 127.0.0.1 can even read the answers (DNS rebinding).
 * `Sec-Fetch-Site`, which no script can set, shows the first; the `Host` field, which has the name of the page, shows
 * the second.
 *
 * @param hostname the name that the server listens on, by which clients may call it
 */
export function guardLoopback(handle: HttpFunction, { app, config }: Host, hostname: string): HttpFunction {
  const isLocal = createLocalCheck(hostname);
  const published = config.allowedHosts.map((name) => hostOf(name) ?? name);
  const refuse = async (problem: string, ...[request, response]: Parameters<HttpFunction>) => {
    const id = request.headers['x-request-id'];
    const context = createContext(
      new HeaderList(typeof id === 'string' ? { 'x-request-id': id } : {}),
      undefined,
    );
    await send(app.refuse(new InferenceError('PERMISSION_DENIED', problem), context), response);
  };
  return (request, response) => {
    const problem = findProblem(request, isLocal, published);
    return problem === undefined ? handle(request, response) : refuse(problem, request, response);
  };
}

/** Whether only this machine can reach an address. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && LOOPBACK.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function findProblem(
  request: IncomingMessage,
  isLocal: (authority: string) => boolean,
  published: readonly string[],
): string | undefined {
  const authority = authorityOf(request);
  if (authority === undefined || isLocal(authority)) {
    return request.headers['sec-fetch-site'] === 'cross-site' && !isNavigation(request)
      ? CROSS_SITE
      : undefined;
  }
  // A proxy has made the server public under this name, so the proxy decides which pages may use it.
  const name = hostOf(authority);
  if (name !== undefined && published.some((pattern) => matches(name, pattern))) return undefined;
  return describeStranger(name ?? authority);
}

const CROSS_SITE =
  'A page of another site sent this request. This server listens on loopback, and answers only its own pages and programs that are not browsers. If it is behind a proxy, let the proxy pass the Host field, and add that name to ALLOWED_HOSTS.';

/**
 * The name by which the client calls the server, which may be empty; undefined for clients of HTTP/1.0, which may leave
 * it out. A whole URL as the target overrides `Host` (RFC 9112, section 3.2.2). `X-Forwarded-Host` is ignored, because
 * anybody can send it.
 */
function authorityOf({ url = '', headers }: IncomingMessage): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? headers.host;
}

/**
 * The user opens a link to the playground on another page, or a frame of an editor that shows it. Such a request can
 * only read, and the page that has the link cannot see the answer.
 */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate';
}

/** Remembers the last name that was local, because a client sends the same one each time. */
function createLocalCheck(hostname: string): (authority: string) => boolean {
  const names = ['localhost', '*.localhost', hostOf(hostname) ?? hostname];
  let last: string | undefined;
  return (authority) => {
    if (authority === last) return true;
    const name = hostOf(authority);
    if (name === undefined) return false;
    const isLocal =
      isLoopback(name.replace(/^\[|\]$/g, '')) || names.some((pattern) => matches(name, pattern));
    if (isLocal) last = authority;
    return isLocal;
  };
}

function matches(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/**
 * The host of an authority as URLs write it: `LocalHost.:80` is localhost, `127.1` is 127.0.0.1, `[0::1]` is [::1].
 * Undefined if the text is not an authority.
 */
function hostOf(authority: string): string | undefined {
  const url = `http://${isIPv6(authority) ? `[${authority}]` : authority}`;
  if (/[/?#@\\\s]/.test(authority) || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/\.$/, '');
}

const LONGEST_NAME = 100;

function describeStranger(name: string): string {
  const shown = JSON.stringify(name.slice(0, LONGEST_NAME));
  const setting = /^[\w.-]{1,100}$/.test(name) ? name : '<name>';
  return `This server listens on loopback and is not known as ${shown}: call it localhost, or start it with ALLOWED_HOSTS=${setting} to allow the name.`;
}
