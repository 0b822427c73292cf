import { ERROR_KINDS } from '../errors.ts';
import { type LogFields, type Logger, roundMs } from './logger.ts';
import type { RequestRecord } from './request-record.ts';

export interface RequestLogOptions {
  readonly logger: Logger;
  /** The share of requests that get a line, from 0 to 1. Errors and slow requests always get one. */
  readonly sample: number;
  /** From how many milliseconds on a request is slow. */
  readonly slowMs: number;
  /** Identifies the process among others that write to the same log. */
  readonly instance: string;
  /** Makes members of the line from which the log service makes metrics. */
  readonly metrics?: ((record: RequestRecord) => LogFields | undefined) | undefined;
  /** Writes these members alone, for a request without a line, unless the log is silent. */
  readonly writeMetrics?: ((line: string) => void) | undefined;
}

/** Writes a line for a request. */
export type RequestLog = (record: RequestRecord) => void;

export function createRequestLog(options: RequestLogOptions): RequestLog {
  const { logger, sample, slowMs, instance } = options;
  return (record) => {
    const { error, totalMs, trace } = record;
    const isKept = error !== undefined || totalMs >= slowMs || sample >= 1 || shareOf(trace.traceId) < sample;
    const level = error ? ERROR_KINDS[error.code].logLevel : 'info';
    const metrics = options.metrics?.(record);
    if (isKept && logger.writes(level)) {
      logger.log(level, 'request', () => ({ ...describeRequest(record, instance), ...metrics }));
    } else if (metrics && logger.writes('error')) options.writeMetrics?.(JSON.stringify(metrics));
  };
}

/** A number from 0 to 1 that is the same in all services that a trace passes. Random ids have their last digits at random. */
function shareOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16) / 2 ** 32;
}

/**
 * The log line of a request. The message of a client's mistake stays out of it, because it quotes the request. For the
 * server's own failures the line has everything.
 */
function describeRequest(record: RequestRecord, instance: string): LogFields {
  const { error, trace, steps, runs, queueMs } = record;
  return {
    request_id: record.requestId,
    trace_id: trace.traceId,
    span_id: trace.spanId,
    method: record.method,
    path: record.path,
    forwarded_to: record.forwardedTo,
    protocol: record.protocol,
    status: record.status,
    duration_ms: roundMs(record.totalMs),
    cold_start: record.coldStart,
    instance,
    model: record.model,
    model_version: record.version,
    variant: record.variant,
    sticky: record.sticky,
    batch_size: runs > 0 ? record.instances : undefined,
    bytes_in: record.bytesIn,
    bytes_out: record.bytesOut,
    receive_ms: roundMs(steps.receive),
    match_ms: roundMs(steps.match),
    decode_ms: roundMs(steps.decode),
    resolve_ms: roundMs(steps.resolve),
    preprocess_ms: roundMs(steps.preprocess),
    queue_ms: queueMs > 0 ? roundMs(queueMs) : undefined,
    run_ms: runs > 0 ? roundMs(steps.run) : undefined,
    encode_ms: roundMs(steps.encode),
    reply_ms: roundMs(steps.reply),
    counts: objectOf(record.counts),
    observations: objectOf(record.observations),
    quality: record.quality?.summary,
    error_code: error?.code,
    error: error && error.status >= 500 ? error : undefined,
  };
}

/** Members of a line that most requests do not have. */
function objectOf<T>(values: ReadonlyMap<string, T> | undefined): Record<string, T> | undefined {
  return values === undefined || values.size === 0 ? undefined : Object.fromEntries(values);
}
