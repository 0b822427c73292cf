import {
  context,
  ProxyTracerProvider,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { createApp } from '../../../../functions/cli/library/app.ts';
import { prepareOwnCode } from '../../../../shared/own-requests.ts';
import type { OwnCode } from '../../../../shared/processors/own-code.ts';
import { TEST_ENVIRONMENT } from '../../../support/hosts/environment.ts';
import { openOtlpCollector } from '../../../support/otlp-collector.ts';
import { FEATURES, openOtlpHost, PARENT, TRACE } from './open-host.ts';

afterEach(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

/** Registers what a program does, and gives the spans that its exporter has. */
function register({ isWhole = true, sampler = {} } = {}) {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], ...sampler }),
  );
  if (isWhole) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  }
  return () => exporter.getFinishedSpans();
}

function toNanoseconds([seconds, nanoseconds]: ReadableSpan['startTime']): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
}

function parentOf(span: ReadableSpan | undefined): string | undefined {
  return span?.parentSpanContext?.spanId;
}

describe('the tracer that a program has registered', () => {
  it.each([true, false])(
    'gets the spans of a request below that of its caller (with a propagator: %s)',
    async (isWhole) => {
      const finished = register({ isWhole });
      const beforeMs = Date.now() - 1;
      const { send } = await openOtlpHost({});
      const { requestId } = await send(FEATURES, PARENT);
      const afterMs = Date.now() + 1;
      const whole = finished().find(({ kind }) => kind === SpanKind.SERVER);
      const steps = finished().filter(({ kind }) => kind === SpanKind.INTERNAL);
      expect(whole?.name).toBe('POST /models/{model}/predict');
      expect(whole?.spanContext().traceId).toBe(TRACE);
      expect(whole?.parentSpanContext).toMatchObject({ spanId: '00f067aa0ba902b7', isRemote: true });
      expect(whole?.status.code).toBe(SpanStatusCode.UNSET);
      expect(whole?.attributes).toMatchObject({
        'http.response.status_code': 200,
        'ternion.model': 'iris',
        'ternion.request_id': requestId,
      });
      expect(steps.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['match', 'decode', 'run', 'encode']),
      );
      let atNano = toNanoseconds(whole?.startTime ?? [0, 0]);
      expect(Number(atNano / 1_000_000n)).toBeGreaterThanOrEqual(beforeMs);
      for (const step of steps) {
        expect([step.spanContext().traceId, parentOf(step)]).toEqual([TRACE, whole?.spanContext().spanId]);
        // A millisecond of a double has steps of a quarter of a microsecond.
        expect(toNanoseconds(step.startTime)).toBeGreaterThanOrEqual(atNano - 1000n);
        atNano = toNanoseconds(step.endTime);
      }
      expect(toNanoseconds(whole?.endTime ?? [0, 0])).toBeGreaterThanOrEqual(atNano - 1000n);
      expect(Number(toNanoseconds(whole?.endTime ?? [0, 0]) / 1_000_000n)).toBeLessThanOrEqual(afterMs);
      expect(JSON.stringify(finished().map(({ attributes }) => attributes))).not.toContain('5.1');
    },
  );

  it('has the trace of the log line', async () => {
    const finished = register();
    const { send, lines } = await openOtlpHost({ environment: { LOG_LEVEL: 'info' } });
    await send(FEATURES);
    const [whole] = finished().filter(({ kind }) => kind === SpanKind.SERVER);
    const place = whole?.spanContext();
    expect(lines.filter(({ message }) => message === 'request')).toMatchObject([
      { trace_id: place?.traceId, span_id: place?.spanId },
    ]);
    expect(place?.traceId).toMatch(/^[\da-f]{32}$/);
  });

  it('has an error for a failure of the server, and none for a mistake of the client', async () => {
    const finished = register();
    const own: OwnCode = {
      routes: [
        {
          method: 'POST',
          path: '/broken',
          handle: () => {
            throw new Error('no');
          },
        },
      ],
    };
    const { send } = await openOtlpHost({ own: prepareOwnCode(own) });
    await send(FEATURES, {}, '/broken');
    await send({ features: 'x' });
    const wholes = finished().filter(({ kind }) => kind === SpanKind.SERVER);
    expect(wholes.map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
      [SpanStatusCode.ERROR, 'PROCESSOR_FAILED'],
      [SpanStatusCode.UNSET, 'INVALID_PARAMETER_VALUE'],
    ]);
  });

  it('has spans of own code below that of their request', async () => {
    const finished = register();
    const seen: string[] = [];
    const own: OwnCode = {
      routes: [
        {
          method: 'POST',
          path: '/look-up',
          handle: async (_, { traceparent }) => {
            await Promise.resolve();
            seen.push(traceparent);
            trace.getTracer('own').startSpan('database').end();
            return new Response('{}');
          },
        },
      ],
    };
    const { send } = await openOtlpHost({ own: prepareOwnCode(own) });
    await send(FEATURES, PARENT, '/look-up');
    const whole = finished().find(({ kind }) => kind === SpanKind.SERVER);
    const database = finished().find(({ name }) => name === 'database');
    const spanId = whole?.spanContext().spanId;
    expect(parentOf(database)).toBe(spanId);
    expect(seen).toEqual([`00-${TRACE}-${spanId}-01`]);
  });

  it('has the requests of createApp below the span of the server that it is a part of', async () => {
    const finished = register();
    const app = createApp({ environment: { ...TEST_ENVIRONMENT, LOG_LEVEL: 'silent' } });
    const tracer = trace.getTracer('framework');
    await tracer.startActiveSpan('GET /health', { kind: SpanKind.SERVER }, async (span) => {
      expect((await app.fetch(new Request('http://localhost/health', { headers: PARENT }))).status).toBe(200);
      span.end();
    });
    await app.close();
    const outer = finished().find(({ kind }) => kind === SpanKind.SERVER);
    const inner = finished().find(({ attributes }) => attributes['http.route'] === '/health');
    expect(parentOf(inner)).toBe(outer?.spanContext().spanId);
    expect(inner?.kind).toBe(SpanKind.INTERNAL);
    expect(finished().filter(({ kind }) => kind === SpanKind.SERVER)).toHaveLength(1);
  });

  it('gets the spans instead of a collector, which gets the metrics alone', async () => {
    const finished = register();
    const collector = await openOtlpCollector();
    const { send } = await openOtlpHost({ url: collector.url });
    await send(FEATURES);
    expect(collector.requests.map(({ path }) => path)).toEqual(['/v1/metrics']);
    expect(finished().filter(({ kind }) => kind === SpanKind.SERVER)).toHaveLength(1);
  });

  it('decides what is recorded, and own code passes that on', async () => {
    const finished = register({ sampler: { sampler: new AlwaysOffSampler() } });
    const seen: string[] = [];
    const own: OwnCode = {
      middleware: [
        async (request, next, { traceparent }) => {
          seen.push(traceparent);
          return await next(request);
        },
      ],
    };
    const { send } = await openOtlpHost({ own: prepareOwnCode(own) });
    expect((await send(FEATURES)).status).toBe(200);
    expect(finished()).toEqual([]);
    expect(seen).toEqual([expect.stringMatching(/-00$/)]);
  });

  it('sends what it has before a function is frozen', async () => {
    const exporter = new InMemorySpanExporter();
    const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 3_600_000 });
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }));
    const { send } = await openOtlpHost({});
    await send(FEATURES);
    expect(exporter.getFinishedSpans().filter(({ kind }) => kind === SpanKind.SERVER)).toHaveLength(1);
    await processor.shutdown();
  });

  it('follows a caller that does not record, also without a propagator', async () => {
    const finished = register({ isWhole: false });
    const { send } = await openOtlpHost({});
    await send(FEATURES, { traceparent: PARENT.traceparent.replace(/01$/, '00') });
    expect(finished()).toEqual([]);
    await send(FEATURES, PARENT);
    expect(finished()).not.toEqual([]);
  });

  it('may have no provider, and the request has a trace of its own', async () => {
    trace.setGlobalTracerProvider(new ProxyTracerProvider());
    const { send, lines } = await openOtlpHost({ environment: { LOG_LEVEL: 'info' } });
    await send(FEATURES);
    expect(lines.filter(({ message }) => message === 'request')).toMatchObject([
      { trace_id: expect.stringMatching(/[1-9a-f]/), span_id: expect.stringMatching(/[1-9a-f]/) },
    ]);
  });

  it('may be missing although others use the package', async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const collector = await openOtlpCollector();
    const { send } = await openOtlpHost({
      url: collector.url,
      environment: { OTEL_METRICS_EXPORTER: 'none' },
    });
    await send(FEATURES);
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(1);
  });
});
