import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { isIPv6, Server as SocketServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { systemCodeOf } from '../shared/errors.ts';
import { createGate, responsesThrough } from './gate.ts';
import { guardLoopback, isLoopback } from './guard-loopback.ts';
import type { Host } from './host.ts';
import { createHttpFunction, type HttpFunction } from './http-function.ts';
import { KEEP_ALIVE_SECONDS } from './keep-alive.ts';
import { trackClients } from './track-clients.ts';

/** Longest for a client to send a whole request. */
const REQUEST_MS = 300_000;

/** Least time for a request that was begun before the signal to arrive. */
const LEAST_MS = 2_000;
/** Least time for a request to arrive on a connection that was taken as one of the last. */
const ARRIVAL_MS = 500;
/** Longest wait for answers, which a client may never read. */
const LAST_MS = 60_000;

/** The addresses of `localhost`. Programs try them in either order, and some of them only the first. */
const LOCALHOST = ['127.0.0.1', '::1'] as const;

export interface ServerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** A name or an address; `localhost` for both addresses of that name. */
  readonly hostname: string;
  /** How long a connection is kept on which nothing comes. */
  readonly keepAliveSeconds?: number;
  /** What answers the requests, where it is more than the app. */
  readonly handle?: HttpFunction;
}

export interface RunningServer {
  readonly url: string;
  /**
   * Ends without losing a request: within the grace it answers whoever comes, with `Connection: close`. Then it holds
   * its answers, each for 25 ms at most and for 250 ms once at the end, until all who wait for theirs have come; only then it takes no new connections,
   * and finishes the requests in progress. Clients that have not sent a complete request by then are disconnected.
   */
  close(graceMs: number): Promise<void>;
}

/** The server cannot listen where it should. The message says where, and what to do about it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Serves the app on a server of Node's own, guarded where it listens on loopback.
 *
 * @throws ListenError
 */
export async function startServer(
  host: Host,
  { port, hostname, keepAliveSeconds = KEEP_ALIVE_SECONDS, handle = createHttpFunction(host) }: ServerOptions,
): Promise<RunningServer> {
  let answer = guardLoopback(handle, host, hostname);
  const gate = createGate();
  const clients = trackClients(gate);
  /** Answers, and what is done after them. */
  const running = new Set<Promise<void>>();
  const receive = (request: IncomingMessage, response: ServerResponse) => {
    clients.follow(request, response);
    const fault = findFault(request);
    if (fault) return refuse(fault, response);
    gate.pass(() => {
      // A client may have gone meanwhile.
      if (response.destroyed) return;
      const done = answer(request, response)
        .catch((error: unknown) => {
          host.logger.log('error', 'a request cannot be answered', { error });
          response.destroy();
        })
        .finally(() => running.delete(done));
      running.add(done);
    });
  };
  // Node's own refusal of a request without a Host field has no body.
  const server = createServer(
    {
      keepAliveTimeout: keepAliveSeconds * 1000,
      requestTimeout: REQUEST_MS,
      requireHostHeader: false,
      ServerResponse: responsesThrough(gate),
    },
    receive,
  );
  server.on('checkExpectation', (request, response) => {
    clients.follow(request, response);
    refuse(UNKNOWN_EXPECTATION, response);
  });
  server.on('checkContinue', (request, response) => {
    // The client sends its body only when it is asked to. Without one it would take the next request for the body.
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > host.config.limits.bodyBytes;
    if (isTooLarge) response.shouldKeepAlive = false;
    else if (!findFault(request)) response.writeContinue();
    receive(request, response);
  });
  server.on('connection', clients.add);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    gate.pass(() => socket.end(refusal(error)));
  });
  const listeners = await listenOnAll(server, port, hostname).catch((error: unknown) => {
    const code = systemCodeOf(error);
    const reason =
      code === 'EADDRINUSE' ? 'is in use already; choose another with --port or PORT' : 'cannot be used';
    throw new ListenError(`${hostname}:${port} ${reason} (${code}).`, { cause: error });
  });
  // From elsewhere it is reached by names that are not known here.
  if (!listeners.map(addressOf).every(isLoopback)) answer = handle;
  return {
    url: urlOf(hostname, portOf(server)),
    close: async (graceMs) => {
      clients.askToLeave();
      await wait(graceMs);
      await clients.quiet();
      const closed = Promise.all(listeners.map((listener) => once(listener, 'close')));
      // The server's own close() would cut idle connections, on which a client may be about to send.
      for (const listener of listeners) SocketServer.prototype.close.call(listener);
      gate.open();
      server.closeIdleConnections();
      const timers = [
        setTimeout(clients.dropUnfinished, Math.max(ARRIVAL_MS, LEAST_MS - graceMs)),
        setTimeout(() => server.closeAllConnections(), LAST_MS),
      ];
      await closed;
      await Promise.all(running);
      timers.forEach(clearTimeout);
    },
  };
}

