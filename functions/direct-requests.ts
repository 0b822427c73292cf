import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import { inspect } from 'node:util';
import type { HttpFunction } from './http-function.ts';
import { KEEP_ALIVE_SECONDS } from './keep-alive.ts';
import { printable } from './printable.ts';

/**
 * Passes requests to the function as the server of the functions framework receives them, bypassing the framework's
 * Express app. That app takes several times as long as the function, and answers malformed JSON, unknown encodings and
 * bad escapes with an HTML page before it calls the function.
 *
 * Node publishes each request and its server on a diagnostics channel before it emits the request. At the first one,
 * the listeners of that server are replaced; it is the framework's, because it is the only one in the process. If this
 * has no effect, the framework calls the function as usual.
 */
export function receiveDirectly(handle: HttpFunction): void {
  const takeOver = (message: unknown): void => {
    const server = serverOf(message);
    if (!server) return;
    unsubscribe(CHANNEL, takeOver);
    server.removeAllListeners('request');
    server.keepAliveTimeout = KEEP_ALIVE_SECONDS * 1000;
    server.on('request', (request, response) => {
      handle(request, response).catch((error: unknown) => {
        // A client that disconnected while it was sending cannot be answered; any other failure is a bug.
        if (!request.destroyed) console.error(printable(inspect(error)));
        response.destroy();
      });
    });
  };
  subscribe(CHANNEL, takeOver);
}

const CHANNEL = 'http.server.request.start';

function serverOf(message: unknown): Server | undefined {
  const isMessage = typeof message === 'object' && message !== null && 'server' in message;
  return isMessage && message.server instanceof Server ? message.server : undefined;
}
