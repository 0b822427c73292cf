import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { guardLoopback } from '../../functions/guard-loopback.ts';
import { createHttpFunction } from '../../functions/http-function.ts';
import { type RunningServer, startServer } from '../../functions/server.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import { readResponse, type TestResponse } from '../support/hosts/test-host.ts';

const BODY = '{"features": [5.1, 3.5, 1.4, 0.2]}';

const servers: RunningServer[] = [];
const ports = new Map<string, Promise<number>>();

/** A server on the given address; one for each kind. */
function portOf(hostname: string, allowedHosts = ''): Promise<number> {
  const key = `${hostname} ${allowedHosts}`;
  const port =
    ports.get(key) ??
    startServer(createTestHost({ ALLOWED_HOSTS: allowedHosts, LOG_LEVEL: 'warn' }), {
      port: 0,
      hostname,
    }).then((server) => {
      servers.push(server);
      return Number(new URL(server.url).port);
    });
  ports.set(key, port);
  return port;
}
afterAll(() => Promise.all(servers.map((server) => server.close(0))));

const lines: Record<string, unknown>[] = [];
beforeEach(() => {
  lines.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line) => lines.push(JSON.parse(line)));
});
afterEach(() => vi.restoreAllMocks());

interface Ask {
  readonly port: number;
  readonly address?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function ask({ port, address = '127.0.0.1', method = 'GET', path = '/v2', headers, body }: Ask) {
  return new Promise<TestResponse>((resolve, reject) => {
    const options = { host: address, port, method, path, headers: { ...headers }, agent: false };
    const outgoing = sendRequest(options, (incoming) => readResponse(incoming).then(resolve, reject));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The status line and the body of an answer to bytes that a Node client would not send. */
async function askRaw(port: number, message: string): Promise<readonly [status: string, body: string]> {
  const socket = connect(port, '127.0.0.1');
  socket.write(message);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return [head.split('\r\n', 1)[0] ?? '', body];
}

const statusOf = async (options: Ask) => (await ask(options)).status;

describe('a server that listens on loopback', () => {
  it.each([
    'localhost',
    'localhost:1',
    'LocalHost:8080',
    'localhost.',
    'LOCALHOST.:80',
    'app.localhost:8080',
    'a.b.localhost',
    '127.0.0.1',
    '127.0.0.1:8080',
    '127.1.2.3',
    '127.1',
    '127.0.0.1.',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '[::1]',
    '[::1]:8080',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
  ])('is known as %s', async (host) => {
    expect(await statusOf({ port: await portOf('localhost'), headers: { host } })).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io',
    'localhost..',
    '0.0.0.0',
    '192.168.0.7',
    '128.0.0.1',
    '[::]',
    '[::2]',
    '[::1',
    'user@localhost',
    'localhost/',
    'localhost#',
    'localhost:port',
    'localhost:99999',
    'local host',
    '.localhost.evil',
  ])('is not known as %s', async (host) => {
    const { status, headers, body } = await ask({ port: await portOf('localhost'), headers: { host } });
    expect([status, headers['content-type']]).toEqual([403, 'application/json']);
    expect(JSON.parse(body.toString())).toMatchObject({
      error: expect.stringMatching(/^This server listens on loopback and is not known as ".*ALLOWED_HOSTS=/),
      error_code: 'PERMISSION_DENIED',
      code: 403,
      request_id: headers['x-request-id'],
    });
  });

  it('says how to allow a name, also in the log', async () => {
    const port = await portOf('localhost');
    const headers = { host: 'Models.example.org:8080', 'x-request-id': 'client-42' };
    const { body } = await ask({ port, method: 'POST', path: '/predict', headers, body: BODY });
    expect(JSON.parse(body.toString()).error).toBe(
      'This server listens on loopback and is not known as "models.example.org": call it localhost, or start it with ALLOWED_HOSTS=models.example.org to allow the name.',
    );
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'request refused',
        request_id: 'client-42',
        status: 403,
        error_code: 'PERMISSION_DENIED',
      }),
    ]);
  });

  it('answers clients of HTTP/1.0, which send no host, and uses the name in a whole URL', async () => {
    const port = await portOf('localhost');
    for (const [message, status] of [
      ['GET /v2 HTTP/1.0\r\n\r\n', 200],
      ['GET /v2 HTTP/1.0\r\nhost: evil.example\r\n\r\n', 403],
      ['GET /v2 HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
      ['GET http://localhost/v2 HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n', 200],
      ['GET http://evil.example/v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 403],
      ['GET HTTP://EVIL.example:80/v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 403],
      ['GET http://user@localhost/v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 403],
      // An empty name is not the same as no name.
      ['GET /v2 HTTP/1.0\r\nhost:\r\n\r\n', 403],
      ['GET /v2 HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n', 403],
      ['GET /v2 HTTP/1.1\r\nhost: \t\r\nconnection: close\r\n\r\n', 403],
      ['GET /v2 HTTP/1.1\r\nhost: :80\r\nconnection: close\r\n\r\n', 403],
      ['GET http:///v2 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 403],
      ['GET http://?x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 403],
    ] as const) {
      expect((await askRaw(port, message))[0], message).toContain(` ${status} `);
    }
  });

  it('ignores the host that a proxy reports', async () => {
    const port = await portOf('localhost');
    const forwarded = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
    expect(await statusOf({ port, headers: { host: 'localhost', ...forwarded } })).toBe(200);
    expect(await statusOf({ port, headers: { host: 'evil.example', 'x-forwarded-host': 'localhost' } })).toBe(
      403,
    );
  });

  it('answers without reading what it refuses, and keeps the connection', async () => {
    const port = await portOf('localhost');
    const body = 'x'.repeat(1_000_000);
    const message = (host: string, more: string) =>
      `POST /predict HTTP/1.1\r\nhost: ${host}\r\n${more}content-length: `;
    const [status, rest] = await askRaw(
      port,
      `${message('evil.example', '')}${body.length}\r\n\r\n${body}${message('localhost', 'connection: close\r\n')}${BODY.length}\r\n\r\n${BODY}`,
    );
    expect(status).toBe('HTTP/1.1 403 Forbidden');
    expect(rest).toMatch(/HTTP\/1\.1 200 OK/);
  });

  it.each([
    ['models.example.org', 'models.example.org', 200],
    ['models.example.org', 'Models.Example.org.:8080', 200],
    ['models.example.org', 'other.example.org', 403],
    ['models.example.org', 'a.models.example.org', 403],
    ['*.example.org', 'a.b.example.org', 200],
    ['*.example.org', 'example.org', 403],
    ['*.example.org', 'evilexample.org', 403],
    ['a.example, B.example', 'b.example', 200],
    ['192.168.0.7', '192.168.0.7:8080', 200],
    ['[fd00::7]', '[fd00:0::7]', 200],
    ['*', 'anything.example', 200],
  ])('with ALLOWED_HOSTS=%s answers %s with %i', async (allowed, host, status) => {
    expect(await statusOf({ port: await portOf('localhost', allowed), headers: { host } })).toBe(status);
  });

  it('answers its own pages and programs', async () => {
    const port = await portOf('localhost');
    const headers = { host: `localhost:${port}` };
    for (const site of ['same-origin', 'same-site', 'none']) {
      const ours = { ...headers, 'sec-fetch-site': site, 'sec-fetch-mode': 'cors' };
      expect(await statusOf({ port, method: 'POST', path: '/predict', headers: ours, body: BODY })).toBe(200);
    }
    expect(await statusOf({ port, method: 'POST', path: '/predict', headers, body: BODY })).toBe(200);
  });

  it('lets a page of another site only link to it', async () => {
    const port = await portOf('localhost');
    const foreign = { host: 'localhost', 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    for (const [method, mode, status] of [
      ['GET', 'navigate', 200],
      ['HEAD', 'navigate', 200],
      ['POST', 'navigate', 403],
      ['GET', 'no-cors', 403],
      ['GET', 'cors', 403],
      ['GET', '', 403],
      ['POST', 'no-cors', 403],
      ['OPTIONS', 'cors', 403],
    ] as const) {
      const path = method === 'POST' ? '/predict' : '/v2';
      const headers = { ...foreign, 'sec-fetch-mode': mode, 'content-type': 'text/plain' };
      const answer = await ask({ port, method, path, headers, ...(method === 'POST' && { body: BODY }) });
      expect([method, mode, answer.status]).toEqual([method, mode, status]);
      if (status === 403) {
        expect(JSON.parse(answer.body.toString()).error).toMatch(/^A page of another site sent this request/);
      }
    }
  });

  it('leaves pages of other sites to the proxy that gives it a name', async () => {
    const sent = { method: 'POST', path: '/predict', body: BODY };
    const foreign = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'cors',
      origin: 'https://app.example',
    };
    for (const [allowed, host, status] of [
      ['models.example.org', 'models.example.org', 200],
      ['models.example.org', 'localhost', 403],
      ['*', 'models.example.org', 200],
      ['*', 'localhost', 403],
      ['*', '127.0.0.1', 403],
    ] as const) {
      const port = await portOf('localhost', allowed);
      expect(await statusOf({ port, ...sent, headers: { ...foreign, host } }), `${allowed} ${host}`).toBe(
        status,
      );
    }
  });

  it('is known by the name that it listens on', async () => {
    const host = createTestHost();
    const answer = guardLoopback(createHttpFunction(host), host, 'My-Machine.example');
    const server = createServer((request, response) => void answer(request, response));
    server.listen(0, '127.0.0.1');
    onTestFinished(async () => {
      server.close();
      await host.app.close();
    });
    await once(server, 'listening');
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    expect(await statusOf({ port, headers: { host: 'my-machine.example:8080' } })).toBe(200);
    expect(await statusOf({ port, headers: { host: 'other.example' } })).toBe(403);
  });

  it.each(['127.0.0.1', '::1'])('is guarded on %s as well', async (hostname) => {
    const port = await portOf(hostname);
    const address = hostname;
    expect(await statusOf({ port, address, headers: { host: 'localhost' } })).toBe(200);
    expect(await statusOf({ port, address, headers: { host: 'evil.example' } })).toBe(403);
  });
});

describe('a server that others can reach', () => {
  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])('is known by any name, on %s', async (hostname, address) => {
    const port = await portOf(hostname);
    expect(await statusOf({ port, address, headers: { host: 'models.example.org' } })).toBe(200);
    const headers = { host: 'models.example.org', 'sec-fetch-site': 'cross-site' };
    expect(await statusOf({ port, address, method: 'POST', path: '/predict', headers, body: BODY })).toBe(
      200,
    );
  });
});
