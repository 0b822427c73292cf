import { describe, expect, it } from 'vitest';
import { createContext, createHost, requestUrl } from '../../../functions/host.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import type { RequestRecord } from '../../../shared/monitoring/request-record.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { post, raw } from '../../contracts/exchanges.ts';
import { TEST_ENVIRONMENT } from '../../support/hosts/environment.ts';
import type { TestRequest } from '../../support/hosts/test-host.ts';
import { PAGES } from '../../support/project.ts';

/** A server that keeps its records. */
function open(environment: Readonly<Record<string, string>> = {}) {
  const records: RequestRecord[] = [];
  const { app } = createHost({
    environment: { ...TEST_ENVIRONMENT, ...environment },
    modelRepository: TEST_ENVIRONMENT.MODEL_REPOSITORY,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    log: () => ({
      metrics: (record) => {
        records.push(record);
        return {};
      },
      write: () => undefined,
    }),
  });
  const send = async ({ method, path, headers, body }: TestRequest, id?: string) => {
    const request = new BytesRequest(requestUrl(path), { method, headers: new Headers(headers) }, body);
    const response = await app.fetch(request, createContext(request.headers, id));
    return { status: response.status, bytes: (await response.bytes()).length };
  };
  return { app, send, records };
}

const ROW = [5.1, 3.5, 1.4, 0.2];
const NAMES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
const FEATURES = { features: ROW };
const TENSOR = { name: 'features', datatype: 'FP32', shape: [1, 4], data: ROW };

describe('the record of a request', () => {
  it.each<[string, TestRequest, string, string]>([
    ['Ternion', post('/predict', FEATURES), 'ternion', '/predict'],
    [
      'a version',
      post('/models/iris/versions/1/predict', FEATURES),
      'ternion',
      '/models/{model}/versions/{version}/predict',
    ],
    [
      'Triton',
      post('/v2/models/iris/infer', { inputs: [TENSOR] }),
      'open-inference',
      '/v2/models/{model}/infer',
    ],
    [
      'KServe',
      post('/v1/models/iris:predict', { instances: [ROW] }),
      'tensorflow-serving',
      '/v1/models/{model}:predict',
    ],
    [
      'MLflow',
      post('/invocations', { dataframe_split: { columns: NAMES, data: [ROW] } }),
      'mlflow',
      '/invocations',
    ],
    [
      'SageMaker',
      raw('/invocations', Buffer.from('5.1,3.5,1.4,0.2'), { 'content-type': 'text/csv' }),
      'sagemaker',
      '/invocations',
    ],
    [
      'Hugging Face',
      post('/models/iris/predict', { inputs: [ROW], parameters: {} }),
      'hugging-face',
      '/models/{model}/predict',
    ],
  ])('of a client for %s has its protocol and its route', async (_, request, protocol, route) => {
    const { send, records } = open();
    const { status, bytes } = await send(request);
    expect(records).toMatchObject([
      {
        protocol,
        route,
        method: 'POST',
        status,
        bytesIn: request.body?.length,
        bytesOut: bytes,
        error: undefined,
      },
    ]);
    expect(records[0]).toMatchObject({ model: 'iris', runs: 1, instances: 1 });
  });

  it.each<[string, TestRequest, Partial<RequestRecord>]>([
    [
      'that is wrong',
      post('/predict', { features: ['a', 1, 2, 3] }),
      { status: 400, model: 'iris', runs: 0 },
    ],
    ['without a body', raw('/predict', Buffer.alloc(0), {}), { status: 400, runs: 0, route: '/predict' }],
    ['to a model that is unknown', post('/models/none/predict', FEATURES), { status: 404, model: undefined }],
    ['to nothing', post('/nowhere/at/all/a', {}), { status: 404, route: undefined, protocol: undefined }],
    ['that others may send', { ...post('/predict', {}), method: 'BREW' }, { status: 405, method: 'BREW' }],
  ])('of a request %s has its error', async (_, request, expected) => {
    const { send, records } = open();
    await send(request);
    expect(records).toMatchObject([{ ...expected, error: { status: expected.status } }]);
  });

  it.each(['many', '-1', '', '1e400', '9'.repeat(40)])(
    'has no size of a body that declares %j',
    async (length) => {
      const { app, records } = open();
      // The server of a library gets requests of the platform.
      const request = new Request('http://localhost/predict', { method: 'POST', body: '{}' });
      request.headers.set('content-length', length);
      await app.fetch(request, createContext(request.headers, undefined));
      expect(records.map(({ bytesIn }) => bytesIn)).toEqual([undefined]);
    },
  );

  it('has all of its time in the steps, each of them in its own', async () => {
    const { send, records } = open();
    for (const request of [
      post('/predict', FEATURES),
      post('/predict', FEATURES),
      post('/predict', { features: 1 }),
      post('/models/none/predict', {}),
      raw('/invocations', Buffer.from('a,b,c,d\n5.1,3.5,1.4,0.2'), { 'content-type': 'text/csv' }),
      raw('/models/digits/predict', Buffer.from('no image'), { 'content-type': 'image/png' }),
    ])
      await send(request);
    expect(records).toHaveLength(6);
    for (const { steps, totalMs, queueMs } of records) {
      const { receive, ...others } = steps;
      const sum = Object.values(others).reduce((total, each) => total + each, queueMs);
      expect(sum).toBeCloseTo(totalMs, 6);
      for (const each of [receive, ...Object.values(others)]) expect(each).toBeGreaterThanOrEqual(0);
    }
    const [first, second] = records;
    // The first request loads the model, which takes longer than all else.
    expect(first?.steps.resolve).toBeGreaterThan(10 * (second?.steps.resolve ?? 0));
    expect(second?.steps.run).toBeGreaterThan(0);
  });

  it('has the trace and the id that came with the request, and its time on the clock', async () => {
    const { send, records } = open();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const beforeMs = Date.now();
    await send({ ...post('/predict', FEATURES), headers: { traceparent, 'x-request-id': 'mine' } });
    expect(records).toMatchObject([
      { requestId: 'mine', trace: { traceId: traceparent.slice(3, 35), parentSpanId: '00f067aa0ba902b7' } },
    ]);
    expect(records[0]?.startedMs).toBeGreaterThan(beforeMs - 1000);
    expect(records[0]?.startedMs).toBeLessThanOrEqual(Date.now());
  });
});
