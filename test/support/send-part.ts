import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { portOf } from './port-of.ts';
import { cutOut, type StoreEffect, sendBody, staysUnanswered } from './store-faults.ts';

/**
 * Does what a fault does before an answer. The code of a refusal can be a number of seconds, for `retry-after`.
 *
 * @returns what it does to the body; `ended` if there is no other answer
 */
export async function faultOf(
  effect: StoreEffect | undefined,
  response: ServerResponse,
): Promise<StoreEffect | 'ended' | undefined> {
  if (effect?.kind === 'run') await effect.action();
  if (effect?.kind === 'late') await sleep(effect.pauseMs);
  if (staysUnanswered(effect, response)) return 'ended';
  if (effect?.kind !== 'refuse') return effect;
  response
    .writeHead(effect.status, /^\d+$/.test(effect.code) ? { 'retry-after': effect.code } : {})
    .end('no');
  return 'ended';
}

/** Sends a content with its fault, or the part of it that was asked for. */
export async function sendPart(
  request: { readonly range: string | undefined; sentBytes: number },
  response: ServerResponse,
  bytes: Buffer,
  effect: StoreEffect | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.range ?? '') ?? [];
  const [start, end] = from === undefined ? [0, bytes.length] : [Number(from), Number(to) + 1];
  const part = from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
  const body = cutOut(bytes, start, end, effect);
  response.writeHead(from === undefined ? 200 : 206, { 'content-length': body.length, ...part, ...headers });
  await sendBody(response, body, effect, request);
}

/** A server on a free port of this machine. */
export async function listen(
  answer: (message: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((message, response) => {
    answer(message, response).catch((error: unknown) => response.destroy(Object(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
