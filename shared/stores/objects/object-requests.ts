import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient, type HttpAnswer, type HttpContent, type Pour } from '../../http/http-client.ts';
import { limitTimes } from '../../http/limit-times.ts';
import { loadOnce } from '../../memo.ts';
import type { GetAnswer } from '../get-client.ts';
import { StoreError, type StoreErrorReason } from '../model-store.ts';
import type { Action, ObjectAnswer, ObjectProtocol, ObjectRequest, Refusal } from './protocol.ts';

export interface ObjectStoreOptions {
  /** Tries per request, with growing pauses between them. */
  readonly attempts?: number | undefined;
  /** Longest wait for a connection. */
  readonly connectionTimeoutMs?: number | undefined;
  /** Longest silence on a connection, before and during an answer. */
  readonly socketTimeoutMs?: number | undefined;
}

/** What a request is about, as in messages, and how it ends. */
export interface Purpose {
  readonly action: Action;
  readonly place: string;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that has arrived as a whole. */
export interface TextAnswer extends ObjectAnswer {
  readonly text: string;
}

/** Sends the requests of one store. Each attempt makes a new request, as it may go to another server. */
export interface ObjectRequests {
  /**
   * Sends a request and receives all of its answer.
   *
   * @throws StoreError, of which a RefusedError is one; the reason of the signal
   */
  send(make: () => ObjectRequest, purpose: Purpose): Promise<TextAnswer>;
  /**
   * Sends a request for a content, and receives the head of its answer. A status of 304 is not an error.
   *
   * @throws as `send`
   */
  open(make: () => ObjectRequest, purpose: Purpose): Promise<GetAnswer>;
}

/** The store refuses a request. */
export class RefusedError extends StoreError {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string, isRepeated: boolean) {
    super(refusal.reason, message, undefined, isRepeated);
    this.refusal = refusal;
  }
}

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const CONNECTION_MS = 3_000;
const SILENCE_MS = 5_000;
/** A store may need some time to keep a large object before it answers. */
const WRITE_SILENCE_MS = 120_000;
/** Clocks that differ by less make no store refuse a request. */
const LEAST_SKEW_MS = 60_000;
/** How often an answer may say what to do differently: another region, another time, another token. */
const MOST_CORRECTIONS = 3;

