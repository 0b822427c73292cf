import { afterAll, describe, expect, it } from 'vitest';
import { openFunctionsFramework, openLocalServer } from '../support/hosts/child-process.ts';
import { openApp, openLambda } from '../support/hosts/in-process.ts';
import { EVENT_SOURCES } from '../support/hosts/lambda-events.ts';
import type { TestHost } from '../support/hosts/test-host.ts';

// The host of Azure Functions splits such paths before a function sees them.
const HOSTS: readonly (readonly [name: string, open: () => TestHost | Promise<TestHost>])[] = [
  ['the app', openApp],
  ['the local server', openLocalServer],
  ['the functions framework', () => openFunctionsFramework('local')],
  ...EVENT_SOURCES.map((source) => [`Lambda for a ${source}`, () => openLambda(source)] as const),
];

/** Paths that a URL would turn into /v2/repository/index, /models, /v2/health/ready or another route. */
const PATHS = [
  ['POST', '/v2/models/%2e%2e/repository/index'],
  ['POST', '/v2/models/%2E%2E/repository/index'],
  ['POST', '/v2/models/.%2e/repository/index'],
  ['POST', '/v2/models/../repository/index'],
  ['POST', '/v2/models/iris/%2e%2e/%2e%2e/repository/index'],
  ['POST', '/v2/%2e/repository/index'],
  ['POST', '/v2/./repository/index'],
  ['POST', '/v2/models\\..\\..\\v2\\repository\\index'],
  ['POST', '/v2/models%5c..%5crepository/index'],
  ['POST', '/v2/models/%2e%2e%2frepository%2findex'],
  ['GET', '/models/iris/..'],
  ['GET', '/models/iris/%2e%2e'],
  ['GET', '/nothing/%2e%2e/v2/health/ready'],
  ['GET', '/v2/models/%252e%252e/ready'],
  ['GET', '/models/iris/..%20'],
  ['GET', '/models/iris/..%01'],
] as const;

describe.each(HOSTS)('%s', async (name, open) => {
  const host = await open();
  afterAll(() => host.close());

  it.each(PATHS)('answers %s %s by no other route', async (method, path) => {
    const { status, body } = await host.send({ method, path, headers: {}, body: Buffer.from('{}') });
    expect([status, JSON.parse(body.toString())]).toEqual([
      expect.toBeOneOf([400, 404, 405]),
      expect.objectContaining({ error: expect.any(String) }),
    ]);
  });

  it('reads what a gateway has decoded as names', async () => {
    if (!/^(?:the app|Lambda)/.test(name)) return;
    for (const path of [
      '/models/iris/.. ',
      '/models/iris/..\x01',
      '/models/iris/predict ',
      '/models/iris\x1f/..',
    ]) {
      const { status } = await host.send({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
      expect([path, status]).toEqual([path, 404]);
    }
  });

  it('answers the routes themselves', async () => {
    const ask = async (method: string, path: string) =>
      (await host.send({ method, path, headers: {}, body: Buffer.from('') })).status;
    expect(await ask('POST', '/v2/repository/index')).toBe(200);
    expect(await ask('GET', '/v2/health/ready')).toBe(200);
    expect(await ask('GET', '/models/iris?x=/../..')).toBe(200);
  });
});
