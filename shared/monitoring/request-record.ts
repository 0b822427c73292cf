import type { ErrorCode, InferenceError } from '../errors.ts';
import { BytesRequest, BytesResponse } from '../http/bytes.ts';
import type { Answer, RequestContext } from '../http/context.ts';
import { pathOfUrl } from '../http/route-path.ts';
import type { TraceContext } from '../http/trace-context.ts';
import { LIVE } from '../models/model-reference.ts';
import type { EmbeddingUsage, Measured, ValueQuality } from '../usage.ts';

/** The steps of a request, in their order; docs/architecture.md describes them. */
export const STEPS = [
  'receive',
  'match',
  'decode',
  'resolve',
  'preprocess',
  'run',
  'encode',
  'reply',
] as const;
export type Step = (typeof STEPS)[number];

/** What is known about a request that was answered. The log line, the metrics and the spans are made from it alone. */
export interface RequestRecord {
  readonly requestId: string;
  readonly trace: TraceContext;
  readonly method: string;
  /** As the client sent it, without the query, and without what is after 200 characters. */
  readonly path: string;
  /** The path that was answered, if the protocol reads another one from the request; it is cut in the same way. */
  readonly forwardedTo: string | undefined;
  /** The route, with names in braces: `/v2/models/{model}/infer`; undefined if none matched. */
  readonly route: string | undefined;
  readonly protocol: string | undefined;
  readonly model: string | undefined;
  readonly version: string | undefined;
  /**
   * How the request came to the version: `live`, `named` by the request itself, or the alias or version that a division of
   * the requests gave it to.
   */
  readonly variant: string | undefined;
  /** Whether the next request with the same key gets the same; undefined if no key was asked for. */
  readonly sticky: boolean | undefined;
  readonly status: number;
  readonly errorCode: ErrorCode | undefined;
  /**
   * For the log alone: until somebody reads its stack, an error holds all that the functions in it can reach, such as a
   * body of 32 MB.
   */
  readonly error: InferenceError | undefined;
  readonly coldStart: boolean;
  /** When it came, in milliseconds since the epoch. */
  readonly startedMs: number;
  /** From the moment the app had it until its answer was made. */
  readonly totalMs: number;
  /** Milliseconds in each step. Those from `match` on are `totalMs` together with the wait for a turn. */
  readonly steps: Readonly<Record<Step, number>>;
  /** Milliseconds that its runs waited for their turn. */
  readonly queueMs: number;
  /** Runs of the graph, and instances in them. */
  readonly runs: number;
  readonly instances: number;
  /** What is known about the vectors of a text model; undefined for models of other kinds. */
  readonly embedding: EmbeddingUsage | undefined;
  /** Size of both bodies, in bytes, before compression by the host; undefined if it is not known. */
  readonly bytesIn: number | undefined;
  readonly bytesOut: number | undefined;
  /** What own code counted and measured, by name. */
  readonly counts: ReadonlyMap<string, number> | undefined;
  readonly observations: ReadonlyMap<string, Measured> | undefined;
  /** The values of a tabular model; undefined if nobody reads it, or if there were no rows. */
  readonly quality: ValueQuality | undefined;
}

/** A request with its answer, and when the parts of its way began, on the clock of `performance.now()`. */
export interface Answered extends Answer {
  readonly request: Request;
  readonly context: RequestContext;
  readonly startMs: number;
  /** When the routes had made the answer. */
  readonly answeredMs: number;
  readonly endMs: number;
}

/** Clients can send long paths, and records wait for others: 8,192 spans of a collector that is away. */
const LONGEST_PATH = 200;

/** A copy: V8 keeps the whole text in memory for a part of it, here a URL with its query. */
function shortText(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_PATH)).toString();
}

export function recordOf(answered: Answered): RequestRecord {
  const { request, response, context, usage, error, startMs, endMs } = answered;
  const totalMs = endMs - startMs;
  const reference = usage?.reference ?? answered.named;
  return {
    requestId: context.requestId,
    trace: context.trace,
    method: request.method,
    path: shortText(pathOfUrl(request.url)),
    forwardedTo: answered.forwardedTo && shortText(answered.forwardedTo),
    route: answered.route,
    protocol: answered.protocol,
    model: reference?.name,
    version: reference?.version,
    variant: reference && (reference.variant ?? LIVE),
    sticky: reference?.sticky,
    status: response.status,
    errorCode: error?.code,
    error,
    coldStart: context.coldStart,
    startedMs: Date.now() - totalMs,
    totalMs,
    steps: timesOf(answered),
    queueMs: usage?.queueMs ?? 0,
    runs: usage?.runs ?? 0,
    instances: usage?.instances ?? 0,
    embedding: usage?.embedding,
    bytesIn: sizeOfRequest(request),
    bytesOut: sizeOfResponse(response),
    counts: usage?.counts,
    observations: usage?.observations,
    quality: usage?.quality,
  };
}

/** What is left of the time of a route is the writing of its answer, or the reading of a request that it refused. */
function timesOf({
  context,
  usage,
  error,
  startMs,
  handledMs = startMs,
  answeredMs,
  endMs,
}: Answered): RequestRecord['steps'] {
  const decode = usage ? usage.askedMs - handledMs : error ? answeredMs - handledMs : 0;
  const known = usage ? usage.loadMs + usage.inputMs + usage.queueMs + usage.runMs : 0;
  return {
    receive: startMs - (context.receivedMs ?? startMs),
    match: handledMs - startMs,
    decode,
    resolve: usage?.loadMs ?? 0,
    preprocess: usage?.inputMs ?? 0,
    run: usage?.runMs ?? 0,
    encode: Math.max(0, answeredMs - handledMs - decode - known),
    reply: endMs - answeredMs,
  };
}

function sizeOfRequest(request: Request): number | undefined {
  if (!(request instanceof BytesRequest)) return declaredSize(request.headers);
  return request.size;
}

function sizeOfResponse(response: Response): number | undefined {
  if (response instanceof BytesResponse) return response.size;
  return response.body === null ? 0 : declaredSize(response.headers);
}

function declaredSize(headers: Headers): number | undefined {
  const declared = headers.get('content-length') ?? '';
  // A client can declare anything, and one sum with NaN stays NaN.
  return /^\d{1,15}$/.test(declared) ? Number(declared) : undefined;
}
