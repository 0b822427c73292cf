import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { toInferenceError } from '../shared/errors.ts';
import { gatherBody } from '../shared/http/body-memory.ts';
import { BytesRequest } from '../shared/http/bytes.ts';
import { errorResponse } from '../shared/http/respond.ts';
import { createContext, type Host, type HostContext, requestUrl } from './host.ts';

/** What the functions framework calls; Express requests and responses are those of Node with more on them. */
export type HttpFunction = (request: HttpRequest, response: ServerResponse) => Promise<void>;

type HttpRequest = IncomingMessage & { readonly rawBody?: Buffer; readonly originalUrl?: string };

/**
 * Serves the app as an HTTP function of Google Cloud, or on any server of Node.
 *
 * @param isFrozen whether the host gives the process no time after an answer, so that work must be done before it
 */
export function createHttpFunction(host: Host, { isFrozen = false } = {}): HttpFunction {
  const { app, config, logger } = host;
  return async (incoming, outgoing) => {
    const headers = readHeaders(incoming);
    const client = new AbortController();
    outgoing.once('close', () => client.abort());
    const context = createContext(headers, undefined, { signal: client.signal });
    try {
      await answer(incoming, outgoing, headers, context);
    } catch (error) {
      // A client that has gone while it was sending cannot be answered; anything else is our mistake.
      if (!incoming.complete && incoming.destroyed) return void outgoing.destroy();
      logger.log('error', 'an answer cannot be sent', { request_id: context.requestId, status: 500, error });
      if (outgoing.headersSent) outgoing.destroy();
      else await send(errorResponse(toInferenceError(error), context.requestId), outgoing);
    }
  };

  async function answer(
    incoming: HttpRequest,
    outgoing: ServerResponse,
    headers: Headers,
    context: HostContext,
  ): Promise<void> {
    // Where the framework has read the body, it has inflated it as well.
    if (incoming.rawBody) headers.delete('content-encoding');
    const body = incoming.rawBody ?? (await readBody(incoming, headers, config.limits.bodyBytes));
    const url = requestUrl(incoming.originalUrl ?? incoming.url ?? '/');
    const request = new BytesRequest(url, { method: incoming.method ?? 'GET', headers }, body);
    const response = await app.fetch(request, context);
    if (isFrozen) await host.runWaitingWork(context);
    await send(response, outgoing);
    if (!incoming.complete) discardRest(incoming);
    if (!context.waitingWork.isEmpty()) {
      await finished(outgoing).catch(() => undefined);
      await host.runWaitingWork(context);
    }
  }
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  const bytes = response.body === null ? undefined : await response.bytes();
  if (bytes) response.headers.set('content-length', String(bytes.length));
  outgoing.writeHead(response.status, [...response.headers].flat());
  // Node sends a string in one piece with the header, bytes in a second one.
  if (bytes && bytes.length <= SMALL_BODY_BYTES)
    outgoing.end(Buffer.from(bytes).toString('latin1'), 'latin1');
  else outgoing.end(bytes);
}

const SMALL_BODY_BYTES = 4096;

/** How long a client may go on sending a body that was refused. */
const LINGER_MS = 2_000;

/** Closing at once would reset the connection before a client that is still sending has read the answer. */
function discardRest(incoming: IncomingMessage): void {
  const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS);
  incoming.once('close', () => clearTimeout(timer));
  incoming.resume();
}

function readHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2)
    headers.append(rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '');
  return headers;
}

/**
 * The body, or as much of it as shows that it is over the limit; nothing when its declared length is.
 * Rejects when the client breaks off.
 */
function readBody(incoming: IncomingMessage, headers: Headers, limitBytes: number): Promise<Uint8Array> {
  if (Number(headers.get('content-length') ?? 0) > limitBytes) return Promise.resolve(new Uint8Array(0));
  return new Promise((resolve, reject) => {
    // Where the length is not declared, one byte beyond the limit shows that there are more.
    const parts = gatherBody(headers, Number(headers.get('content-length') ?? limitBytes + 1));
    const finish = () => resolve(parts.join());
    let length = 0;
    incoming.on('data', (chunk: Buffer) => {
      parts.add(chunk);
      length += chunk.length;
      if (length > limitBytes) {
        incoming.pause();
        incoming.removeAllListeners('data');
        incoming.removeListener('end', finish);
        finish();
      }
    });
    incoming.on('end', finish);
    incoming.on('error', reject);
  });
}
