import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';

const OPERATIONS = [
  ['POST', '/v2/repository/models/iris/load', 200],
  ['POST', '/v2/repository/models/iris/unload', 200],
  ['PUT', '/models/iris?min_worker=1', 200],
  ['PUT', '/models/iris/2?min_worker=0', 200],
  ['DELETE', '/models/iris', 200],
  ['DELETE', '/models/iris/2', 200],
  ['POST', '/models?url=x.mar', 501],
] as const;

describe('an operation that is for the operator', () => {
  let host: TestHost;
  beforeAll(() => {
    host = openApp({ ADMIN_ROUTES: 'true' });
  });
  afterAll(() => host.close());
  const ask = async (method: string, path: string, headers: Readonly<Record<string, string>>) => {
    const { status, body } = await host.send({ method, path, headers, body: Buffer.alloc(0) });
    return { status, json: JSON.parse(body.toString()) };
  };

  it.each(OPERATIONS)('is refused to pages of other sites: %s %s', async (method, path) => {
    for (const headers of [
      { host: 'localhost:8080', 'sec-fetch-site': 'cross-site', 'content-type': 'text/plain' },
      { host: 'localhost:8080', origin: 'https://evil.example' },
    ]) {
      expect(await ask(method, path, headers)).toMatchObject({
        status: 403,
        json: {
          error: expect.stringMatching(/^A page of another site sent this request: /),
          error_code: 'PERMISSION_DENIED',
          code: 403,
          type: 'ForbiddenException',
        },
      });
    }
  });

  it.each(OPERATIONS)(
    'is allowed to programs and to pages of this server: %s %s',
    async (method, path, status) => {
      for (const headers of [
        {},
        { host: 'localhost:8080', origin: 'http://localhost:8080' },
        { host: 'internal:80', origin: 'https://models.example', 'sec-fetch-site': 'same-origin' },
      ]) {
        expect((await ask(method, path, headers)).status).toBe(status);
      }
    },
  );

  it('is the only kind that is refused to pages of other sites', async () => {
    await ask('POST', '/v2/repository/models/iris/load', {});
    const body = Buffer.from('{"features": [5.1, 3.5, 1.4, 0.2]}');
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://other.example' };
    const { status } = await host.send({ method: 'POST', path: '/predict', headers, body });
    expect(status).toBe(200);
  });
});
