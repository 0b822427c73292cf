import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Host } from '../../functions/host.ts';
import { startServer } from '../../functions/server.ts';
import { createTestHost } from '../hosts/in-process.ts';

/** A server whose log is kept. */
async function start(fetch?: Host['app']['fetch']) {
  const host = createTestHost({ MAX_BODY_BYTES: '1000' });
  const log: unknown[][] = [];
  const watched: Host = {
    ...host,
    app: { ...host.app, ...(fetch && { fetch }) },
    logger: { log: (...line) => log.push(line) },
  };
  const server = await startServer(watched, { port: 0, hostname: '127.0.0.1' });
  onTestFinished(async () => {
    await server.close(0);
    await host.app.close();
  });
  return { log, url: server.url, port: Number(new URL(server.url).port) };
}

describe('an answer that cannot be sent', () => {
  it.each(['a\x7f', 'a\x1b[31m'])('becomes 500 and a line of the log: %j', async (value) => {
    const { log, url } = await start(async () => new Response('{}', { headers: { 'x-name': value } }));
    const response = await fetch(url, { method: 'POST', body: '{}', headers: { 'x-request-id': 'mine' } });
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      error: 'The server failed to answer this request; its log says why.',
      error_code: 'INTERNAL_ERROR',
      request_id: 'mine',
    });
    const error = expect.objectContaining({ code: 'ERR_INVALID_CHAR' });
    expect(log).toEqual([['error', 'an answer cannot be sent', { request_id: 'mine', status: 500, error }]]);
  });

  it('becomes 500 where the app itself rejects', async () => {
    const { log, url } = await start(async () => Promise.reject(new Error('a mistake')));
    const response = await fetch(url, { method: 'POST', body: '{}' });
    expect([response.status, await response.json()]).toMatchObject([500, { error_code: 'INTERNAL_ERROR' }]);
    expect(log).toMatchObject([['error', 'an answer cannot be sent', { error: new Error('a mistake') }]]);
  });

  it('is not logged where the client has gone while it was sending', async () => {
    const { log, port, url } = await start();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const begun = 'POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"fea';
    await new Promise((resolve) => socket.write(begun, resolve));
    socket.resetAndDestroy();
    await once(socket, 'close');
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(log.filter(([level]) => level === 'error')).toEqual([]);
  });
});
