import { afterAll, expect, it } from 'vitest';
import { openApp } from '../../support/hosts/in-process.ts';

const app = openApp();
afterAll(() => app.close());

const PATHS = [
  '/predict',
  '/models',
  '/v2/models/iris/infer',
  '/v2/systemsharedmemory/status',
  '/v2.1/projects/p/deployments/iris/requests',
  '/v2.1/projects/p/deployments/iris/versions/2/requests',
  '/v2.1/projects/p/deployments/iris/requests/1',
  '/v1/projects/p/locations/l/endpoints/iris:explain',
];

it.each(PATHS)('only methods for resources are taken on %s', async (path) => {
  for (const method of ['TRACE', 'CONNECT', 'BREW']) {
    const { status, headers, body } = await app.send({ method, path, headers: {}, body: Buffer.alloc(0) });
    expect([method, status]).toEqual([method, 405]);
    expect(headers.allow).toMatch(/^(?:[A-Z]+, )*OPTIONS$/);
    expect(body.toString()).toContain(`Method ${method} is not allowed on`);
  }
});

it('a route for all methods answers the usual ones itself', async () => {
  const path = '/v2/systemsharedmemory/status';
  const statusOf = async (method: string) =>
    (await app.send({ method, path, headers: {}, body: Buffer.alloc(0) })).status;
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) expect(await statusOf(method), method).toBe(501);
  expect(await statusOf('OPTIONS')).toBe(204);
});
