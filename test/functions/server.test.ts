import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Host } from '../../functions/host.ts';
import type { HttpFunction } from '../../functions/http-function.ts';
import { type RunningServer, startServer } from '../../functions/server.ts';
import { systemCodeOf } from '../../shared/errors.ts';
import { createTestHost } from '../support/hosts/in-process.ts';

/** A server whose log is kept. */
async function start(fetch?: Host['app']['fetch']) {
  const host = createTestHost({ MAX_BODY_BYTES: '1000' });
  const log: unknown[][] = [];
  const watched: Host = {
    ...host,
    app: { ...host.app, ...(fetch && { fetch }) },
    logger: { writes: () => true, log: (...line) => log.push(line) },
  };
  const server = await startServer(watched, { port: 0, hostname: '127.0.0.1' });
  onTestFinished(async () => {
    await server.close(0);
    await host.app.close();
  });
  return { log, url: server.url, port: Number(new URL(server.url).port) };
}

/** Sends bytes, and returns everything that comes until the server closes the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes, 'latin1');
  return await text(socket);
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

  it('becomes 500 if the app itself rejects', async () => {
    const { log, url } = await start(async () => Promise.reject(new Error('a mistake')));
    const response = await fetch(url, { method: 'POST', body: '{}' });
    expect([response.status, await response.json()]).toMatchObject([500, { error_code: 'INTERNAL_ERROR' }]);
    expect(log).toMatchObject([['error', 'an answer cannot be sent', { error: new Error('a mistake') }]]);
  });

  it('is not logged if the client disconnected while it was sending', async () => {
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

describe('a request that is not valid in HTTP', () => {
  it('that is not one is refused after the answer to the request before it', async () => {
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<Response>();
    const { port } = await start((request) => {
      ask();
      return request.url.endsWith('/slow') ? answered : Promise.reject(new Error('is not asked'));
    });
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const received = text(socket);
    socket.write('GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\nnonsense\r\n\r\n');
    await asked;
    await setImmediate();
    answer(new Response('{"slow":true}'));
    expect((await received).match(/HTTP\/1.1 \d+|\{"slow":true\}|not valid HTTP/g)).toEqual([
      'HTTP/1.1 200',
      '{"slow":true}',
      'HTTP/1.1 400',
      'not valid HTTP',
      'not valid HTTP',
    ]);
  });

  it.each([
    ['without a Host', 'GET /health HTTP/1.1\r\n\r\n', 400, 'The request has no Host header.'],
    [
      'with two Hosts',
      'GET /health HTTP/1.1\r\nHost: localhost\r\nhost: localhost\r\n\r\n',
      400,
      'The request has 2 Host headers; expected one.',
    ],
    [
      'with another transfer coding',
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
      'The Transfer-Encoding must be chunked; use Content-Encoding for a compressed body.',
    ],
    [
      'with another expectation',
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}',
      417,
      'The Expect header is not 100-continue.',
    ],
    ['that is not one', 'nonsense\r\n\r\n', 400, 'The request is not valid HTTP.'],
  ])('is answered in JSON: %s', async (_, bytes, status, error) => {
    const { port } = await start();
    const [head = '', body = ''] = (await exchange(port, bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z][\\w ]+\\r\\n`));
    expect(head.toLowerCase()).toContain('\r\nconnection: close');
    expect(JSON.parse(body)).toEqual({ error, error_code: 'BAD_REQUEST', code: status, message: error });
  });

  it.each([
    ['HTTP/1.0 without a Host', 'GET /health HTTP/1.0\r\n\r\n'],
    [
      'a chunked body',
      'POST /predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n' +
        '1e\r\n{"features":[5.1,3.5,1.4,0.2]}\r\n0\r\n\r\n',
    ],
  ])('is still accepted: %s', async (_, bytes) => {
    const { port } = await start();
    expect(await exchange(port, bytes)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe('Expect: 100-continue', () => {
  const headOf = (bytes: number) =>
    `POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: ${bytes}\r\n`;

  it('is answered only with 413 if the body would be too large', async () => {
    const { port } = await start();
    const answer = await exchange(port, `${headOf(1001)}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close');
    expect(answer).toContain('MAX_BODY_BYTES');
  });

  it('is asked for the body if its size is allowed', async () => {
    const { port } = await start();
    const body = '{"features": [5.1, 3.5, 1.4, 0.2]}';
    const answer = await exchange(port, `${headOf(body.length)}Connection: close\r\n\r\n${body}`);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe('a server that ends', () => {
  /** Sends request after request, and returns the failure of the first one without an answer. */
  async function askUntilRefused(url: string, keepAlive: boolean): Promise<unknown> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    for (;;) {
      const failure = await new Promise<unknown>((resolve) => {
        get(url, { agent }, (incoming) => void text(incoming).then(() => resolve(undefined), resolve)).on(
          'error',
          resolve,
        );
      });
      if (failure !== undefined) return failure;
    }
  }

  async function endWhileAsked(handle: HttpFunction, ask: (server: RunningServer) => Promise<unknown>) {
    const host = createTestHost();
    const server = await startServer(host, { port: 0, hostname: '127.0.0.1', handle });
    const asked = Array.from({ length: 64 }, () => ask(server));
    while (seen < 200) await setImmediate();
    await server.close(0);
    await host.app.close();
    return new Set(await Promise.all(asked));
  }

  let seen = 0;
  beforeEach(() => {
    seen = 0;
  });

  it.each([[false], [true]])(
    'resets no connection of clients that never stop (kept: %j)',
    async (keepAlive) => {
      const outcomes = await endWhileAsked(
        async (incoming, outgoing) => {
          seen++;
          incoming.resume();
          outgoing.end('done');
        },
        async ({ url }) => systemCodeOf(await askUntilRefused(url, keepAlive)),
      );
      expect(outcomes).toEqual(new Set(['ECONNREFUSED']));
    },
  );

  it('does not reset connections either when it refuses what is not HTTP', async () => {
    const outcomes = await endWhileAsked(
      async () => undefined,
      async ({ url }) => {
        for (;;) {
          seen++;
          const answer = await exchange(Number(new URL(url).port), 'nonsense\r\n\r\n').catch(systemCodeOf);
          if (typeof answer !== 'string' || !answer.startsWith('HTTP/1.1 400 ')) return answer;
        }
      },
    );
    expect(outcomes).toEqual(new Set(['ECONNREFUSED']));
  });
});
