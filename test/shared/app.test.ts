import { describe, expect, it } from 'vitest';
import { createContext, requestUrl } from '../../functions/host.ts';
import { createApp } from '../../shared/app.ts';
import { parseConfig } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { createLogger } from '../../shared/monitoring/logger.ts';
import { createMonitoring } from '../../shared/monitoring/monitoring.ts';
import { createRequestLog } from '../../shared/monitoring/request-log.ts';
import { openPagesFolder } from '../../shared/pages/folder.ts';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { StoreError } from '../../shared/stores/model-store.ts';
import { KNOWN_TASKS } from '../support/known-tasks.ts';
import { openRepository } from '../support/open-repository.ts';
import { MODELS } from '../support/project.ts';
import { makeTrials } from '../support/trials.ts';

function makeApp(store = openFilesystemStore(MODELS)) {
  const lines: string[] = [];
  const logger = createLogger('info', (line) => lines.push(line));
  const app = createApp({
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    config: parseConfig({ MODEL_CACHE_FOLDER: '/nowhere' }),
    repository: openRepository(store),
    logger,
    trials: makeTrials(),
    monitoring: createMonitoring({
      log: createRequestLog({ logger, sample: 1, slowMs: 1000, instance: 'i-1' }),
      metrics: [],
    }),
    pages: openPagesFolder('/nowhere'),
  });
  const send = (
    path: string,
    body: string,
    own: Readonly<Record<string, string>> = {},
    deadlineMs?: number,
  ) => {
    const headers = new Headers({ 'content-type': 'application/json', ...own });
    const request = new BytesRequest(requestUrl(path), { method: 'POST', headers }, Buffer.from(body));
    return app.fetch(request, createContext(headers, 'id-1', { deadlineMs }));
  };
  return { app, send, log: () => lines.map((line) => JSON.parse(line)) };
}

const ROW = '{"features":[5.1,3.5,1.4,0.2]}';

