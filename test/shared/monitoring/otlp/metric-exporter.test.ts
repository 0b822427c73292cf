import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createMetricExporter } from '../../../../shared/monitoring/otlp/metric-exporter.ts';
import { type MetricSettings, readSignal } from '../../../../shared/monitoring/otlp/settings.ts';
import { makeRecord } from '../../../support/make-record.ts';
import { openOtlpCollector, type SentPoint } from '../../../support/otlp-collector.ts';
import { FEATURES, openOtlpHost, type Setup } from './open-host.ts';

/** Metrics alone. */
async function open({ environment, ...setup }: Setup) {
  return await openOtlpHost({ ...setup, environment: { OTEL_TRACES_EXPORTER: 'none', ...environment } });
}

const DURATION = 'http.server.request.duration';

function sumOf(points: readonly SentPoint[]): number {
  return points.reduce((sum, { count }) => sum + count, 0);
}

/** Whether each point begins where the one before ended, if they are of the same series or not. */
function expectNoGap(points: readonly SentPoint[]): void {
  const spans = [...new Set(points.map(({ startNano, endNano }) => `${startNano} ${endNano}`))];
  const pairs = spans.map((span) => span.split(' '));
  for (const [index, [start]] of pairs.entries()) {
    if (index > 0) expect(start).toBe(pairs[index - 1]?.[1]);
  }
}

