import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, createHost } from '../../functions/host.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { openS3Store } from '../../shared/stores/s3.ts';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { temporaryFolder } from '../support/run-command.ts';
import type { S3Request } from '../support/s3-protocol.ts';
import { type S3ServerOptions, startS3Server } from '../support/s3-server.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';

/** An app whose store accepts connections and sends nothing; the client of the store would wait for a minute. */
async function start(options: S3ServerOptions & { readonly socketTimeoutMs?: number } = {}) {
  const s3 = await startS3Server({ folder: join(PROJECT, 'models'), ...options });
  const proxy = await startSilentProxy(s3.url);
  const { socketTimeoutMs = 60_000 } = options;
  const storeOptions = { ...s3.client, endpoint: proxy.url, socketTimeoutMs };
  const host = createHost({
    environment: {
      ...TEST_ENVIRONMENT,
      MODEL_REPOSITORY: 's3://models',
      MODEL_CACHE_FOLDER: await temporaryFolder(),
    },
    modelRepository: '',
    pagesFolder: PAGES,
    stores: { s3: (url) => openS3Store(url, storeOptions) },
    cpus: 1,
  });
  onTestFinished(async () => {
    await proxy.close();
    await s3.close();
    await host.app.close();
  });
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'text/csv' : 'application/json';
    const request = new BytesRequest(
      `http://localhost${path}`,
      { method, headers: new Headers({ 'content-type': type, ...headers }) },
      Buffer.from(text ?? ''),
    );
    return await host.app.fetch(request, createContext(request.headers, undefined));
  };
  const listings = () => s3.requests.filter(isListing).length;
  return { s3, proxy, send, listings };
}

/** A listing of the whole repository, not of the files of one version. */
function isListing({ operation, query }: S3Request): boolean {
  return operation === 'ListObjectsV2' && !query.get('prefix');
}

const FEATURES = [5.1, 3.5, 1.4, 0.2];
const V2 = { inputs: [{ name: 'X', shape: [1, 4], datatype: 'FP32', data: FEATURES }] };
const ENDPOINT = '/v1/projects/p/locations/l/endpoints/iris';

const REQUESTS: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/'],
  ['GET', '/health'],
  ['GET', '/models'],
  ['GET', '/models/iris'],
  ['POST', '/predict', { features: FEATURES }],
  ['POST', '/models/iris/predict', { features: FEATURES }],
  ['POST', '/models/iris/versions/champion/predict', { features: FEATURES }],
  ['GET', '/v2/health/ready'],
  ['GET', '/v2/models/iris'],
  ['GET', '/v2/models/iris/ready'],
  ['POST', '/v2/models/iris/infer', V2],
  ['POST', '/v2/repository/index', {}],
  ['GET', '/v1/models'],
  ['GET', '/v1/models/iris'],
  ['POST', '/v1/models/iris:predict', { instances: [FEATURES] }],
  ['POST', '/invocations', { dataframe_split: { columns: ['a', 'b', 'c', 'd'], data: [FEATURES] } }],
  ['POST', '/invocations', FEATURES.join(',')],
  ['POST', '/models/iris/invoke', FEATURES.join(',')],
  ['POST', '/score', { data: [FEATURES] }],
  ['POST', '/predictions/iris', { data: [FEATURES] }],
  ['GET', ENDPOINT],
  ['POST', `${ENDPOINT}:predict`, { instances: [FEATURES] }],
];

describe('a store that sends nothing', () => {
  it('lets each protocol answer 503 with Retry-After, and is asked once', async () => {
    const { proxy, send } = await start();
    const responses = await Promise.all(REQUESTS.map(([...request]) => send(...request)));
    const outcomes = responses.map(({ status, headers }, index) => [
      ...(REQUESTS[index] ?? []).slice(0, 2),
      status,
      headers.get('retry-after'),
    ]);
    expect(outcomes).toEqual(REQUESTS.map(([method, path]) => [method, path, 503, '1']));
    expect(proxy.connections()).toBe(1);
    expect(await responses[3]?.json()).toMatchObject({
      error: 'The model repository cannot be read: it cannot be reached.',
      error_code: 'TEMPORARILY_UNAVAILABLE',
    });
  });

  it('serves a hundred requests with one listing, even if it comes after their answers', async () => {
    const { proxy, send, listings } = await start();
    const ask = () => send('POST', '/models/iris/predict', { features: FEATURES });
    const answers = await Promise.all(Array.from({ length: 100 }, ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect([proxy.connections(), listings()]).toEqual([1, 0]);
    proxy.speak();
    expect((await ask()).status).toBe(200);
    expect(listings()).toBe(1);
  });

  it('makes a request wait no longer than its time', async () => {
    const { send } = await start();
    // The first request also loads code: these milliseconds must not be those that the others have.
    await send('POST', '/models/iris/predict', { features: FEATURES }, { 'x-request-timeout-ms': '1' });
    const order: string[] = [];
    const ask = async (name: string, headers: Record<string, string>) => {
      const { status } = await send('POST', '/models/iris/predict', { features: FEATURES }, headers);
      order.push(`${name} ${status}`);
    };
    await Promise.all([
      ask('two seconds', {}),
      ask('long', { 'x-request-timeout-ms': '9999999999' }),
      ask('short', { 'x-request-timeout-ms': '300' }),
      ask('shorter', { 'x-envoy-expected-rq-timeout-ms': '100' }),
    ]);
    expect(order).toEqual(['shorter 503', 'short 503', 'two seconds 503', 'long 503']);
  });

  it('is not the same as one that takes long to list many files', async () => {
    const { s3, proxy, send, listings } = await start({ pageKeys: 3 });
    proxy.speak();
    s3.addFault({ when: isListing, effect: { kind: 'late', pauseMs: 700 } });
    expect((await send('GET', '/models')).status).toBe(200);
    expect(listings()).toBeGreaterThan(3);
  });

  it('keeps no request that waits for a model beyond its time, and the load continues', async () => {
    const { s3, proxy, send } = await start({ socketTimeoutMs: 1_000 });
    proxy.speak();
    s3.addFault({ when: ({ key }) => key.endsWith('.onnx'), times: 1, effect: { kind: 'hang' } });
    const ask = (headers = {}) => send('POST', '/models/iris/predict', { features: FEATURES }, headers);
    const early = await ask({ 'x-request-timeout-ms': '500' });
    expect([early.status, early.headers.get('retry-after'), await early.json()]).toMatchObject([
      503,
      '1',
      { error: 'Model "iris" version "2" is still being loaded, and the time of the request is over.' },
    ]);
    expect((await ask()).status).toBe(200);
    expect(s3.requests.filter(({ key }) => key === 'iris/2/model.onnx')).toHaveLength(2);
  });
});