/** The address to open in a browser of this machine. */
export function urlOf(hostname: string, port: number): string {
  if (['0.0.0.0', '::', ...LOCALHOST].includes(hostname)) return `http://localhost:${port}`;
  return `http://${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}

/** A server has one address: on the second one another server listens, and hands over its connections. */
async function listenOnAll(
  server: SocketServer,
  port: number,
  hostname: string,
): Promise<readonly SocketServer[]> {
  if (hostname !== 'localhost') {
    await listen(server, port, hostname);
    return [server];
  }
  const [first, second] = LOCALHOST;
  await listen(server, port, first);
  const other = new SocketServer((socket) => server.emit('connection', socket));
  try {
    await listen(other, portOf(server), second);
    return [server, other];
  } catch (error) {
    // Machines without IPv6 have no second address.
    if (systemCodeOf(error) !== 'EADDRINUSE') return [server];
    const closed = once(server, 'close');
    server.close();
    await closed;
    if (port !== 0) throw error;
    // The system has chosen a port that is free on the first address alone.
    return await listenOnAll(server, port, hostname);
  }
}

function listen(server: SocketServer, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function addressOf(server: SocketServer): string {
  const address = server.address();
  return typeof address === 'object' && address ? address.address : '';
}

function portOf(server: SocketServer): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** What is refused before the app sees it. */
interface Fault {
  readonly status: number;
  readonly text: string;
}

const UNKNOWN_EXPECTATION: Fault = {
  status: 417,
  text: 'The header Expect names something else than 100-continue.',
};

/** What Node lets pass of the rules that say where a request ends and whom it is for. Source: RFC 9112, 3.2 and 6.1. */
function findFault({ httpVersion, headers, rawHeaders }: IncomingMessage): Fault | undefined {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
  if (hosts > 1) return { status: 400, text: `The request has ${hosts} Host headers; expected one.` };
  if (hosts === 0 && httpVersion === '1.1') return { status: 400, text: 'The request has no Host header.' };
  const coding = headers['transfer-encoding']?.trim().toLowerCase();
  if (coding === undefined || coding === 'chunked') return undefined;
  return {
    status: 501,
    text: 'The only Transfer-Encoding that is accepted is chunked; a compressed body is sent with Content-Encoding.',
  };
}

/** The connection is closed: where its next request begins is not known. */
function refuse(fault: Fault, response: ServerResponse): void {
  const body = describeFault(fault);
  response.shouldKeepAlive = false;
  response
    .writeHead(fault.status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    .end(body);
}

function describeFault({ status, text }: Fault): string {
  return JSON.stringify({ error: text, error_code: 'BAD_REQUEST', code: status, message: text });
}

/** The answer to what is not HTTP. Node's own has no body, which clients of JSON cannot read. */
function refusal(error: NodeJS.ErrnoException): string {
  const fault = faultOf(error);
  const body = describeFault(fault);
  return (
    `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
}

function faultOf({ code }: NodeJS.ErrnoException): Fault {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { status: 431, text: 'The headers of the request are too large.' };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: 408, text: 'The request did not arrive in time.' };
  return { status: 400, text: 'The request is not valid HTTP.' };
}
