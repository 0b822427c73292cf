import { describe, expect, it } from 'vitest';
import { createContext, requestUrl } from '../../functions/host.ts';
import { createApp } from '../../shared/app.ts';
import { parseConfig } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { createLogger } from '../../shared/monitoring/logger.ts';
import { openPagesFolder } from '../../shared/pages/folder.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { StoreError } from '../../shared/stores/model-store.ts';
import { openRepository } from './open-repository.ts';
import { MODELS } from './project.ts';
import { makeTrials } from './trials.ts';

function makeApp(store = openFilesystemStore(MODELS)) {
  const lines: string[] = [];
  const logger = createLogger('info', (line) => lines.push(line));
  const app = createApp({
    config: parseConfig({ MODEL_CACHE_FOLDER: '/nowhere' }),
    repository: openRepository(store),
    logger,
    trials: makeTrials(),
    pages: openPagesFolder('/nowhere'),
  });
  const send = (path: string, body: string) => {
    const headers = new Headers({ 'content-type': 'application/json' });
    const request = new BytesRequest(requestUrl(path), { method: 'POST', headers }, Buffer.from(body));
    return app.fetch(request, createContext(headers, 'id-1'));
  };
  return { app, send, log: () => lines.map((line) => JSON.parse(line)) };
}

describe('the app', () => {
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
