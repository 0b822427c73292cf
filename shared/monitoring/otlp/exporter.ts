import type { RequestContext } from '../../http/context.ts';
import { createHttpClient } from '../../http/http-client.ts';
import { VERSION } from '../../version.ts';
import type { RequestRecord } from '../request-record.ts';
import { readOtlpSettings, wantsSpans } from './settings.ts';
import { attributesOf, type Span, spansOf } from './spans.ts';

/** Sends spans of requests to a collector. */
export interface SpanExporter {
  /** Takes a request, if its trace is recorded, and sees to it that its spans are sent. */
  request(record: RequestRecord, context: Pick<RequestContext, 'waitUntil'>): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface SpanExporterOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Identifies the process. */
  readonly instance: string;
  /** Whether the process may be frozen after an answer: spans are then sent with each request. */
  readonly isFrozen: boolean;
  /** Gets what keeps spans from a collector, at most once a minute. */
  readonly onProblem: (what: string, error?: unknown) => void;
}

/** How long spans wait for others. Source: OpenTelemetry specification, batching processor. */
const SCHEDULE_MS = 5_000;
/** From this many on, spans do not wait. Source: the same, the usual size of a batch. */
const BATCH_SPANS = 512;
/** How long sending spans may keep a function, or a server that ends. */
const BUDGET_MS = 500;
const CLOSE_MS = 2_000;
const QUIET_MS = 60_000;

/** Spans that wait for a collector; beyond that the oldest are dropped. */
const MOST_SPANS = 8192;

/** Answers that ask to try again later. Source: OTLP 1.x, failures of OTLP/HTTP. */
const RETRYABLE: readonly number[] = [429, 502, 503, 504];

/** @throws ConfigError for variables of OpenTelemetry that cannot be used */
export function createSpanExporter({
  environment,
  instance,
  isFrozen,
  onProblem,
}: SpanExporterOptions): SpanExporter | undefined {
  if (!wantsSpans(environment)) return undefined;
  const { tracesUrl, headers, resource, share, followsParent } = readOtlpSettings(environment);
  const client = createHttpClient('the collector', (reason) => new Error(reason));
  const attributes = attributesOf({ 'service.instance.id': instance, ...resource });
  let waiting: Span[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isSending = false;
  let quietUntilMs = 0;

  function report(what: string, error?: unknown): void {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + QUIET_MS;
    onProblem(what, error);
  }

  function isRecorded({ trace: { isSampled, traceId } }: RequestRecord): boolean {
    if (followsParent && isSampled !== undefined) return isSampled;
    return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32 < share;
  }

  function dropSurplus(): void {
    const surplus = waiting.length - MOST_SPANS;
    if (surplus <= 0) return;
    waiting.splice(0, surplus);
    report(`${surplus} spans were dropped, because no collector takes them`);
  }

  /** For the next time, before those that came since. */
  function putBack(spans: readonly Span[]): void {
    waiting = [...spans, ...waiting];
    dropSurplus();
  }

  /** Sends all that waits. What the collector cannot take now is kept for the next time. It never rejects. */
  async function flush(signal: AbortSignal): Promise<void> {
    if (waiting.length === 0) return;
    const spans = waiting;
    waiting = [];
    const scope = { name: 'ternion', version: VERSION };
    const body = JSON.stringify({
      resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans }] }],
    });
    const length = String(Buffer.byteLength(body));
    const sent = { ...headers, 'content-type': 'application/json', 'content-length': length };
    try {
      const { status } = await client.send({ method: 'POST', url: tracesUrl, headers: sent, body }, signal);
      if (status >= 200 && status < 300) return;
      if (RETRYABLE.includes(status)) putBack(spans);
      report(`the collector at ${tracesUrl.host} answered ${status} to ${spans.length} spans`);
    } catch (error) {
      putBack(spans);
      report('spans could not be sent', error);
    }
  }

  /** One batch at a time: a collector that is slow must not get more of them. */
  async function sendBatch(): Promise<void> {
    isSending = true;
    await flush(AbortSignal.timeout(SCHEDULE_MS));
    isSending = false;
    if (waiting.length > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (!isSending) void sendBatch();
    }, SCHEDULE_MS).unref();
  }

  return {
    request: (record, { waitUntil }) => {
      if (!isRecorded(record)) return;
      waiting.push(...spansOf(record, isFrozen));
      if (isFrozen) waitUntil(flush, { budgetMs: BUDGET_MS });
      else if (waiting.length < BATCH_SPANS) schedule();
      else if (!isSending) void sendBatch();
      dropSurplus();
    },
    close: async () => {
      clearTimeout(timer);
      await flush(AbortSignal.timeout(CLOSE_MS));
    },
  };
}
