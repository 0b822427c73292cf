import { describe, expect, it } from 'vitest';
import { createContext, createHost, requestUrl } from '../../../functions/host.ts';
import type { HostMetrics } from '../../../functions/open-monitoring.ts';
import { SCRAPED } from '../../../functions/scraped-metrics.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { get, post } from '../../contracts/exchanges.ts';
import { TEST_ENVIRONMENT } from '../../support/hosts/environment.ts';
import type { TestRequest } from '../../support/hosts/test-host.ts';
import { PAGES } from '../../support/project.ts';

function open(environment: Readonly<Record<string, string>> = {}, metrics: HostMetrics = SCRAPED) {
  const { app } = createHost({
    environment: { ...TEST_ENVIRONMENT, ...environment },
    modelRepository: TEST_ENVIRONMENT.MODEL_REPOSITORY,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    metrics,
  });
  return async ({ method, path, headers, body }: TestRequest) => {
    const request = new BytesRequest(requestUrl(path), { method, headers: new Headers(headers) }, body);
    const response = await app.fetch(request, createContext(request.headers, undefined));
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
}

const withHeaders = (headers: Record<string, string>) => ({ ...get('/metrics'), headers });

describe('GET /metrics', () => {
  it('counts the requests before it, also those before anybody asked', async () => {
    const send = open();
    for (let index = 0; index < 300; index++)
      await send(post('/predict', { features: [5.1, 3.5, 1.4, 0.2] }));
    for (let index = 0; index < 7; index++) await send(post('/predict', { features: 1 }));
    const { text, headers } = await send(get('/metrics'));
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const labels = 'protocol="ternion",method="POST",route="/predict",model="iris",version="2"';
    expect(text).toContain(`ternion_requests_total{${labels},status="200"} 300\n`);
    expect(text).toContain(`ternion_requests_total{${labels},status="400"} 7\n`);
    expect(text).toMatch(/\nternion_model_load_duration_seconds_count\{model="iris",version="2"\} 1\n/);
    expect(text).toMatch(/\nternion_sessions 1\n/);
    // The request for the metrics itself is in progress.
    expect(text).toMatch(/\nternion_requests_in_progress 1\n/);
    expect(text).toMatch(/\nprocess_resident_memory_bytes [1-9]\d{7,}\n/);
  });

  it('is OpenMetrics for those who ask for it', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
    const { text, headers } = await open()(withHeaders({ accept }));
    expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('needs the METRICS_TOKEN if there is one', async () => {
    const send = open({ METRICS_TOKEN: ' secret\n' });
    for (const headers of [
      {},
      { authorization: 'Bearer' },
      { authorization: 'Bearer secret2' },
      { authorization: 'Basic secret' },
    ]) {
      const { status, headers: given, text } = await send(withHeaders(headers));
      expect([status, given.get('www-authenticate')]).toEqual([401, 'Bearer realm="metrics"']);
      expect(JSON.parse(text)).toMatchObject({ error_code: 'UNAUTHENTICATED' });
      expect(text).not.toContain('secret');
    }
    expect((await send(withHeaders({ authorization: 'bearer secret' }))).status).toBe(200);
  });

  it('says what to do instead where nobody can ask one instance', async () => {
    const { status, text } = await open({}, { advice: 'The log has them.' })(get('/metrics'));
    expect([status, JSON.parse(text).error]).toEqual([404, 'The log has them.']);
  });

  it('is not there with METRICS=none', async () => {
    const { status, text } = await open({ METRICS: 'none' })(get('/metrics'));
    expect([status, JSON.parse(text).error_code]).toEqual([404, 'ENDPOINT_NOT_FOUND']);
  });
});
