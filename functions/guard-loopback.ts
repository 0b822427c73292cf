import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { InferenceError } from '../shared/errors.ts';
import { HeaderList } from '../shared/http/header-list.ts';
import { createContext, type Host } from './host.ts';
import { type HttpFunction, send } from './http-function.ts';

/**
 * Protects a server that only this machine can reach from the pages that its browsers show. Such a page can send
 * requests to localhost, and a page whose own name is given the address 127.0.0.1 can even read the answers (DNS
 * rebinding). The first is seen by `Sec-Fetch-Site`, which no script can set, the second by the `Host` field, which has
 * the name of the page.
 *
 * @param hostname what the server was asked to listen on, a name by which it is known
 */
export function guardLoopback(handle: HttpFunction, { app, config }: Host, hostname: string): HttpFunction {
  const isLocal = createLocalCheck(hostname);
  const published = config.allowedHosts.map((name) => hostOf(name) ?? name);
  return async (request, response) => {
    const problem = findProblem(request, isLocal, published);
    if (problem === undefined) return await handle(request, response);
    const id = request.headers['x-request-id'];
    const context = createContext(
      new HeaderList(typeof id === 'string' ? { 'x-request-id': id } : {}),
      undefined,
    );
    await send(app.refuse(new InferenceError('PERMISSION_DENIED', problem), context), response);
  };
}

/** Whether an address of this machine is reached by nobody else. */
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
  // Under such a name a proxy has made the server public: which pages may use it is the proxy's to say.
  const name = hostOf(authority);
  if (name !== undefined && published.some((pattern) => matches(name, pattern))) return undefined;
  return describeStranger(name ?? authority);
}

const CROSS_SITE =
  'A page of another site sent this request, and this server listens on loopback: it answers its own pages, and programs that are not browsers. Behind a proxy, let that pass on the Host field, and put the name into ALLOWED_HOSTS.';

/**
 * The name that the client knows the server by, which may be empty; undefined for those of HTTP/1.0, which need none. A
 * whole URL as the target wins over `Host` (RFC 9112, section 3.2.2). `X-Forwarded-Host` does not count: anybody can send it.
 */
function authorityOf({ url = '', headers }: IncomingMessage): string | undefined {
  return /^https?:\/\/([^/?#]*)/i.exec(url)?.[1] ?? headers.host;
}

/**
 * A link to the playground from elsewhere, or a frame of an editor that shows it, is opened by the user. It can only
 * ask for what is there, and the page that has the link cannot read it.
 */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate';
}

/** The last name that was one of this machine is remembered: a client sends the same one each time. */
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
 * Undefined for what is not an authority.
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
