import { makeSpanId } from '../../http/trace-context.ts';
import { type RequestRecord, STEPS } from '../request-record.ts';

/** The value of an attribute. Source: OTLP 1.x, common.proto; JSON has whole numbers as texts. */
type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly boolValue: boolean };

interface Attribute {
  readonly key: string;
  readonly value: AnyValue;
}

/** A span in the JSON of OTLP: ids in hex, times as texts of nanoseconds. */
export interface Span {
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

/** Shorter steps are left out: most requests take almost no time to find their model. */
const LEAST_MS = 0.001;

/**
 * The spans of a request: one for the whole, and one for each step that took some time. Names follow the semantic
 * conventions of OpenTelemetry for HTTP servers and functions.
 *
 * @param isFunction whether the process answers one event after the other, as functions do
 */
export function spansOf(record: RequestRecord, isFunction: boolean): readonly Span[] {
  const { trace, steps, startedMs, totalMs, queueMs } = record;
  const beginMs = startedMs - steps.receive;
  const { traceId, spanId, parentSpanId, state } = trace;
  const whole: Span = {
    traceId,
    spanId,
    parentSpanId,
    traceState: state,
    name: record.route === undefined ? record.method : `${record.method} ${record.route}`,
    kind: SERVER,
    startTimeUnixNano: toNanoseconds(beginMs),
    endTimeUnixNano: toNanoseconds(startedMs + totalMs),
    attributes: attributesOf({
      'http.request.method': record.method,
      'http.route': record.route,
      'url.path': record.path,
      'http.response.status_code': record.status,
      'http.request.body.size': record.bytesIn,
      'http.response.body.size': record.bytesOut,
      'ternion.request_id': record.requestId,
      'faas.trigger': isFunction ? 'http' : undefined,
      'faas.coldstart': isFunction ? record.coldStart : undefined,
      'faas.invocation_id': isFunction ? record.requestId : undefined,
      'error.type': record.errorCode,
      'ternion.protocol': record.protocol,
      'ternion.model': record.model,
      'ternion.model_version': record.version,
      'ternion.batch_size': record.runs > 0 ? record.instances : undefined,
    }),
    // A mistake of a client is not an error of a server. Source: semantic conventions, HTTP spans, status.
    status: record.status >= 500 ? { code: ERROR } : {},
  };
  const spans = [whole];
  let atMs = beginMs;
  for (const step of STEPS) {
    // Runs wait for their turn before they begin.
    if (step === 'run') atMs += queueMs;
    const endMs = atMs + steps[step];
    if (steps[step] >= LEAST_MS) {
      spans.push({
        traceId,
        spanId: makeSpanId(),
        parentSpanId: spanId,
        name: step,
        kind: INTERNAL,
        startTimeUnixNano: toNanoseconds(atMs),
        endTimeUnixNano: toNanoseconds(endMs),
        attributes: [],
        status: {},
      });
    }
    atMs = endMs;
  }
  return spans;
}

/** A number of milliseconds has too few digits for the nanoseconds since the epoch. */
function toNanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  const rest = Math.min(999_999, Math.round((milliseconds - whole) * 1e6));
  return `${whole}${String(rest).padStart(6, '0')}`;
}

/** Attributes in the form of OTLP, without those that are undefined. */
export function attributesOf(
  values: Readonly<Record<string, string | number | boolean | undefined>>,
): readonly Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: toAnyValue(value) }],
  );
}

function toAnyValue(value: string | number | boolean): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
