import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../../shared/config.ts';
import { InferenceError } from '../../../shared/errors.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { createRequestLog } from '../../../shared/monitoring/request-log.ts';
import { makeRecord } from '../../support/make-record.ts';

interface Setup {
  readonly sample?: number;
  readonly level?: LogLevel;
  readonly hasMetrics?: boolean;
}

function openLog({ sample = 1, level = 'info', hasMetrics = false }: Setup = {}) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  const log = createRequestLog({
    logger: createLogger(level, write),
    sample,
    slowMs: 100,
    instance: 'i-1',
    metrics: hasMetrics ? () => ({ Requests: 1 }) : undefined,
    writeMetrics: write,
  });
  return { log, lines };
}

/** A trace whose last digits decide that this share of all traces comes before it. */
const traceAt = (share: number) => ({
  ...makeRecord().trace,
  traceId: `${'a'.repeat(24)}${Math.floor(share * 2 ** 32)
    .toString(16)
    .padStart(8, '0')}`,
});

describe('the line of a request', () => {
  it('has what the record has, and neither inputs nor outputs', () => {
    const { log, lines } = openLog();
    const record = makeRecord({ queueMs: 0.25 });
    log(record);
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        message: 'request',
        request_id: 'r-1',
        trace_id: record.trace.traceId,
        span_id: record.trace.spanId,
        method: 'POST',
        path: '/predict',
        protocol: 'ternion',
        status: 200,
        duration_ms: 8,
        cold_start: false,
        instance: 'i-1',
        model: 'iris',
        model_version: '2',
        variant: 'live',
        batch_size: 3,
        bytes_in: 30,
        bytes_out: 245,
        receive_ms: 0.5,
        match_ms: 1,
        decode_ms: 2,
        resolve_ms: 0,
        preprocess_ms: 0.5,
        queue_ms: 0.25,
        run_ms: 3,
        encode_ms: 1,
        reply_ms: 0.25,
      },
    ]);
  });

  it('cannot be split by what a client sends', () => {
    const written: string[] = [];
    const log = createRequestLog({
      logger: createLogger('info', (line) => written.push(line)),
      sample: 1,
      slowMs: 100,
      instance: 'i-1',
    });
    log(makeRecord({ method: 'A\nB', path: '/x\r\n{"level":"error"}', protocol: undefined }));
    expect(written).toHaveLength(1);
    expect(written[0]).not.toMatch(/[\r\n]/);
    expect(JSON.parse(written[0] ?? '')).toMatchObject({ level: 'info', path: '/x\r\n{"level":"error"}' });
  });

  it('is written for the share of traces that LOG_SAMPLE says, the same in each process', () => {
    const shares = Array.from({ length: 1000 }, (_, index) => index / 1000);
    const runs = [openLog({ sample: 0.25 }), openLog({ sample: 0.25 })];
    for (const { log } of runs) for (const share of shares) log(makeRecord({ trace: traceAt(share) }));
    expect(runs.map(({ lines }) => lines.length)).toEqual([250, 250]);
    expect(runs[0]?.lines.map((line) => line.trace_id)).toEqual(runs[1]?.lines.map((line) => line.trace_id));
  });

  it('is always written for errors and slow requests', () => {
    const { log, lines } = openLog({ sample: 0 });
    const error = new InferenceError('BAD_REQUEST', 'no');
    log(makeRecord());
    log(makeRecord({ totalMs: 99.9 }));
    log(makeRecord({ totalMs: 100 }));
    log(makeRecord({ status: 400, error }));
    expect(lines.map(({ duration_ms, error_code }) => [duration_ms, error_code])).toEqual([
      [100, undefined],
      [8, 'BAD_REQUEST'],
    ]);
  });

  it('has the metrics of the log service, which are written alone if there is no line', () => {
    const withLine = openLog({ hasMetrics: true });
    withLine.log(makeRecord());
    expect(withLine.lines).toMatchObject([{ message: 'request', Requests: 1 }]);
    for (const setup of [{ sample: 0 }, { level: 'error' as const }]) {
      const { log, lines } = openLog({ ...setup, hasMetrics: true });
      log(makeRecord());
      expect(lines).toEqual([{ Requests: 1 }]);
    }
    const silent = openLog({ level: 'silent', hasMetrics: true });
    silent.log(makeRecord());
    expect(silent.lines).toEqual([]);
  });
});
