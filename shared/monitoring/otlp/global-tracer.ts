import type {
  Context,
  ContextManager,
  HrTime,
  Span,
  SpanContext,
  TextMapPropagator,
  TracerProvider,
} from '@opentelemetry/api';
import type { TraceContext } from '../../http/trace-context.ts';
import { VERSION } from '../../version.ts';
import type { RequestRecord } from '../request-record.ts';
import type { Exporter } from './exporter.ts';
import { describeRequest, describeSteps, type SpanFacts } from './spans.ts';

/**
 * What a program has registered with `@opentelemetry/api`. All copies of that package in a process share it under one
 * symbol, so that libraries find it without a copy of their own. Source: OpenTelemetry API for JavaScript 1.x.
 */
export interface GlobalApi {
  readonly trace: TracerProvider;
  readonly context?: ContextManager;
  readonly propagation?: TextMapPropagator;
}

/** Where it is. */
const GLOBAL_API = Symbol.for('opentelemetry.js.api.1');

/** Where a context has its span, for all copies of the package. */
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');

/** Source: OpenTelemetry API for JavaScript 1.x, SpanKind and SpanStatusCode. */
const INTERNAL = 0;
const SERVER = 1;
const ERROR = 2;

/** How long spans may keep a function that ends after its answer. */
const BUDGET_MS = 500;

/** @returns undefined if nobody has registered a tracer */
export function findGlobalApi(): GlobalApi | undefined {
  const registered: unknown = Reflect.get(globalThis, GLOBAL_API);
  return isApi(registered) ? registered : undefined;
}

function isApi(value: unknown): value is GlobalApi {
  return (
    typeof value === 'object' && value !== null && 'trace' in value && Object(value.trace) === value.trace
  );
}

/** A request that is being answered. */
interface Started {
  readonly span: Span;
  /** The context with the span. */
  readonly context: Context;
  readonly startMs: number;
}

/**
 * Gives the spans of requests to the tracer of a program in which Ternion runs. They begin with their request, so that
 * the spans of its own code and of libraries belong to them.
 *
 * @param isFrozen whether the process may be frozen after an answer: the program's spans are then sent with each request
 */
export function createGlobalTracer(api: GlobalApi, isFrozen: boolean): Exporter {
  const tracer = api.trace.getTracer('ternion', VERSION);
  const started = new WeakMap<TraceContext, Started>();

  function write(request: Started, record: RequestRecord): void {
    const { span, context, startMs } = request;
    const whole = describeRequest(record, isFrozen);
    // The clock of the record has whole milliseconds, and steps may not begin before their request.
    const offsetMs = startMs - whole.startMs;
    for (const step of describeSteps(record)) {
      const startTime = toTime(step.startMs + offsetMs);
      const made = tracer.startSpan(step.name, { kind: INTERNAL, startTime }, context);
      made.end(toTime(step.endMs + offsetMs));
    }
    span.updateName(whole.name);
    span.setAttributes(definedIn(whole.attributes));
    if (whole.isError) span.setStatus({ code: ERROR });
    span.end(toTime(whole.endMs + offsetMs));
  }

  return {
    trace: async (headers, context, answer) => {
      const active = api.context?.active() ?? new ValueContext();
      const parent = spanOf(active) ? active : extract(api, active, headers, context.trace);
      const nowMs = performance.now();
      const startMs = Date.now() - (nowMs - (context.receivedMs ?? nowMs));
      const kind = isLocal(spanOf(active)) ? INTERNAL : SERVER;
      const span = tracer.startSpan('request', { kind, startTime: toTime(startMs) }, parent);
      const place = span.spanContext();
      // A program that has registered no provider yet gets spans without ids.
      if (/^0*$/.test(place.traceId)) return await answer(context);
      const trace: TraceContext = {
        traceId: place.traceId,
        spanId: place.spanId,
        parentSpanId: spanOf(parent)?.spanContext().spanId,
        isSampled: (place.traceFlags & 1) === 1,
        state: place.traceState?.serialize(),
      };
      const inSpan = parent.setValue(SPAN_KEY, span);
      started.set(trace, { span, context: inSpan, startMs });
      const run = () => answer({ ...context, trace });
      return await (api.context ? api.context.with(inSpan, run) : run());
    },
    request: (record, { waitUntil }) => {
      const request = started.get(record.trace);
      if (!request) return;
      write(request, record);
      if (isFrozen) waitUntil(() => forceFlush(api.trace), { budgetMs: BUDGET_MS });
    },
    close: async () => {},
  };
}

function spanOf(context: Context): Pick<Span, 'spanContext'> | undefined {
  const span: unknown = context.getValue(SPAN_KEY);
  return isSpan(span) ? span : undefined;
}

function isSpan(value: unknown): value is Pick<Span, 'spanContext'> {
  return typeof value === 'object' && value !== null && 'spanContext' in value;
}

/** A span of this process, such as that of the server in which Ternion is a part. */
function isLocal(span: Pick<Span, 'spanContext'> | undefined): boolean {
  return span !== undefined && span.spanContext().isRemote !== true;
}

/** The context of the caller: the program's propagator decides, and without one our own reading of the headers. */
function extract(
  { propagation }: GlobalApi,
  active: Context,
  headers: Headers,
  { traceId, parentSpanId, isSampled }: TraceContext,
): Context {
  if (propagation) {
    return propagation.extract(active, headers, {
      get: (_, name) => headers.get(name) ?? undefined,
      keys: () => [...headers.keys()],
    });
  }
  if (parentSpanId === undefined) return active;
  const traceFlags = isSampled === false ? 0 : 1;
  const caller: SpanContext = { traceId, spanId: parentSpanId, traceFlags, isRemote: true };
  return active.setValue(SPAN_KEY, { spanContext: () => caller });
}

/** A context for programs without a manager of contexts. */
class ValueContext implements Context {
  readonly #values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown> = new Map()) {
    this.#values = values;
  }

  getValue(key: symbol): unknown {
    return this.#values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new ValueContext(new Map(this.#values).set(key, value));
  }

  deleteValue(key: symbol): Context {
    return new ValueContext(new Map([...this.#values].filter(([other]) => other !== key)));
  }
}

/** Seconds, and nanoseconds in them. */
function toTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)];
}

function definedIn(
  attributes: SpanFacts['attributes'],
): Record<string, string | number | boolean | string[]> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === 'object' ? [...value] : value]],
    ),
  );
}

/** Providers of the SDK send what waits; the API has no word for it. */
async function forceFlush(provider: object): Promise<void> {
  const { getDelegate } = Object(provider);
  const delegate: unknown = typeof getDelegate === 'function' ? getDelegate.call(provider) : provider;
  await Object(delegate).forceFlush?.();
}
