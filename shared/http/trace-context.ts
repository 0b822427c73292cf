/** Where a request stands in a trace. */
export interface TraceContext {
  /** 32 small hexadecimal digits. */
  readonly traceId: string;
  /** 16 small hexadecimal digits: the span of this request. */
  readonly spanId: string;
  /** The span of the caller, if it sent one. */
  readonly parentSpanId: string | undefined;
  /** What the caller has decided about recording the trace; undefined if it says nothing. */
  readonly isSampled: boolean | undefined;
  /** What other systems added to the trace. Source: W3C Trace Context, section 3.3. */
  readonly state: string | undefined;
}

/**
 * Reads the trace of the caller, in the order in which a header is closest to it: `traceparent` of W3C Trace Context,
 * `X-Amzn-Trace-Id` of AWS, `X-Cloud-Trace-Context` of Google. Without a valid one, the request begins a trace, whose id
 * is that of the request if it is a UUID.
 */
export function readTraceContext(headers: Headers, requestId: string): TraceContext {
  const found =
    readTraceparent(headers.get('traceparent'), headers) ??
    readAmazon(headers.get('x-amzn-trace-id')) ??
    readGoogle(headers.get('x-cloud-trace-context'));
  if (found) return { spanId: makeSpanId(), ...found };
  return {
    traceId: traceIdOf(requestId),
    spanId: makeSpanId(),
    parentSpanId: undefined,
    isSampled: undefined,
    state: undefined,
  };
}

type Caller = Omit<TraceContext, 'spanId'>;

/** Later versions may have more fields, which are not read. Source: W3C Trace Context, sections 3.2 and 4.3. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:$|-)/;
/** Version 0 has exactly four fields. */
const MORE_THAN_FOUR = /^00-.{52}./;

function readTraceparent(value: string | null, headers: Headers): Caller | undefined {
  if (value === null || MORE_THAN_FOUR.test(value)) return undefined;
  const [, traceId, parentSpanId, flags = '0'] = TRACEPARENT.exec(value) ?? [];
  if (traceId === undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, parentSpanId, isSampled, state: readState(headers.get('tracestate')) };
}

/** As much as everybody passes on. Source: W3C Trace Context, section 3.3.1.5. */
const LONGEST_STATE = 512;

/** Its members at the end are left out first, as they are the oldest. */
function readState(value: string | null): string | undefined {
  if (value === null || value.length <= LONGEST_STATE) return value ?? undefined;
  const end = value.lastIndexOf(',', LONGEST_STATE);
  return end <= 0 ? undefined : Buffer.from(value.slice(0, end)).toString();
}

/** Source: AWS X-Ray, tracing header. The order of its fields is not fixed. */
function readAmazon(value: string | null): Caller | undefined {
  if (value === null) return undefined;
  const [, time, rest] = /(?:^|;)\s*Root=1-([\da-f]{8})-([\da-f]{24})(?:;|$)/.exec(value) ?? [];
  if (time === undefined || rest === undefined) return undefined;
  const [, sampled] = /(?:^|;)\s*Sampled=([01])(?:;|$)/.exec(value) ?? [];
  return {
    traceId: time + rest,
    parentSpanId: /(?:^|;)\s*Parent=([\da-f]{16})(?:;|$)/.exec(value)?.[1],
    isSampled: sampled === undefined ? undefined : sampled === '1',
    state: undefined,
  };
}

/** Source: Cloud Trace, legacy header: the span is a decimal number of 64 bits. */
function readGoogle(value: string | null): Caller | undefined {
  if (value === null) return undefined;
  const [, id, span, options] = /^([\da-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?$/i.exec(value) ?? [];
  if (id === undefined || /^0+$/.test(id)) return undefined;
  const number = span === undefined ? 0n : BigInt.asUintN(64, BigInt(span));
  return {
    traceId: id.toLowerCase(),
    parentSpanId: number === 0n ? undefined : number.toString(16).padStart(16, '0'),
    isSampled: options === undefined ? undefined : options === '1',
    state: undefined,
  };
}

const UUID = /^(?!0{8}-0000-0000-0000-0{12})[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;

/** A UUID has as many digits as the id of a trace, so that one search finds both. */
function traceIdOf(requestId: string): string {
  return UUID.test(requestId) ? requestId.replaceAll('-', '') : makeSpanId() + makeSpanId();
}

/** Ids need not be secret, only different: those of a process differ in their second half. */
const PROCESS = digitsOf(Math.floor(Math.random() * 0xffff_ffff) + 1);
let latest = Math.floor(Math.random() * 2 ** 32);

export function makeSpanId(): string {
  // Odd, so that it takes all values before the first one comes again.
  latest = (latest + 0x9e37_79b9) >>> 0;
  return PROCESS + digitsOf(latest);
}

/** Eight digits. */
function digitsOf(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** The part of it that others get. */
export type TracePlace = Pick<TraceContext, 'traceId' | 'spanId' | 'isSampled'>;

/** What this request sends to others, so that their work belongs to its span. */
export function toTraceparent({ traceId, spanId, isSampled }: TracePlace): string {
  return `00-${traceId}-${spanId}-${isSampled === false ? '00' : '01'}`;
}
