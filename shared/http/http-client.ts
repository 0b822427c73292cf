import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

/** As for Redis: after a process was frozen, its connections may be gone without a word. */
const MOST_IDLE_MS = 30_000;
/** A page of DynamoDB has at most 16 MB. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_CONNECTIONS = 32;
/** As long as the longest look-up: a request that nobody ends may not keep its connection from others forever. */
const LONGEST_REQUEST_MS = 600_000;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whether the request was sent twice: the first may have done its work. */
  readonly isRepeated?: boolean;
}

/** A long content. It is opened for each attempt, as a stream can be read once. */
export interface HttpContent {
  readonly sizeBytes: number;
  open(): Readable;
}

/**
 * Writes a long body, and ends it.
 *
 * @param fail is called when it cannot be read
 */
export type Pour = (request: ClientRequest, fail: (error: Error) => void) => void;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | Pour;
}

export interface HttpClient {
  /**
   * Sends a request that may arrive twice. If it went out on a connection from before, and that is lost, it is sent once
   * more on a new one.
   *
   * @throws what `fail` makes when there is no whole answer; Error for one that is too long; the error of a body that
   *   cannot be read; the reason of the signal
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}

type Send = (url: URL, options: object) => ClientRequest;

interface Opened {
  readonly send: Send;
  readonly agent: Agent;
  /** When connections were last used, on the clock of `Date.now()`. */
  readonly usedMs: WeakMap<Duplex, number>;
}

/**
 * @param title what the server is in messages
 * @param fail makes the error for an answer that did not come
 * @param prepare is called with each request before it is sent
 */
export function createHttpClient(
  title: string,
  fail: (reason: string) => Error,
  prepare?: (request: ClientRequest) => void,
): HttpClient {
  let opened: Opened | undefined;
  const open = (protocol: string) => {
    opened ??= openTransport(protocol);
    endIdle(opened);
    return opened;
  };
  return {
    send: async ({ method, url, headers, body }, signal) => {
      for (let isSecond = false; ; isSecond = true) {
        const { send, agent } = open(url.protocol);
        signal.throwIfAborted();
        const outgoing = send(url, { method, headers, agent, signal });
        prepare?.(outgoing);
        const outcome = await exchange(outgoing, body, title, fail);
        if ('answer' in outcome) return isSecond ? { ...outcome.answer, isRepeated: true } : outcome.answer;
        signal.throwIfAborted();
        if (isSecond || !outcome.isOld) throw fail(`${title} cannot be reached: ${outcome.problem}`);
      }
    },
  };
}

/** An import of these modules would read all their exports, and so load Node's client with its WebSockets, too. */
function openTransport(protocol: string): Opened {
  const { Agent, request } =
    protocol === 'http:' ? process.getBuiltinModule('node:http') : process.getBuiltinModule('node:https');
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_CONNECTIONS });
  const usedMs = new WeakMap<Duplex, number>();
  agent.on('free', (socket: Duplex) => usedMs.set(socket, Date.now()));
  return { send: request, agent, usedMs };
}

/** Ends each connection that was idle for long: those that a burst left over can be older than the last request. */
function endIdle({ agent, usedMs }: Opened): void {
  const now = Date.now();
  for (const socket of Object.values(agent.freeSockets).flatMap((free) => free ?? []))
    if (Math.abs(now - (usedMs.get(socket) ?? 0)) > MOST_IDLE_MS) socket.destroy();
}

const LOST = 'the connection was lost';

type Outcome =
  | { readonly answer: HttpAnswer }
  | {
      readonly problem: string;
      /** Whether the connection is from before. */
      readonly isOld: boolean;
    };

function exchange(
  request: ClientRequest,
  body: HttpRequest['body'],
  title: string,
  fail: (reason: string) => Error,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const end = (error: Error) => {
      reject(error);
      request.destroy();
    };
    const stop = () => end(fail(`${title} did not answer within ${LONGEST_REQUEST_MS} ms`));
    // A long body takes its time.
    const timer = typeof body === 'function' ? undefined : setTimeout(stop, LONGEST_REQUEST_MS).unref();
    const lose = (error: Error) => {
      const problem = 'code' in error && typeof error.code === 'string' ? error.code : LOST;
      resolve({ problem, isOld: request.reusedSocket });
    };
    let hasAnswer = false;
    request.on('error', lose);
    request.on('close', () => {
      clearTimeout(timer);
      // A server that changes the protocol gives neither an answer nor an error.
      if (!hasAnswer) resolve({ problem: LOST, isOld: request.reusedSocket });
    });
    request.on('response', (response: IncomingMessage) => {
      hasAnswer = true;
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('error', lose);
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length <= MOST_BYTES) chunks.push(chunk);
        else end(new Error(`${title} answered with more than ${MOST_BYTES} bytes`));
      });
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ answer: { status, headers, text: Buffer.concat(chunks).toString() } });
      });
    });
    if (typeof body === 'function') body(request, end);
    else request.end(body);
  });
}
