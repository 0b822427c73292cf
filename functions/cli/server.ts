import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as SocketServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Host } from '../host.ts';
import { createHttpFunction } from '../http-function.ts';
import { CommandError, printError } from './console.ts';
import { trackClients } from './track-clients.ts';

/** Longer than the minute that load balancers keep idle connections, so that they never use one we are closing. */
const KEEP_ALIVE_MS = 75_000;
/** Longest for a client to send a whole request. */
const REQUEST_MS = 300_000;

/** Least time for a request that was begun before the signal to arrive. */
const LEAST_MS = 2_000;
/** Longest wait for answers, which a client may never read. */
const LAST_MS = 60_000;

export interface RunningServer {
  readonly url: string;
  /**
   * Ends without losing a request: within the grace it answers whoever comes, with `Connection: close`; then it takes no
   * new connections and answers what is under way. Who has not sent a whole request by then is not waited for.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Serves the app on a server of Node's own.
 *
 * @throws CommandError when the address cannot be used
 */
export async function startServer(host: Host, port: number, hostname: string): Promise<RunningServer> {
  const handle = createHttpFunction(host);
  let isClosing = false;
  const clients = trackClients();
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_MS },
    (request, response) => {
      clients.follow(request, response);
      if (isClosing) response.shouldKeepAlive = false;
      handle(request, response).catch((error: unknown) => {
        // A client that has gone while it was sending cannot be answered; anything else is our mistake.
        if (!request.destroyed) printError(`${inspect(error)}\n`);
        response.destroy();
      });
    },
  );
  server.on('connection', clients.add);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.end(refusal(error));
  });
  await listen(server, port, hostname);
  return {
    url: urlOf(server.address(), hostname),
    close: async (graceMs) => {
      isClosing = true;
      await wait(graceMs);
      await clients.quiet();
      const closed = once(server, 'close');
      // The server's own close() would cut idle connections, on which a client may be about to send.
      SocketServer.prototype.close.call(server);
      server.closeIdleConnections();
      const timers = [
        setTimeout(clients.dropUnfinished, Math.max(0, LEAST_MS - graceMs)),
        setTimeout(() => server.closeAllConnections(), LAST_MS),
      ];
      await closed;
      timers.forEach(clearTimeout);
    },
  };
}

function listen(server: Server, port: number, hostname: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'is in use already; choose another with --port' : 'cannot be used';
      reject(new CommandError(`${hostname}:${port} ${reason} (${error.code}).`));
    });
    server.listen(port, hostname, resolve);
  });
}

function urlOf(address: AddressInfo | string | null, hostname: string): string {
  const port = typeof address === 'object' && address ? address.port : 0;
  const name = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(hostname) ? 'localhost' : hostname;
  return `http://${name}:${port}`;
}

/** The answer to what is no HTTP. Node's own has no body, which clients of JSON cannot read. */
function refusal(error: NodeJS.ErrnoException): string {
  const [status, reason, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', 'The headers of the request are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request did not arrive in time.']
        : [400, 'Bad Request', 'The request is not valid HTTP.'];
  const body = JSON.stringify({ error: text, error_code: 'BAD_REQUEST', code: status, message: text });
  return (
    `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    `connection: close\r\n\r\n${body}`
  );
}
