import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as z from 'zod/mini';
import { limitTimes } from '../../../shared/http/limit-times.ts';
import { checkTextOf } from '../../../shared/json/check-json.ts';
import { StoreError } from '../../../shared/stores/model-store.ts';
import { VERSION } from '../../../shared/version.ts';

export interface SourceServerOptions {
  /** What it is in messages: `huggingface.co`. */
  readonly title: string;
  /** Its address. What proves who asks is sent to no other host, wherever an answer leads. */
  readonly base: URL;
  /** The value of the header `authorization`. */
  readonly authorization: string | undefined;
  /** Says in words why the server refuses something; undefined for what any server can answer. */
  readonly explain: (refusal: Refusal) => string | undefined;
  /** Longest silence of the server. There is no limit for the whole of an answer. */
  readonly silenceMs?: number | undefined;
  /** Waits between two tries. */
  readonly wait?: ((milliseconds: number) => Promise<unknown>) | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The start of the answer. */
  readonly text: string;
  /** What was asked for, in messages. */
  readonly what: string;
}

export interface SourceServer {
  readonly title: string;
  readonly base: URL;
  /**
   * Asks for an object of JSON.
   *
   * @param what is asked for, in messages
   * @throws StoreError in words: when there is no answer, the server refuses, or the answer is another object
   */
  ask<T>(url: URL, what: string, schema: z.ZodMiniType<T>, body?: object): Promise<Asked<T>>;
  /**
   * Asks for the bytes of a file, and receives the head of the answer.
   *
   * @throws StoreError; `unreachable` if another try can help
   */
  open(url: URL, what: string, headers: Headers, signal?: AbortSignal): Promise<IncomingMessage>;
}

export interface Asked<T> {
  readonly value: T;
  readonly headers: IncomingHttpHeaders;
}

type Headers = Readonly<Record<string, string>>;

const CONNECTION_MS = 10_000;
const SILENCE_MS = 30_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
/** A server may ask to wait longer; then the user decides whether to. */
const LONGEST_PAUSE_MS = 60_000;
const MOST_REDIRECTS = 5;
const MOST_TEXT_BYTES = 32 * 1024 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** The server may answer differently a moment later. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A server that has models. Requests only read. */
export function openSourceServer(options: SourceServerOptions): SourceServer {
  const { title, base, authorization, explain, silenceMs = SILENCE_MS, wait = sleep } = options;
  const prepare = limitTimes({ connectionMs: CONNECTION_MS, silenceMs });

  const lost = (what: string, error: unknown) =>
    new StoreError('unreachable', `${title} cannot be reached for ${what}: ${reasonOf(error)}.`, error);

  /** Sends one request, and follows where its answers lead. */
  async function send(first: URL, what: string, headers: Headers, body?: object, signal?: AbortSignal) {
    let url = first;
    for (let count = 0; ; count++) {
      const all = {
        ...headers,
        'user-agent': `ternion/${VERSION}`,
        ...(authorization !== undefined && url.origin === base.origin && { authorization }),
      };
      const response = await sendOnce(url, all, body, prepare, signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw lost(what, error);
      });
      const { statusCode = 0, headers: answered } = response;
      if (!REDIRECTS.has(statusCode) || answered.location === undefined) return response;
      response.resume();
      const next = URL.parse(answered.location, url.href);
      if (body !== undefined || next === null || count === MOST_REDIRECTS || !isAsSafe(url, next))
        throw new StoreError('denied', `${title} leads ${what} to ${hostOf(next)}, which is not followed.`);
      url = next;
    }
  }

  /** Sends a request, again while the server asks to wait, until there is an answer of success. */
  async function receive(url: URL, what: string, headers: Headers, body?: object, signal?: AbortSignal) {
    for (let attempt = 1; ; attempt++) {
      const response = await send(url, what, headers, body, signal);
      const { statusCode: status = 0, headers: answered } = response;
      if (status >= 200 && status < 300) return response;
      const refusal = { status, headers: answered, text: await readText(response).catch(() => ''), what };
      const pauseMs = pauseAfter(refusal, attempt);
      const said = explain(refusal);
      if (said !== undefined || !PASSING.has(status) || pauseMs > LONGEST_PAUSE_MS || attempt === ATTEMPTS)
        throw refused(refusal, pauseMs, said);
      await wait(pauseMs);
      signal?.throwIfAborted();
    }
  }

  function refused({ status, what }: Refusal, pauseMs: number, said: string | undefined): StoreError {
    if (said === undefined && PASSING.has(status)) {
      const later = pauseMs > LONGEST_PAUSE_MS ? `; it asks to wait ${Math.ceil(pauseMs / 1000)} s` : '';
      return new StoreError('denied', `${title} does not give ${what} now (status ${status})${later}.`);
    }
    const reason = status === 404 ? 'missing' : 'denied';
    return new StoreError(reason, said ?? `${title} refuses ${what} (status ${status}).`);
  }

  return {
    title,
    base,
    ask: async (url, what, schema, body) => {
      for (let attempt = 1; ; attempt++) {
        try {
          const response = await receive(url, what, { accept: 'application/json' }, body);
          const text = await readText(response).catch((error: unknown) => {
            throw lost(what, error);
          });
          const parsed = await checkTextOf(schema, text);
          if (parsed.success) return { value: parsed.data, headers: response.headers };
          throw new StoreError('corrupt', `The answer of ${title} for ${what} ${parsed.problem}.`);
        } catch (error) {
          const isPassing = error instanceof StoreError && error.reason === 'unreachable';
          if (!isPassing || attempt === ATTEMPTS) throw error;
          await wait(FIRST_PAUSE_MS * 2 ** (attempt - 1));
        }
      }
    },
    open: async (url, what, headers, signal) =>
      await receive(url, what, { ...headers, 'accept-encoding': 'identity' }, undefined, signal),
  };
}

function sendOnce(
  url: URL,
  headers: Headers,
  body: object | undefined,
  prepare: ReturnType<typeof limitTimes>,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  const { request } =
    url.protocol === 'http:' ? process.getBuiltinModule('node:http') : process.getBuiltinModule('node:https');
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const outgoing = request(url, { method, headers: { ...headers, ...type }, signal });
    prepare(outgoing);
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** From a server that is asked over TLS, nothing leads to one that is not. */
function isAsSafe(from: URL, to: URL): boolean {
  return to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
}

/** Addresses of contents can have signatures, so messages have only their host. */
function hostOf(url: URL | null): string {
  return url === null ? 'an address that is not one' : `${url.protocol}//${url.host}`;
}

function pauseAfter({ headers }: Refusal, attempt: number): number {
  const asked = headers['retry-after'] ?? '';
  const askedMs = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now();
  return Math.max(FIRST_PAUSE_MS * 2 ** (attempt - 1), Number.isNaN(askedMs) ? 0 : askedMs);
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    const bytes: Buffer = chunk;
    length += bytes.length;
    if (length > MOST_TEXT_BYTES) throw new Error(`it sends more than ${MOST_TEXT_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString();
}

/** Why there is no answer, or not all of one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What ends a request that takes too long has its words as a code.
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
