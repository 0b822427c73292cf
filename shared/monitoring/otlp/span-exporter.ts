import { makeSpanId } from '../../http/trace-context.ts';
import type { RequestRecord } from '../request-record.ts';
import { type Attribute, attributesOf, toNanoseconds } from './any-value.ts';
import { createCollectorClient, type Report, SCOPE } from './collector-client.ts';
import type { Exporter } from './exporter.ts';
import type { SamplerSettings, SignalSettings } from './settings.ts';
import { describeRequest, describeSteps, type SpanFacts } from './spans.ts';

/** A span in the JSON of OTLP: ids in hex, times as texts of nanoseconds. */
interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly traceState?: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
}

/** Source: OTLP 1.x, trace.proto. */
const INTERNAL = 1;
const SERVER = 2;
const ERROR = 2;

/** How long spans wait for others. Source: OpenTelemetry specification, batching processor. */
const SCHEDULE_MS = 5_000;
/** From this many on, spans do not wait. Source: the same, the usual size of a batch. */
const BATCH_SPANS = 512;
/** How long sending spans may keep a function, or a server that ends. */
const BUDGET_MS = 500;
const CLOSE_MS = 2_000;

/** Spans that wait for a collector; beyond that the oldest are dropped. */
const MOST_SPANS = 8192;

export interface SpanExporterOptions {
  readonly settings: SignalSettings;
  readonly sampler: SamplerSettings;
  /** The attributes of the process, as OTLP has them. */
  readonly resource: object;
  readonly isFrozen: boolean;
  readonly report: Report;
}

/** Sends spans of requests to a collector. */
export function createSpanExporter({
  settings,
  sampler: { followsParent, share },
  resource,
  isFrozen,
  report,
}: SpanExporterOptions): Exporter {
  const client = createCollectorClient(settings, 'traces', report);
  let waiting: Span[] = [];
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  /** Whether the collector has not taken the last message. */
  let isAway = false;

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

  /** Sends all that waits. What the collector cannot take now goes before those that came since. It never rejects. */
  async function flush(signal: AbortSignal): Promise<void> {
    if (waiting.length === 0) return;
    const spans = waiting;
    waiting = [];
    const message = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: SCOPE, spans }] }] });
    isAway = await client.send(message, `${spans.length} spans`, signal);
    if (!isAway) return;
    waiting = [...spans, ...waiting];
    dropSurplus();
  }

  /** One batch at a time: a collector that is slow must not get more of them. */
  async function sendBatch(): Promise<void> {
    await flush(ending.signal);
    sending = undefined;
    if (waiting.length > 0) schedule();
  }

  function startBatch(): void {
    sending ??= sendBatch();
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      startBatch();
    }, SCHEDULE_MS).unref();
  }

  return {
    request: (record, { waitUntil }) => {
      if (!isRecorded(record)) return;
      waiting.push(...spansOf(record, isFrozen));
      if (isFrozen) waitUntil(flush, { budgetMs: BUDGET_MS });
      // Each attempt writes all spans that wait, which must not be done for each request.
      else if (waiting.length < BATCH_SPANS || isAway) schedule();
      else startBatch();
      dropSurplus();
    },
    close: async () => {
      setTimeout(() => ending.abort(), CLOSE_MS).unref();
      await sending;
      clearTimeout(timer);
      await flush(ending.signal);
    },
  };
}

/** One span for the whole request, and one for each step that took some time. */
function spansOf(record: RequestRecord, isFunction: boolean): readonly Span[] {
  const { traceId, spanId, parentSpanId, state } = record.trace;
  const whole = write(describeRequest(record, isFunction));
  return [
    { traceId, spanId, parentSpanId, traceState: state, kind: SERVER, ...whole },
    ...describeSteps(record).map((facts) => ({
      traceId,
      spanId: makeSpanId(),
      parentSpanId: spanId,
      kind: INTERNAL,
      ...write(facts),
    })),
  ];
}

function write({ name, startMs, endMs, attributes, isError }: SpanFacts) {
  return {
    name,
    startTimeUnixNano: toNanoseconds(startMs),
    endTimeUnixNano: toNanoseconds(endMs),
    attributes: attributesOf(attributes),
    status: isError ? { code: ERROR } : {},
  };
}
