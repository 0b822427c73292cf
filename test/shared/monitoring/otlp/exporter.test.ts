import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, createHost, requestUrl } from '../../../../functions/host.ts';
import { BytesRequest } from '../../../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../../../shared/stores/filesystem.ts';
import { post } from '../../../contracts/exchanges.ts';
import { TEST_ENVIRONMENT } from '../../../support/hosts/environment.ts';
import { portOf } from '../../../support/port-of.ts';
import { PAGES } from '../../../support/project.ts';

interface Sent {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
  readonly status: { readonly code?: number };
}

/** A collector that takes the JSON of OTLP, and answers with these statuses first. */
async function openCollector(...statuses: number[]) {
  const requests: { path: string; headers: Record<string, unknown>; body: { resourceSpans: unknown[] } }[] =
    [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const status = statuses.shift() ?? 200;
    if (status === 200) {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      requests.push({ path: request.url ?? '', headers: request.headers, body });
    }
    response.writeHead(status).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const spans = (): Sent[] =>
    requests.flatMap(({ body }) =>
      body.resourceSpans.flatMap((resource) =>
        Object(resource).scopeSpans.flatMap((scope: unknown) => Object(scope).spans),
      ),
    );
  return { url: `http://127.0.0.1:${portOf(server)}`, requests, spans };
}

interface Setup {
  readonly url: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly isFrozen?: boolean;
}

async function open({ url, environment = {}, isFrozen = true }: Setup) {
  const lines: Record<string, unknown>[] = [];
  const host = createHost({
    environment: { ...TEST_ENVIRONMENT, LOG_LEVEL: 'warn', OTEL_EXPORTER_OTLP_ENDPOINT: url, ...environment },
    modelRepository: TEST_ENVIRONMENT.MODEL_REPOSITORY,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    isFrozen,
    log: () => ({ write: (line) => void lines.push(JSON.parse(line)) }),
  });
  await host.app.preload();
  const send = async (body: object, headers: Record<string, string> = {}) => {
    const { method, path, body: content } = post('/models/iris/predict', body);
    const request = new BytesRequest(requestUrl(path), { method, headers: new Headers(headers) }, content);
    const context = createContext(request.headers, undefined);
    const { status } = await host.app.fetch(request, context);
    await host.runWaitingWork(context);
    return { status, requestId: context.requestId };
  };
  return { send, lines, close: () => host.app.close() };
}

const FEATURES = { features: [5.1, 3.5, 1.4, 0.2] };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'a=1' };

describe('the spans of a request', () => {
  it('are one for the whole, below that of the caller, and one for each step in it', async () => {
    const collector = await openCollector();
    const { send } = await open({
      ...collector,
      environment: { OTEL_SERVICE_NAME: 'flowers', OTEL_EXPORTER_OTLP_HEADERS: 'k=v' },
    });
    const { requestId } = await send(FEATURES, PARENT);
    expect(collector.requests).toMatchObject([
      { path: '/v1/traces', headers: { k: 'v', 'content-type': 'application/json' } },
    ]);
    expect(JSON.stringify(collector.requests)).toContain(
      '{"key":"service.name","value":{"stringValue":"flowers"}}',
    );
    const [whole, ...steps] = collector.spans();
    expect(whole).toMatchObject({
      traceId: TRACE,
      parentSpanId: '00f067aa0ba902b7',
      name: 'POST /models/{model}/predict',
      kind: 2,
      status: {},
    });
    const attributes = Object.fromEntries(
      whole?.attributes.map(({ key, value }) => [key, Object.values(Object(value))[0]]) ?? [],
    );
    expect(attributes).toMatchObject({
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

  it('have an error if the server failed, and none for a mistake of the client', async () => {
    const collector = await openCollector();
    const { send } = await open({ ...collector, environment: { MAX_REQUEST_SECONDS: '1' } });
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
    const collector = await openCollector();
    const { send } = await open({ ...collector, environment });
    await send(FEATURES, headers);
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(count);
  });

  it('wait for the next request while the collector is away, and none is lost or sent twice', async () => {
    const collector = await openCollector(503, 429);
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
    const collector = await openCollector();
    const { send, close } = await open({ ...collector, isFrozen: false });
    for (let index = 0; index < 300; index++) await send(FEATURES);
    // No timer of the exporter has fired by now: it waits for five seconds.
    await expect.poll(() => collector.spans().length, { timeout: 4_000 }).toBeGreaterThanOrEqual(512);
    await close();
    const roots = collector.spans().filter(({ kind }) => kind === 2);
    expect([roots.length, new Set(roots.map(({ spanId }) => spanId)).size]).toEqual([300, 300]);
  });

  it('are sent by a server that ends', async () => {
    const collector = await openCollector();
    const { send, close } = await open({ ...collector, isFrozen: false });
    for (let index = 0; index < 3; index++) await send(FEATURES);
    expect(collector.requests).toEqual([]);
    await close();
    expect(collector.spans().filter(({ kind }) => kind === 2)).toHaveLength(3);
    expect(collector.requests).toHaveLength(1);
    // Only functions have these attributes.
    expect(JSON.stringify(collector.requests)).not.toContain('faas.');
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
        message: 'spans will not be sent',
        error: { message: expect.stringContaining('OTEL_TRACES_SAMPLER="some"') },
      },
    ]);
  });
});
