import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:http';
import { inspect } from 'node:util';
import type { HttpFunction } from './http-function.ts';
import { KEEP_ALIVE_SECONDS } from './keep-alive.ts';
import { printable } from './printable.ts';

/**
 * Gives requests to the function as the functions framework's server receives them, past the framework's Express app.
 * That app costs several times what the function does, and answers malformed JSON, unknown encodings and bad escapes
 * with an HTML page before the function is called.
 *
 * Node announces each request on a diagnostics channel before it emits it, with the server that has it. The first
 * announcement replaces the listeners of that server, which is the framework's: it is the only one in the process.
 * Wherever this has no effect, the framework calls the function.
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
        // A client that has gone while it was sending cannot be answered; anything else is our mistake.
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