export function createObjectRequests(protocol: ObjectProtocol, options: ObjectStoreOptions): ObjectRequests {
  const { attempts = ATTEMPTS, connectionTimeoutMs = CONNECTION_MS, socketTimeoutMs } = options;
  const silenceMs = socketTimeoutMs ?? SILENCE_MS;
  const clientOf = (ms: number) =>
    createHttpClient(
      protocol.title,
      (reason) => new Error(reason),
      limitTimes({ connectionMs: connectionTimeoutMs, silenceMs: ms }),
    );
  const reader = clientOf(silenceMs);
  const writer = clientOf(socketTimeoutMs ?? WRITE_SILENCE_MS);
  // A listing does not need it.
  const contents = loadOnce(async () =>
    (await import('../get-client.ts')).createGetClient({ connectionTimeoutMs, socketTimeoutMs: silenceMs }),
  );
  /** How far the store's clock is ahead of this machine's. */
  let skewMs = 0;

  async function withAttempts<A extends ObjectAnswer>(
    make: () => ObjectRequest,
    purpose: Purpose,
    exchange: (request: ObjectRequest) => Promise<A>,
    textOf: (answer: A) => Promise<string>,
  ): Promise<A> {
    const signal = purpose.signal ?? new AbortController().signal;
    let refusedHeaders: Readonly<Record<string, string>> | undefined;
    let corrections = 0;
    for (let count = 1; ; count++) {
      let answer: A;
      let headers: Readonly<Record<string, string>>;
      try {
        const request = make();
        const now = new Date(Date.now() + skewMs);
        headers = await protocol.prove(request, { now, refused: refusedHeaders, signal });
        answer = await exchange({ ...request, headers });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof StoreError) throw error;
        if (count >= attempts) throw unreachable(purpose, error);
        await pause(count, undefined, signal);
        continue;
      }
      if (answer.status < 300 || answer.status === 304) return answer;
      const text = await textOf(answer);
      const refusal = protocol.refusalOf(answer, text);
      if (refusal.isExpired && refusedHeaders === undefined) {
        refusedHeaders = headers;
        count -= 1;
      } else if (corrections < MOST_CORRECTIONS && (protocol.redirect?.(answer, text) || setClock(answer))) {
        corrections += 1;
        count -= 1;
      } else {
        const isRepeated = count > 1 || answer.isRepeated === true;
        if (!refusal.isPassing || count >= attempts) throw refused(refusal, purpose, isRepeated);
        await pause(count, answer.headers['retry-after'], signal);
      }
    }
  }

  /** Sets the clock by an answer that may be a refusal because of it. */
  function setClock({ status, headers }: ObjectAnswer): boolean {
    if (status !== 401 && status !== 403 && status !== 400) return false;
    const aheadMs = Date.parse(headers.date ?? '') - Date.now();
    if (!(Math.abs(aheadMs - skewMs) > LEAST_SKEW_MS)) return false;
    skewMs = aheadMs;
    return true;
  }

  function unreachable({ action, place }: Purpose, error: unknown): StoreError {
    const said = error instanceof Error ? ` ${error.message}.` : '';
    return new StoreError('unreachable', describe(protocol, 'unreachable', action, place) + said, error);
  }

  function refused(refusal: Refusal, { action, place }: Purpose, isRepeated: boolean): RefusedError {
    const text = describe(protocol, refusal.reason, action, place);
    return new RefusedError(refusal, `${text} ${protocol.title}: ${refusal.text}`, isRepeated);
  }

  return {
    send: async (make, purpose) =>
      await withAttempts(
        make,
        purpose,
        async ({ method, url, headers, content }) => {
          const signal = purpose.signal ?? NEVER.signal;
          if (content === undefined)
            return withHeaders(await reader.send({ method, url, headers, body: '' }, signal));
          const length = { 'content-length': String(content.sizeBytes) };
          const body = pourOf(content);
          return withHeaders(
            await writer.send({ method, url, headers: { ...headers, ...length }, body }, signal),
          );
        },
        async ({ text }) => text,
      ),
    open: async (make, purpose) =>
      await withAttempts(
        make,
        purpose,
        async ({ url, headers }) => {
          const { protocol: scheme, hostname, port, pathname, search, host } = url;
          return await (await contents()).get(
            {
              protocol: scheme,
              hostname,
              port: port === '' ? undefined : Number(port),
              path: pathname + search,
              headers: { host, ...headers },
            },
            purpose.signal,
          );
        },
        async ({ body }) => {
          const chunks: Buffer[] = [];
          for await (const chunk of body) chunks.push(Buffer.from(chunk));
          return Buffer.concat(chunks).toString();
        },
      ),
  };
}

const NEVER = new AbortController();

export function describe(
  { permissions, advice }: ObjectProtocol,
  reason: StoreErrorReason,
  action: Action,
  place: string,
): string {
  switch (reason) {
    case 'missing':
      return `${place} does not exist: ${advice.missing}.`;
    case 'denied':
      return `${place} cannot be accessed: allow ${permissions[action]} on it for this server's credentials.`;
    case 'changed':
      if (action !== 'read') return `${place} was written or removed by another writer.`;
      return `${place} changed since it was listed. Published versions are immutable: publish a new one instead.`;
    default:
      return `${place} cannot be reached: ${advice.unreachable}.`;
  }
}

/** Pauses grow, and differ, so that all who were refused at once do not come back at once. */
async function pause(count: number, retryAfter: string | undefined, signal: AbortSignal): Promise<void> {
  const askedMs = Number(retryAfter) * 1000;
  const ownMs = FIRST_PAUSE_MS * 2 ** (count - 1) * (0.5 + Math.random() / 2);
  const ms = Math.min(LONGEST_PAUSE_MS, askedMs > ownMs ? askedMs : ownMs);
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Of several headers with one name, Node gives some as a list. */
function withHeaders({ status, headers, text, isRepeated }: HttpAnswer): TextAnswer {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { status, headers: Object.fromEntries(entries), text, isRepeated };
}

function pourOf(content: HttpContent): Pour {
  return (request, fail) => {
    const stream = content.open();
    stream.once('error', fail);
    // A server may refuse before it has all bytes.
    request.once('response', (response) => {
      response.once('end', () => {
        if (!request.writableFinished) request.destroy();
      });
    });
    request.once('close', () => stream.destroy());
    stream.pipe(request);
  };
}
