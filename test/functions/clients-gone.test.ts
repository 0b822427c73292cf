import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpFunction } from '../../functions/http-function.ts';
import type { ClientSignal } from '../../shared/budget.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import { portOf } from '../support/port-of.ts';

const PORTION = 10;

it.each([
  ['gone', true],
  ['still there', false],
])('a request of many runs ends early only if its client disconnects: %s', async (_, leaves) => {
  const host = createTestHost({ MAX_BATCH_SIZE: String(PORTION), MAX_BODY_BYTES: '1000000' });
  const contexts: ClientSignal[] = [];
  const statuses: number[] = [];
  const watched = {
    ...host,
    app: {
      ...host.app,
      fetch: async (...[given, context]: Parameters<typeof host.app.fetch>) => {
        if (context.signal) contexts.push(context.signal);
        const response = await host.app.fetch(given, context);
        statuses.push(response.status);
        return response;
      },
    },
  };
  const server = createServer(createHttpFunction(watched));
  onTestFinished(async () => {
    server.close();
    await host.app.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = request({
    host: '127.0.0.1',
    port: portOf(server),
    method: 'POST',
    path: '/models/iris/invoke',
    headers: { 'content-type': 'text/csv' },
  });
  client.on('error', () => undefined);
  client.end('5.1,3.5,1.4,0.2\n'.repeat(20_000));
  while (contexts.length === 0) await new Promise(setImmediate);
  if (leaves) client.destroy();
  while (statuses.length === 0) await new Promise(setImmediate);
  expect(statuses).toEqual([leaves ? 499 : 200]);
  const runs = host.app.inference.statistics({ name: 'iris', version: '2' }).success.count;
  if (leaves) expect(runs).toBeLessThan(20_000 / PORTION / 2);
  else expect(runs).toBe(20_000 / PORTION);
});
