import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import type { ClientSignal } from '../shared/budget.ts';
import { InferenceError, toInferenceError } from '../shared/errors.ts';
import { allocateBody, gatherBody } from '../shared/http/body-memory.ts';
import { type BodyPart, SMALL_BYTES } from '../shared/http/body-room.ts';
import { BytesRequest, BytesResponse, contentOf } from '../shared/http/bytes.ts';
import { HeaderList, pairsOf } from '../shared/http/header-list.ts';
import { countCodings } from '../shared/http/read-body.ts';
import { errorResponse } from '../shared/http/respond.ts';
import { beginAlone, beginTogether } from '../shared/turns.ts';
import { createContext, type Host, type HostContext, requestUrl } from './host.ts';

/** The function that the functions framework calls; requests and responses of Express extend those of Node. */
export type HttpFunction = (request: HttpRequest, response: ServerResponse) => Promise<void>;

/** Larger bodies take so long to decode that others would notice if they began together. */
const MOST_TOGETHER_BYTES = 16_384;

type HttpRequest = IncomingMessage & {
  readonly rawBody?: Buffer;
  readonly originalUrl?: string;
  readonly body?: unknown;
};

/**
 * Serves the app as an HTTP function on Google Cloud, or on any Node server.
 *
 * @param isFrozen whether the host may stop the process after an answer, so that work must be done before it
 * @param isMounted whether it is a part of another server, which may have cut the path and read the body
 * @param compress whether answers are compressed for clients that accept it
 */
export function createHttpFunction(
  host: Host,
  { isFrozen = false, isMounted = false, compress = true } = {},
): HttpFunction {
  const { app, config, logger } = host;
  return async (incoming, outgoing) => {
    const headers = HeaderList.ofRaw(incoming.rawHeaders);
    if (!compress) headers.delete('accept-encoding');
    const signal = new Client(outgoing);
    const part = app.bodyRoom.open(signal);
    const context = createContext(headers, undefined, { signal, body: part });
    try {
      let response: Response;
      try {
        response = await ask(incoming, headers, context, part);
      } finally {
        part.close();
      }
      if (isFrozen) await host.runWaitingWork(context);
      const sent = send(response, outgoing);
      if (sent instanceof Promise) await sent;
      if (!incoming.complete) discardRest(incoming);
      if (!context.waitingWork.isEmpty()) {
        await finished(outgoing).catch(() => undefined);
        await host.runWaitingWork(context);
      }
    } catch (error) {
      // A client that disconnected while it was sending cannot be answered; any other failure is a bug.
      if (!incoming.complete && incoming.destroyed) return void outgoing.destroy();
      logger.log('error', 'an answer cannot be sent', { request_id: context.requestId, status: 500, error });
      if (outgoing.headersSent) outgoing.destroy();
      else await send(errorResponse(toInferenceError(error), context.requestId), outgoing);
    }
  };

  async function ask(
    incoming: HttpRequest,
    headers: Headers,
    context: HostContext,
    part: BodyPart,
  ): Promise<Response> {
    const known = incoming.rawBody ?? (isMounted ? parsedBodyOf(incoming) : undefined);
    // If the framework has read the body, it has also decompressed it.
    if (known) headers.delete('content-encoding');
    const body =
      known ??
      (await readBody(incoming, headers, config.limits.bodyBytes, part).catch((error: unknown) => {
        // Others wait for its room, and its answer may take a while.
        part.close();
        if (error instanceof InferenceError) return error;
        throw error;
      }));
    if (body instanceof InferenceError || body.length <= MOST_TOGETHER_BYTES) await beginTogether();
    else beginAlone();
    const url = requestUrl(isMounted ? mountedTargetOf(incoming, config.basePath) : targetOf(incoming));
    return await app.fetch(
      new BytesRequest(url, { method: incoming.method ?? 'GET', headers }, body),
      context,
    );
  }
}

function targetOf({ url = '/', originalUrl = url }: HttpRequest): string {
  return originalUrl;
}

/** Express cuts the prefix off. Answers with addresses of the server need it, if it is the one of the configuration. */
function mountedTargetOf({ url = '/', originalUrl = url }: HttpRequest, basePath: string): string {
  if (basePath === '' || !originalUrl.startsWith(basePath)) return url;
  return /^(?:$|[/?])/.test(originalUrl.slice(basePath.length)) ? originalUrl : url;
}

/** Parsers of forms make objects from which the body cannot be made again. */
const FORM = /^(?:multipart\/|application\/x-www-form-urlencoded\b)/i;

/**
 * The body that a framework has read, as `express.json()` does: nobody can read the stream again. Undefined if it has
 * not been read.
 */
function parsedBodyOf(incoming: HttpRequest): Buffer | InferenceError | undefined {
  const { readableDidRead, readableEnded, headers, body } = incoming;
  if (!readableDidRead && !readableEnded) return undefined;
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (body !== undefined && !FORM.test(headers['content-type'] ?? ''))
    return Buffer.from(JSON.stringify(body));
  const isEmpty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
  return isEmpty ? Buffer.alloc(0) : bodyTaken();
}

/** The author of the other server reads this in the first answer. */
export function bodyTaken(): InferenceError {
  return new InferenceError(
    'INTERNAL_ERROR',
    'The server has read the body of this request before Ternion could: mount Ternion before its body parsers; docs/library.md shows how.',
  );
}

