import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { isIPv6, Server as SocketServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { systemCodeOf } from '../shared/errors.ts';
import { limitHeapGrowth } from '../shared/runtime/process-memory.ts';
import { createGate, responsesThrough } from './gate.ts';
import { guardLoopback, isLoopback } from './guard-loopback.ts';
import type { Host } from './host.ts';
import { createHttpFunction, type HttpFunction } from './http-function.ts';
import { KEEP_ALIVE_SECONDS } from './keep-alive.ts';
import { trackClients } from './track-clients.ts';

/** Longest time for a client to send a whole request. */
const REQUEST_MS = 300_000;

/** Least time in which a request that began before the signal may arrive. */
const LEAST_MS = 2_000;
/** Least time in which a request may arrive on one of the last accepted connections. */
const ARRIVAL_MS = 500;
/** Longest wait for answers, which a client may never read. */
const LAST_MS = 60_000;

/** The addresses of `localhost`. Programs try them in either order, and some of them only the first. */
const LOCALHOST = ['127.0.0.1', '::1'] as const;

export interface ServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** A name or an address; `localhost` for both addresses of that name. */
  readonly hostname: string;
  /** How long an idle connection is kept open. */
  readonly keepAliveSeconds?: number;
  /** Answers the requests instead of the app. */
  readonly handle?: HttpFunction;
}

export interface RunningServer {
  readonly url: string;
  /**
   * Ends without losing a request. During the grace period it answers every request, with `Connection: close`. Then it
   * holds back its answers, each for at most 25 ms and once for 250 ms at the end, until all clients on their way have
   * connected. Only then does it stop accepting connections, and finishes the requests in progress. Clients that have
   * not sent a complete request by then are disconnected.
   */
  close(graceMs: number): Promise<void>;
}

/** The server cannot listen on its address. The message says which address, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Serves the app on a Node server, with a guard if it listens on loopback.
 *
 * @throws ListenError
 */
export async function startServer(
  host: Host,
  { port, hostname, keepAliveSeconds = KEEP_ALIVE_SECONDS, handle = createHttpFunction(host) }: ServerOptions,
): Promise<RunningServer> {
  limitHeapGrowth();
  let answer = guardLoopback(handle, host, hostname);
  const gate = createGate();
  const clients = trackClients(gate);
  /** How many answers are in progress, with the work after them. */
  let running = 0;
  let rest = () => {};
  const finish = async (request: IncomingMessage, response: ServerResponse) => {
    running += 1;
    try {
      await answer(request, response);
    } catch (error) {
      host.logger.log('error', 'a request cannot be answered', { error });
      response.destroy();
    } finally {
      running -= 1;
      if (running === 0) rest();
    }
  };
  const receive = (request: IncomingMessage, response: ServerResponse) => {
    clients.follow(response);
    const fault = findFault(request);
    if (fault) return refuse(fault, response);
    gate.pass(() => {
      // The client may have disconnected in the meantime.
      if (!response.destroyed) void finish(request, response);
    });
  };
  // Node refuses a request without a Host field with an empty body.
  const server = createServer(
    {
      keepAliveTimeout: keepAliveSeconds * 1000,
      requestTimeout: REQUEST_MS,
      requireHostHeader: false,
      ServerResponse: responsesThrough(gate),
    },
    receive,
  );
  server.on('checkExpectation', (_, response) => {
    clients.follow(response);
    refuse(UNKNOWN_EXPECTATION, response);
  });
  server.on('checkContinue', (request, response) => {
    // The client sends its body only when asked to. If it is not asked, its next request would be read as the body.
    const isTooLarge = Number(request.headers['content-length'] ?? 0) > host.config.limits.bodyBytes;
    if (isTooLarge) response.shouldKeepAlive = false;
    else if (!findFault(request)) response.writeContinue();
    receive(request, response);
  });
  server.on('connection', clients.add);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const refuse = () => gate.pass(() => socket.end(refusal(error)));
    // What is not HTTP may come after a request that still waits for its answer.
    const pending = clients.pending(socket);
    if (pending) pending.once('finish', refuse);
    else refuse();
  });
  const listeners = await listenOnAll(server, port, hostname).catch((error: unknown) => {
    const code = systemCodeOf(error);
    const reason =
      code === 'EADDRINUSE' ? 'is already in use; choose another port with --port or PORT' : 'cannot be used';
    throw new ListenError(`${hostname}:${port} ${reason} (${code}).`, { cause: error });
  });
  // Other machines may reach it by names that are not known here.
  if (!listeners.map(addressOf).every(isLoopback)) answer = handle;
  return {
    url: urlOf(hostname, portOf(server)),
    close: async (graceMs) => {
      clients.askToLeave();
      await wait(graceMs);
      await clients.quiet();
      const closed = Promise.all(listeners.map((listener) => once(listener, 'close')));
      // The server's own close() would close idle connections on which a client may be about to send.
      for (const listener of listeners) SocketServer.prototype.close.call(listener);
      gate.open();
      server.closeIdleConnections();
      const timers = [
        setTimeout(clients.dropUnfinished, Math.max(ARRIVAL_MS, LEAST_MS - graceMs)),
        setTimeout(() => server.closeAllConnections(), LAST_MS),
      ];
      await closed;
      if (running > 0) {
        await new Promise<void>((resolve) => {
          rest = resolve;
          // Nobody reads these answers any more.
          timers.push(setTimeout(resolve, LAST_MS));
        });
      }
      timers.forEach(clearTimeout);
    },
  };
}

/** The URL to open in a browser on this machine. */
export function urlOf(hostname: string, port: number): string {
  if (['0.0.0.0', '::', ...LOCALHOST].includes(hostname)) return `http://localhost:${port}`;
  return `http://${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}

/** A server has one address, so a second server listens on the second address, and passes its connections. */
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
    // A machine without IPv6 has no second address.
    if (systemCodeOf(error) !== 'EADDRINUSE') return [server];
    const closed = once(server, 'close');
    server.close();
    await closed;
    if (port !== 0) throw error;
    // The system has chosen a port that is free only on the first address.
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

/** A request that is refused before the app sees it. */
interface Fault {
  readonly status: number;
  readonly text: string;
}

const UNKNOWN_EXPECTATION: Fault = {
  status: 417,
  text: 'The Expect header is not 100-continue.',
};

/** Checks that Node does not make: where a request ends, and which host it is for. Source: RFC 9112, 3.2 and 6.1. */
function findFault({ httpVersion, headers, rawHeaders }: IncomingMessage): Fault | undefined {
  const hosts = countHosts(rawHeaders);
  if (hosts > 1) return { status: 400, text: `The request has ${hosts} Host headers; expected one.` };
  if (hosts === 0 && httpVersion === '1.1') return { status: 400, text: 'The request has no Host header.' };
  const coding = headers['transfer-encoding']?.trim().toLowerCase();
  if (coding === undefined || coding === 'chunked') return undefined;
  return {
    status: 501,
    text: 'The Transfer-Encoding must be chunked; use Content-Encoding for a compressed body.',
  };
}

/** Names and values in turn. */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts;
}

/** Closes the connection as well, because it is not known where its next request begins. */
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

/** The answer to data that is not HTTP. Node's default has no body, which JSON clients cannot read. */
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
