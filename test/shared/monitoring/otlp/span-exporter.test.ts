import { describe, expect, it } from 'vitest';
import { openOtlpCollector, valuesOf } from '../../../support/otlp-collector.ts';
import { FEATURES, openOtlpHost, PARENT, type Setup, TRACE } from './open-host.ts';

/** Spans alone. */
async function open({ environment, ...setup }: Setup) {
  return await openOtlpHost({ ...setup, environment: { OTEL_METRICS_EXPORTER: 'none', ...environment } });
}

describe('the spans of a request', () => {
  it('are one for the whole, below that of the caller, and one for each step in it', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({
      url: collector.url,
      environment: { OTEL_SERVICE_NAME: 'flowers', OTEL_EXPORTER_OTLP_HEADERS: 'k=v' },
    });
    const { requestId } = await send(FEATURES, PARENT);
    expect(collector.requests).toMatchObject([
      { path: '/v1/traces', headers: { k: 'v', 'content-type': 'application/json' } },
    ]);
    expect(collector.requests[0]?.text).toContain('{"key":"service.name","value":{"stringValue":"flowers"}}');
    const [whole, ...steps] = collector.spans();
    expect(whole).toMatchObject({
      traceId: TRACE,
      parentSpanId: '00f067aa0ba902b7',
      name: 'POST /models/{model}/predict',
      kind: 2,
      status: {},
    });
    expect(valuesOf(whole?.attributes ?? [])).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/models/{model}/predict',
      'http.response.status_code': '200',
      'faas.trigger': 'http',
      'faas.invocation_id': requestId,
      'ternion.model': 'iris',
      'ternion.batch_size': '1',
    });
    expect(steps.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['match', 'decode', 'resolve', 'run', 'encode']),
    );
    let end = BigInt(whole?.startTimeUnixNano ?? 0);
    for (const step of steps) {
      expect(step).toMatchObject({ traceId: TRACE, parentSpanId: whole?.spanId, kind: 1 });
      // A millisecond of a double has steps of a quarter of a microsecond.
      expect(BigInt(step.startTimeUnixNano)).toBeGreaterThanOrEqual(end - 1000n);
      end = BigInt(step.endTimeUnixNano);
      expect(end).toBeGreaterThanOrEqual(BigInt(step.startTimeUnixNano));
    }
    expect(BigInt(whole?.endTimeUnixNano ?? 0)).toBeGreaterThanOrEqual(end - 1000n);
    expect(new Set(collector.spans().map(({ spanId }) => spanId)).size).toBe(steps.length + 1);
    expect(JSON.stringify(collector.requests)).not.toContain('5.1');
  });

  it('have no more than a part of long paths and of long states of a trace', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({ url: collector.url });
    const member = `vendor=${'x'.repeat(90)}`;
    const tracestate = new Array(80).fill(member).join(',');
    await send(undefined, { ...PARENT, tracestate }, `/${'a'.repeat(7000)}?${'b'.repeat(7000)}`);
    const [whole] = collector.spans();
    expect(valuesOf(whole?.attributes ?? [])['url.path']).toBe(`/${'a'.repeat(199)}`);
    expect(whole).toMatchObject({ traceState: new Array(5).fill(member).join(',') });
  });

  it('have an error if the server failed, and none for a mistake of the client', async () => {
    const collector = await openOtlpCollector();
    const { send } = await open({ url: collector.url, environment: { MAX_REQUEST_SECONDS: '1' } });
    expect((await send({ features: 'x' })).status).toBe(400);
    const [whole] = collector.spans();
    expect(whole?.status).toEqual({});
    expect(whole?.attributes).toContainEqual({
      key: 'error.type',
      value: { stringValue: 'INVALID_PARAMETER_VALUE' },
    });
  });

  it.each<[string, Record<string, string>, Record<string, string>, number]>([
    ['of a caller that does not record', {}, { traceparent: PARENT.traceparent.replace(/01$/, '00') }, 0],
    ['with always_off', { OTEL_TRACES_SAMPLER: 'always_off' }, PARENT, 0],
    [
      'with always_on',
      { OTEL_TRACES_SAMPLER: 'always_on' },
      { traceparent: PARENT.traceparent.replace(/01$/, '00') },
      1,
    ],
    [
      'with a share of 0 and a caller that records',
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' },
      PARENT,
      1,
    ],
    ['when the SDK is off', { OTEL_SDK_DISABLED: 'true' }, PARENT, 0],
  ])('are sent or not %s', async (_, environment, headers, count) => {
    const collector = await openOtlpCollector();
    const { send } = await open({ url: collector.url, environment });
    await send(FEATURES, headers);
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(count);
  });

  it('wait for the next request while the collector is away, and none is lost or sent twice', async () => {
    const collector = await openOtlpCollector(503, 429);
    const { send, lines } = await open(collector);
    for (let index = 0; index < 4; index++) await send(FEATURES);
    const roots = collector.spans().filter(({ kind }) => kind === 2);
    expect(new Set(roots.map(({ spanId }) => spanId)).size).toBe(4);
    expect(roots).toHaveLength(4);
    // Once a minute is enough.
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^the collector at 127\.0\.0\.1:\d+ answered 503 to \d+ spans$/),
    ]);
  });

  it('do not keep answers when nobody takes them', async () => {
    const { send, lines } = await open({ url: 'http://127.0.0.1:9' });
    expect((await send(FEATURES)).status).toBe(200);
    expect(lines).toMatchObject([{ level: 'warn', message: 'spans could not be sent' }]);
  });

  it('are sent by a server as soon as there are many, each once', async () => {
    const collector = await openOtlpCollector();
    const { send, close } = await open({ url: collector.url, isFrozen: false });
    for (let index = 0; index < 300; index++) await send(FEATURES);
    // No timer of the exporter has fired by now: it waits for five seconds.
    await expect.poll(() => collector.spans().length, { timeout: 4_000 }).toBeGreaterThanOrEqual(512);
    await close();
    const roots = collector.spans().filter(({ kind }) => kind === 2);
    expect([roots.length, new Set(roots.map(({ spanId }) => spanId)).size]).toEqual([300, 300]);
  });

  it('are sent by a server that ends', async () => {
    const collector = await openOtlpCollector();
    const { send, close } = await open({ url: collector.url, isFrozen: false });
    for (let index = 0; index < 3; index++) await send(FEATURES);
    expect(collector.requests).toEqual([]);
    await close();
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(3);
    expect(collector.requests).toHaveLength(1);
    // Only functions have these attributes.
    expect(JSON.stringify(collector.requests)).not.toContain('faas.');
  });

  it('are not sent with each request of a server while the collector is away', async () => {
    const collector = await openOtlpCollector(...new Array(100).fill(503));
    const { send, lines, close } = await open({ url: collector.url, isFrozen: false });
    for (let index = 0; index < 120; index++) await send(FEATURES);
    await expect.poll(() => lines).toHaveLength(1);
    for (let index = 0; index < 180; index++) await send(FEATURES);
    collector.statuses.length = 0;
    await close();
    // The next attempt would have followed after five seconds.
    expect(collector.asked).toEqual([503, 200]);
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(300);
  });

  it('are sent by a server that ends while others are on their way, and again if those are refused', async () => {
    const collector = await openOtlpCollector(503);
    collector.delays.push(300);
    const { send, close } = await open({ url: collector.url, isFrozen: false });
    for (let index = 0; index < 120; index++) await send(FEATURES);
    await close();
    expect(collector.asked).toEqual([503, 200]);
    const roots = collector.spans().filter(({ kind }) => kind === 2);
    expect([roots.length, new Set(roots.map(({ spanId }) => spanId)).size]).toEqual([120, 120]);
  });

  it('are not sent with variables that cannot be used, and the log says why', async () => {
    const { send, lines } = await open({
      url: 'http://127.0.0.1:9',
      environment: { OTEL_TRACES_SAMPLER: 'some' },
    });
    expect((await send(FEATURES)).status).toBe(200);
    expect(lines).toMatchObject([
      {
        level: 'error',
        message: 'spans and metrics will not be sent',
        error: { message: expect.stringContaining('OTEL_TRACES_SAMPLER="some"') },
      },
    ]);
  });
});