/** Whether the client of a response has gone before it had the whole answer. */
class Client implements ClientSignal {
  readonly #outgoing: ServerResponse;

  constructor(outgoing: ServerResponse) {
    this.#outgoing = outgoing;
  }

  get aborted(): boolean {
    return this.#outgoing.destroyed && !this.#outgoing.writableFinished;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#outgoing.once('close', listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#outgoing.removeListener('close', listener);
  }
}

/** Sends an answer with its Content-Length. */
export function send(response: Response, outgoing: ServerResponse): Promise<void> | undefined {
  if (!(response instanceof BytesResponse)) {
    return contentOf(response).then((content) => write(response, content, outgoing));
  }
  const { pieces } = response;
  if (pieces === undefined) write(response, response.content, outgoing);
  else writePieces(response, pieces, outgoing);
  return undefined;
}

/** The system takes all pieces with one call. */
function writePieces(response: Response, pieces: readonly Uint8Array[], outgoing: ServerResponse): void {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.headers.set('content-length', String(length));
  outgoing.writeHead(response.status, listOf(response.headers));
  outgoing.cork();
  for (const piece of pieces) outgoing.write(piece);
  outgoing.end();
  outgoing.uncork();
}

function write(response: Response, content: string | Uint8Array | undefined, outgoing: ServerResponse): void {
  const length = content === undefined ? 0 : Buffer.byteLength(content);
  if (content !== undefined) response.headers.set('content-length', String(length));
  outgoing.writeHead(response.status, listOf(response.headers));
  if (content === undefined || length > SMALL_ANSWER_BYTES) outgoing.end(content);
  // Node sends a latin1 string together with the header, and anything else in a second piece.
  else if (typeof content === 'string' && content.length === length) outgoing.end(content, 'latin1');
  else outgoing.end(Buffer.from(content).toString('latin1'), 'latin1');
}

const SMALL_ANSWER_BYTES = 4096;

/** Names and values in turn. */
function listOf(headers: Headers): string[] {
  const list: string[] = [];
  for (const [name, value] of pairsOf(headers)) list.push(name, value);
  return list;
}

/** How long a client may continue to send a body that was refused. */
const LINGER_MS = 2_000;

/** Reads and discards the rest: closing at once would reset the connection before the client has read the answer. */
function discardRest(incoming: IncomingMessage): void {
  const timer = setTimeout(() => incoming.socket.destroy(), LINGER_MS);
  incoming.once('close', () => clearTimeout(timer));
  incoming.resume();
}

/**
 * The body, or enough of it to show that it is over the limit; nothing if its declared length is over the limit.
 * Rejects if the client disconnects, if there is no memory for a large body, or if that body arrives too slowly.
 */
async function readBody(
  incoming: IncomingMessage,
  headers: Headers,
  limitBytes: number,
  part: BodyPart,
): Promise<Uint8Array> {
  const declared = headers.get('content-length');
  // If the length is not declared, one byte over the limit shows that the body is too large.
  const length = Number(declared ?? limitBytes + 1);
  if (declared !== null && length > limitBytes) return new Uint8Array(0);
  const codings = countCodings(headers);
  if (length <= SMALL_BYTES && codings === 0) return await readSmall(incoming, headers, length);
  let endWatch = () => {};
  const body = new Promise<Uint8Array>((resolve, reject) => {
    const parts = gatherBody(headers, length);
    let received = 0;
    const finish = () => resolve(parts.join());
    const stop = () => {
      incoming.pause();
      incoming.removeAllListeners('data');
      incoming.removeListener('end', finish);
    };
    const fail = (error: unknown) => {
      stop();
      reject(error);
    };
    const add = (chunk: Buffer) => {
      parts.add(chunk);
      received += chunk.length;
      if (received <= limitBytes) return;
      stop();
      finish();
    };
    // All the memory that it may need is taken at once: a request that holds some and waits for more would block
    // others.
    const grow = async (chunk: Buffer) => {
      incoming.pause();
      await part.resize(length + codings * limitBytes);
      if (incoming.destroyed) return;
      endWatch = part.watch(() => fail(tooSlow()));
      incoming.resume();
      add(chunk);
    };
    incoming.on('data', (chunk: Buffer) => {
      if (parts.grows(chunk)) grow(chunk).catch(fail);
      else add(chunk);
    });
    incoming.on('end', finish);
    incoming.on('error', reject);
  });
  return await body.finally(() => endWatch());
}

/** A body that needs no room: Node's parser takes no more bytes than were declared. */
function readSmall(incoming: IncomingMessage, headers: Headers, length: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    /** Nearly all come in one piece. */
    let only: Uint8Array | undefined;
    let block: Buffer | undefined;
    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      if (received > 0 && block === undefined) {
        block = allocateBody(length, headers);
        if (only) block.set(only);
      }
      // Copied as it arrives: nothing but the run is left to do when the last piece is there.
      if (block === undefined) only = chunk;
      else block.set(chunk, received);
      received += chunk.length;
    });
    incoming.on('end', () => resolve(block?.subarray(0, received) ?? only ?? new Uint8Array(0)));
    incoming.on('error', reject);
  });
}

/** A body took too long while others waited for its memory. */
export function tooSlow(): InferenceError {
  return new InferenceError('TEMPORARILY_UNAVAILABLE', [
    'The request body',
    'arrived too slowly while other requests waited for its memory; send it again later.',
  ]);
}