describe('the app', () => {
  it('logs the model that a request names, even if its body cannot be read', async () => {
    const { send, log, app } = makeApp();
    await send('/models/iris/predict', '{"features":');
    await send('/models/iris/predict', '{"features":[1]}');
    await send('/models/none/predict', '{"features":[1]}');
    await app.close();
    const lines = log().filter(({ message }) => message === 'request');
    expect(lines.map((line) => [line.status, line.model, line.model_version])).toEqual([
      [400, 'iris', '2'],
      [400, 'iris', '2'],
      [404, undefined, undefined],
    ]);
  });

  it('logs one line per request with its model, status and times', async () => {
    const { send, log, app } = makeApp();
    const response = await send('/models/iris/predict?secret=1', '{"features":[5.1,3.5,1.4,0.2]}');
    expect(response.headers.get('server-timing')).toMatch(
      /^load;dur=[\d.]+, run;dur=[\d.]+, total;dur=[\d.]+$/,
    );
    const line = log().find(({ message }) => message === 'request');
    expect(line).toMatchObject({
      level: 'info',
      request_id: 'id-1',
      method: 'POST',
      path: '/models/iris/predict',
      status: 200,
      model: 'iris',
      model_version: '2',
      duration_ms: expect.any(Number),
      run_ms: expect.any(Number),
    });
    await app.close();
  });

  it('keeps what clients send out of the log', async () => {
    const { send, log } = makeApp();
    const response = await send('/models/iris/predict', '{"features":["John Smith",2,3,4]}');
    expect(await response.text()).toContain('John Smith');
    expect(JSON.stringify(log())).not.toContain('John Smith');
    expect(log().filter(({ message }) => message === 'request')).toMatchObject([
      { message: 'request', status: 400, error_code: 'INVALID_PARAMETER_VALUE', model: 'iris' },
    ]);
  });

  it.each(['x-request-timeout-ms', 'x-envoy-expected-rq-timeout-ms'])(
    'answers 504 instead of running a model too late: %s',
    async (header) => {
      const { send, log, app } = makeApp();
      await send('/models/iris/predict', ROW);
      expect((await send('/models/iris/predict', ROW, { [header]: '60000' })).status).toBe(200);
      const runs = () => app.inference.statistics({ name: 'iris', version: '1' }).success.count;
      // That version is loaded first, which takes longer than a millisecond.
      const late = await send('/models/iris/versions/1/predict', ROW, { [header]: '1' });
      expect([late.status, (await late.json()).error]).toEqual([
        504,
        'The answer was not ready within the timeout of the request.',
      ]);
      expect(runs()).toBe(0);
      expect(log().at(-1)).toMatchObject({ error_code: 'DEADLINE_EXCEEDED', model: 'iris' });
      await app.close();
    },
  );

  it('keeps the deadline of the host as well', async () => {
    const { send, app } = makeApp();
    const headers = { 'x-request-timeout-ms': '60000' };
    const late = await send('/models/iris/predict', ROW, headers, performance.now() - 1);
    expect(late.status).toBe(504);
    await app.close();
  });

  it.each(['0', '-1', '1.5', 'soon', '5s', '12345678901'])('refuses a timeout of %s', async (value) => {
    const { send, app } = makeApp();
    const refused = await send('/models/iris/predict', ROW, { 'x-request-timeout-ms': value });
    expect([refused.status, (await refused.json()).error]).toEqual([
      400,
      `Header x-request-timeout-ms is "${value}"; expected a whole number of milliseconds from 1 on.`,
    ]);
    await app.close();
  });

  const PROBLEM = 'Header x-request-timeout-ms is "soon"; expected a whole number of milliseconds from 1 on.';

  it.each([
    ['/v1/projects/p/locations/l/endpoints/iris:predict', { error: { code: 400, message: PROBLEM } }],
    ['/v1/projects/p/locations/l/endpoints/iris:rawPredict', { error: { code: 400, message: PROBLEM } }],
    ['/endpoints/iris/invocations', { OriginalMessage: PROBLEM }, 424],
    ['/v2/models/iris/infer', { error: PROBLEM }],
    ['/v1/models/iris:predict', { error: PROBLEM }],
    ['/predictions/iris', { error: PROBLEM }],
    ['/score', { error: PROBLEM }],
    ['/hf/iris', { error: PROBLEM }],
    ['/invocations', { error: PROBLEM }],
    ['/predict', { error: PROBLEM, error_code: 'INVALID_PARAMETER_VALUE' }],
  ])('refuses such a timeout in the form of the route: %s', async (path, body, status = 400) => {
    const { send, app } = makeApp();
    const refused = await send(path, ROW, { 'x-request-timeout-ms': 'soon' });
    expect(await refused.json()).toMatchObject(body);
    expect(refused.status).toBe(status);
    await app.close();
  });

  it.each(['/health', '/models', '/models/iris', '/v2', '/v2/models/iris', '/ping', '/openapi.json', '/'])(
    'needs no timeout where no model runs: %s',
    async (path) => {
      const { app } = makeApp();
      const headers = new Headers({ 'x-request-timeout-ms': 'soon' });
      const request = new BytesRequest(requestUrl(path), { method: 'GET', headers }, new Uint8Array(0));
      expect((await app.fetch(request, createContext(headers, 'id-1'))).status).toBe(200);
      await app.close();
    },
  );

  it('answers 503 and logs why when the repository fails, and asks again later', async () => {
    const store = openFilesystemStore(MODELS);
    let fails = true;
    const { send, log, app } = makeApp({
      ...store,
      list: (folder) =>
        fails ? Promise.reject(new StoreError('denied', 'bucket/secret-path refuses')) : store.list(folder),
    });
    const refused = await send('/models/iris/predict', '{"features":[5.1,3.5,1.4,0.2]}');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({
      error: 'The model repository cannot be read: it denies access.',
    });
    expect(log()).toMatchObject([
      { level: 'error', error: { cause: { message: 'bucket/secret-path refuses', reason: 'denied' } } },
    ]);
    fails = false;
    expect((await send('/models/iris/predict', '{"features":[5.1,3.5,1.4,0.2]}')).status).toBe(200);
    await app.close();
  });

  it('lets no failing config change which model answers', async () => {
    const store = openFilesystemStore(MODELS);
    const { send } = makeApp({
      ...store,
      read: () => Promise.reject(new StoreError('unreachable', 'gone')),
    });
    const response = await send('/predict', '{"features":[5.1,3.5,1.4,0.2]}');
    expect(response.status).toBe(503);
  });
});