describe('the metrics of a function', () => {
  it('have the values of each feature, and those that are not as expected', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({ url: collector.url });
    await send({ features: [5.1, 300, 1.4, null] });
    await send(FEATURES);
    const values = collector.points('ternion.feature.values');
    const counts = new Map<string, number>();
    for (const { attributes, count, isMonotonic } of values) {
      expect([attributes['ternion.model'], isMonotonic]).toEqual(['iris', true]);
      const key = `${attributes['ternion.feature']} ${attributes['ternion.kind']}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    expect(Object.fromEntries(counts)).toEqual({
      'sepal_length seen': 2,
      'sepal_width seen': 2,
      'sepal_width out_of_range': 1,
      'petal_length seen': 2,
      'petal_width seen': 2,
      'petal_width missing': 1,
    });
  });

  it('are deltas that follow the semantic conventions', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({
      url: collector.url,
      environment: { AWS_LAMBDA_FUNCTION_NAME: 'flowers', AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512' },
    });
    await send(FEATURES);
    await send({ features: 'x' });
    await send({ features: 'x' }, {}, '/nowhere');
    expect(collector.requests).toMatchObject(
      Array.from({ length: 3 }, () => ({
        path: '/v1/metrics',
        headers: { 'content-type': 'application/json' },
      })),
    );
    expect(collector.requests[0]?.text).toContain('{"key":"faas.name","value":{"stringValue":"flowers"}}');
    expect(collector.requests[0]?.text).toContain(
      '{"key":"faas.max_memory","value":{"intValue":"536870912"}}',
    );
    const requests = collector.points(DURATION);
    expect(
      requests.map(({ attributes, count, unit, temporality }) => [attributes, count, unit, temporality]),
    ).toEqual([
      [
        {
          'http.request.method': 'POST',
          'http.route': '/models/{model}/predict',
          'http.response.status_code': '200',
        },
        1,
        's',
        1,
      ],
      [
        {
          'http.request.method': 'POST',
          'http.route': '/models/{model}/predict',
          'http.response.status_code': '400',
          'error.type': 'INVALID_PARAMETER_VALUE',
        },
        1,
        's',
        1,
      ],
      [
        {
          'http.request.method': 'POST',
          'http.response.status_code': '404',
          'error.type': 'ENDPOINT_NOT_FOUND',
        },
        1,
        's',
        1,
      ],
    ]);
    expect(requests[0]?.bounds).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
    expect(requests[0]?.buckets).toHaveLength(15);
    expectNoGap(requests);
    // A mistake of a client is not an error of a function.
    expect(sumOf(collector.points('faas.invocations'))).toBe(3);
    expect(collector.points('faas.errors')).toEqual([]);
    expect(sumOf(collector.points('faas.invoke_duration'))).toBe(3);
    expect(collector.points('ternion.batch.size')).toMatchObject([
      { attributes: { 'ternion.model': 'iris' }, count: 1, sum: 1, unit: '{instance}' },
    ]);
    expect(collector.points('ternion.model.load.duration')).toMatchObject([{ count: 1 }]);
    expect(
      collector.points('ternion.step.duration').map(({ attributes }) => attributes['ternion.step']),
    ).toEqual(['receive', 'match', 'decode', 'resolve', 'preprocess', 'run', 'encode', 'reply', 'queue']);
  });

  it('have the cold start, with its initialization, once', async () => {
    const collector = await openOtlpCollector();
    const exporter = openExporter(collector.url);
    exporter.ready?.();
    for (const coldStart of [true, false, false]) await request(exporter, { coldStart });
    await request(exporter, { status: 503, errorCode: 'MODEL_UNAVAILABLE' });
    expect(collector.points('faas.coldstarts')).toMatchObject([{ message: 0, count: 1, isMonotonic: true }]);
    expect(collector.points('faas.init_duration')).toMatchObject([
      { message: 0, count: 1, sum: expect.any(Number) },
    ]);
    expect(
      collector
        .points('faas.invoke_duration')
        .map(({ attributes, count }) => [attributes['faas.coldstart'], count]),
    ).toEqual([
      [true, 1],
      [false, 1],
      [false, 1],
      [false, 1],
    ]);
    expect(sumOf(collector.points('faas.invocations'))).toBe(3);
    expect(sumOf(collector.points('faas.errors'))).toBe(1);
  });

  it('balance when the collector fails for a while, and each point begins where the one before ended', async () => {
    const failures = [503, 0, 429, 0, 0, 502, 504];
    const collector = await openOtlpCollector(200, ...failures);
    const { send, lines } = await open({ url: collector.url });
    for (let index = 0; index < 20; index++) {
      expect((await send(index % 3 === 0 ? { features: 'x' } : FEATURES)).status).toBe(
        index % 3 === 0 ? 400 : 200,
      );
    }
    expect(collector.asked.filter((status) => status !== 200)).toEqual(failures);
    const requests = collector.points(DURATION);
    expect(sumOf(requests)).toBe(20);
    expect(sumOf(requests.filter(({ attributes }) => attributes['error.type'] !== undefined))).toBe(7);
    expect(sumOf(collector.points('faas.invocations'))).toBe(20);
    expect(sumOf(collector.points('ternion.runs'))).toBe(13);
    expectNoGap(requests);
    // Once a minute is enough.
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the collector at 127\.0\.0\.1:\d+ answered 503 to metrics$/),
    ]);
  });

  it('are sent again as they were, so that a collector that lost its answer can see it', async () => {
    const collector = await openOtlpCollector(503);
    const exporter = openExporter(collector.url);
    await request(exporter);
    expect(collector.requests).toEqual([]);
    await request(exporter);
    expect(collector.requests).toHaveLength(2);
    expect(collector.requests[0]?.text).toBe(collector.refused[0]?.text);
    expect(collector.points(DURATION).map(({ message, count }) => [message, count])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('count once when the collector takes them after the function has stopped waiting', async () => {
    const collector = await openOtlpCollector();
    collector.delays.push(700);
    const { send, lines } = await open({ url: collector.url });
    await send(FEATURES);
    expect(lines.map(({ message }) => message)).toEqual(['work after an answer failed']);
    for (let index = 0; index < 2; index++) await send(FEATURES);
    await expect.poll(() => sumOf(collector.points(DURATION))).toBeGreaterThanOrEqual(3);
    await send(FEATURES);
    expect(sumOf(collector.points(DURATION))).toBe(4);
    expectNoGap(collector.points(DURATION));
  });

  it('of many requests at once go out together, after the first one of them', async () => {
    const collector = await openOtlpCollector();
    const exporter = openExporter(collector.url);
    await Promise.all(Array.from({ length: 40 }, () => request(exporter)));
    expect(collector.points(DURATION).map(({ count }) => count)).toEqual([1, 39]);
  });

  it('wait for an interval that somebody asks for', async () => {
    const collector = await openOtlpCollector();
    const { send, close } = await open({
      url: collector.url,
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '60000' },
    });
    for (let index = 0; index < 5; index++) await send(FEATURES);
    expect(collector.points(DURATION).map(({ count }) => count)).toEqual([1]);
    await close();
    expect(collector.points(DURATION).map(({ count }) => count)).toEqual([1, 4]);
  });

  it('are dropped when the collector refuses them, and no others are', async () => {
    const collector = await openOtlpCollector(400);
    const { send, lines } = await open({ url: collector.url });
    for (let index = 0; index < 3; index++) await send(FEATURES);
    expect(collector.points(DURATION).map(({ count }) => count)).toEqual([1, 1]);
    expect(lines).toMatchObject([{ message: expect.stringContaining('answered 400 to metrics') }]);
  });

  it('have later times in each message, also if the clock is set back', async () => {
    const collector = await openOtlpCollector();
    const exporter = openExporter(collector.url, { temporality: 'cumulative' });
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    for (const hour of ['12:00', '11:00', '11:30']) {
      vi.setSystemTime(`2026-01-01T${hour}:00Z`);
      await request(exporter);
    }
    const ends = collector.points(DURATION).map(({ endNano }) => endNano);
    expect(ends).toHaveLength(3);
    expect(ends).toEqual([...new Set(ends)].sort((a, b) => Number(a - b)));
  });

  it('have one name for unknown methods, and none of a model without one', async () => {
    const collector = await openOtlpCollector();
    const exporter = openExporter(collector.url);
    await request(exporter, { method: 'PURGE', route: undefined, model: undefined, version: undefined });
    await request(exporter, { method: 'PUT' });
    expect(collector.points(DURATION).map(({ attributes }) => attributes['http.request.method'])).toEqual([
      '_OTHER',
      'PUT',
    ]);
    expect(
      collector.points('ternion.request.duration').map(({ attributes }) => attributes['ternion.model']),
    ).toEqual(['iris']);
  });

  it('have the loads that failed', async () => {
    const collector = await openOtlpCollector();
    const exporter = openExporter(collector.url);
    const reference = { name: 'iris', version: '2' };
    for (const succeeded of [false, true, false]) {
      exporter.load?.({ reference, durationMs: 500, succeeded, objective: undefined, features: undefined });
    }
    await request(exporter);
    const attributes = { 'ternion.model': 'iris', 'ternion.model_version': '2' };
    expect(collector.points('ternion.model.load.failures')).toMatchObject([{ attributes, count: 2 }]);
    expect(collector.points('ternion.model.load.duration')).toMatchObject([
      { attributes, count: 1, sum: 0.5 },
    ]);
  });

  it('are in the log if the collector takes only a part of them', async () => {
    const collector = await openOtlpCollector();
    collector.answers.push({ rejectedDataPoints: '0', errorMessage: 'old' });
    collector.answers.push({ rejectedDataPoints: '7', errorMessage: 'too late' });
    const { send, lines } = await open({ url: collector.url });
    for (let index = 0; index < 3; index++) await send(FEATURES);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the collector at \S+ took only a part of metrics: 7 refused\. too late$/),
    ]);
    // What it refused is not sent again.
    expect(sumOf(collector.points(DURATION))).toBe(3);
  });

  it('since the start that the collector could not take are sent at the end', async () => {
    const collector = await openOtlpCollector(503);
    const exporter = openExporter(collector.url, { temporality: 'cumulative' });
    await request(exporter);
    expect(collector.requests).toEqual([]);
    await exporter.close();
    expect(collector.points(DURATION).map(({ count }) => count)).toEqual([1]);
    await exporter.close();
    expect(collector.requests).toHaveLength(1);
  });

  it('are compressed on demand', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({
      url: collector.url,
      environment: { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' },
    });
    await send(FEATURES);
    expect(collector.requests).toMatchObject([{ headers: { 'content-encoding': 'gzip' } }]);
    expect(sumOf(collector.points(DURATION))).toBe(1);
  });
});

describe('the metrics of a server', () => {
  it('are sums since its start, sent at each interval and at its end', async () => {
    const collector = await openOtlpCollector();
    const { send, close } = await open({
      url: collector.url,
      isFrozen: false,
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '50' },
    });
    for (let index = 0; index < 3; index++) await send(FEATURES);
    await expect.poll(() => collector.points(DURATION).at(-1)?.count).toBe(3);
    const sent = collector.points(DURATION).length;
    // Without a new request as well: a series that nobody sends has ended.
    await expect.poll(() => collector.points(DURATION).length).toBeGreaterThan(sent + 1);
    await send(FEATURES);
    await close();
    const points = collector.points(DURATION);
    expect(points.at(-1)?.count).toBe(4);
    expect(new Set(points.map(({ startNano }) => startNano)).size).toBe(1);
    expect(points.every(({ temporality }) => temporality === 2)).toBe(true);
    expect(collector.points('faas.invocations')).toEqual([]);
  });

  it('do not keep a server that ends, and neither do its spans, if the collector does not answer', async () => {
    const collector = await openOtlpCollector();
    const { send, close, lines } = await openOtlpHost({
      url: collector.url,
      isFrozen: false,
      environment: { OTEL_EXPORTER_OTLP_TIMEOUT: '600000' },
    });
    // More than the timeout of this test.
    collector.delays.push(600_000, 600_000);
    await send(FEATURES);
    await close();
    expect(lines.map(({ message }) => message).sort()).toEqual([
      'metrics could not be sent',
      'spans could not be sent',
    ]);
  });

  it('are deltas for those who want them', async () => {
    const collector = await openOtlpCollector(503);
    const { send, close } = await open({
      url: collector.url,
      isFrozen: false,
      environment: {
        OTEL_METRIC_EXPORT_INTERVAL: '20',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'lowmemory',
      },
    });
    for (let index = 0; index < 30; index++) {
      await send(FEATURES);
      if (index % 10 === 0) await expect.poll(() => sumOf(collector.points(DURATION))).toBe(index + 1);
    }
    await close();
    const points = collector.points(DURATION);
    expect(sumOf(points)).toBe(30);
    expect(points.every(({ temporality }) => temporality === 1)).toBe(true);
    expect(new Set(points.map(({ message }) => message)).size).toBeGreaterThanOrEqual(3);
  });
});

function openExporter(url: string, own: Partial<MetricSettings> = {}) {
  return createMetricExporter({
    settings: readSignal({ OTEL_EXPORTER_OTLP_ENDPOINT: url }, 'metrics'),
    temporality: undefined,
    intervalMs: undefined,
    ...own,
    resource: {},
    isFrozen: true,
    report: () => undefined,
  });
}

/** A request, and the work that it leaves. */
async function request(
  exporter: ReturnType<typeof createMetricExporter>,
  own: Parameters<typeof makeRecord>[0] = {},
): Promise<void> {
  const work: Promise<void>[] = [];
  exporter.request(makeRecord(own), {
    waitUntil: (piece) => void work.push(piece(new AbortController().signal)),
  });
  await Promise.all(work);
}
