import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
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
  /** By their names in lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** A long body. It is opened for each attempt, as a stream can be read once. */
export interface HttpContent {
  readonly sizeBytes: number;
  open(): Readable;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | HttpContent;
}

export interface HttpLimits {
  /** Longest wait for a connection. */
  readonly connectionMs?: number | undefined;
  /** Longest silence of the server, before and during an answer. */
  readonly silenceMs?: number | undefined;
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
 */
export function createHttpClient(
  title: string,
  fail: (reason: string) => Error,
  limits: HttpLimits = {},
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
        const outgoing = send(url, { method, headers: { ...headers, ...lengthOf(body) }, agent, signal });
        limit(outgoing, limits);
        const outcome = await exchange(outgoing, body, title, fail);
        if ('answer' in outcome) return outcome.answer;
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

function lengthOf(body: HttpRequest['body']): Readonly<Record<string, string>> {
  return typeof body === 'string' || body instanceof Uint8Array
    ? {}
    : { 'content-length': String(body.sizeBytes) };
}

function limit(request: ClientRequest, { connectionMs, silenceMs }: HttpLimits): void {
  const end = (doing: string, ms: number) => {
    request.destroy(Object.assign(new Error(), { code: `${doing} timed out after ${ms} ms` }));
  };
  if (silenceMs !== undefined) request.setTimeout(silenceMs, () => end('receiving', silenceMs));
  if (connectionMs === undefined) return;
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => end('connecting', connectionMs), connectionMs);
    for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
  });
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
    const timer = setTimeout(() => {
      end(fail(`${title} did not answer within ${LONGEST_REQUEST_MS} ms`));
    }, LONGEST_REQUEST_MS).unref();
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
        resolve({
          answer: { status, headers: joinHeaders(headers), text: Buffer.concat(chunks).toString() },
        });
        // A server may refuse before it has all bytes.
        if (!request.writableFinished) request.destroy();
      });
    });
    if (typeof body === 'string' || body instanceof Uint8Array) request.end(body);
    else pour(body.open(), request, end);
  });
}

/** @param fail is called when the content cannot be read */
function pour(content: Readable, request: ClientRequest, fail: (error: Error) => void): void {
  content.once('error', fail);
  // The request ends early when its server refuses it.
  request.once('close', () => content.destroy());
  content.pipe(request);
}

function joinHeaders(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
