import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createGetClient, type GetRequest } from '../../../shared/stores/get-client.ts';
import { LOCALHOST } from '../../support/localhost-certificate.ts';
import { portOf } from '../../support/port-of.ts';

const LIMITS = { connectionTimeoutMs: 1_000, socketTimeoutMs: 300 };

/** Answers the n-th request of the server, from 1, which came on the n-th connection. */
type Answer = (socket: Socket, request: number, connection: number) => void | Promise<void>;

/** A server that sends the exact bytes of the test. */
async function serve(answer: Answer, secure?: typeof LOCALHOST) {
  const requests: string[] = [];
  const sockets: Socket[] = [];
  const accept = (socket: Socket) => {
    const connection = sockets.push(socket);
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', async (bytes) => {
      received += bytes.toString('latin1');
      if (!received.endsWith('\r\n\r\n')) return;
      const request = requests.push(received);
      received = '';
      await answer(socket, request, connection);
    });
  };
  const server = secure ? tls.createServer(secure, accept) : createServer(accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const request: GetRequest = {
    protocol: secure ? 'https:' : 'http:',
    hostname: secure ? 'localhost' : '127.0.0.1',
    port: portOf(server),
    path: '/a?b=c',
    headers: { host: 'models', range: 'bytes=0-9' },
  };
  return { request, requests, sockets };
}

function ok(body: string | Buffer, ...headers: readonly string[]): Buffer {
  const head = ['HTTP/1.1 206 Partial Content', `Content-Length: ${body.length}`, ...headers, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), Buffer.from(body)]);
}

describe('createGetClient', () => {
  it('sends a request with its headers and no others', async () => {
    const { request, requests } = await serve((socket) => void socket.write(ok('0123456789')));
    const { status, headers, body } = await createGetClient(LIMITS).get(request);
    expect([status, headers['content-length'], await text(body)]).toEqual([206, '10', '0123456789']);
    expect(requests).toEqual(['GET /a?b=c HTTP/1.1\r\nhost: models\r\nrange: bytes=0-9\r\n\r\n']);
  });

  it('passes over what a server says before its answer', async () => {
    const { request } = await serve((socket) => {
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'), ok('0123')]));
    });
    const { status, body } = await createGetClient(LIMITS).get(request);
    expect([status, await text(body)]).toEqual([206, '0123']);
  });

  it('refuses what would be another header', async () => {
    const { request, requests } = await serve((socket) => void socket.write(ok('x')));
    const headers = { 'if-match': '"x"\r\nrange: bytes=0-1' };
    const client = createGetClient(LIMITS);
    await expect(client.get({ ...request, headers })).rejects.toThrow('cannot be part of a request');
    expect(requests).toEqual([]);
  });

  it('receives an answer whose bytes come one by one', async () => {
    const { request } = await serve(async (socket) => {
      socket.setNoDelay();
      for (const byte of ok('0123', 'ETag: "é"')) {
        socket.write(Uint8Array.of(byte));
        await sleep(0);
      }
    });
    const { headers, body } = await createGetClient(LIMITS).get(request);
    expect([headers.etag, await text(body)]).toEqual(['"é"', '0123']);
  });

  it.each(['http', 'https'])(
    'uses a connection again, with %s, and receives large bodies',
    async (scheme) => {
      const contents = [randomBytes(3_000_000), randomBytes(0), randomBytes(700_001)];
      const answer: Answer = (socket, n) => void socket.write(ok(contents[n - 1] ?? ''));
      if (scheme === 'https') trust(LOCALHOST.cert);
      const { request, sockets } = await serve(answer, scheme === 'https' ? LOCALHOST : undefined);
      const client = createGetClient(LIMITS);
      for (const content of contents) {
        const chunks: Buffer[] = [];
        for await (const chunk of (await client.get(request)).body) {
          chunks.push(Buffer.from(chunk));
          // Meanwhile the next chunk arrives.
          await sleep(5);
        }
        expect(Buffer.concat(chunks).equals(content)).toBe(true);
      }
      expect(sockets).toHaveLength(1);
    },
  );

  it('does not change the last chunk of a body while the next one arrives on its connection', async () => {
    const { request, sockets } = await serve((socket, n) => void socket.write(ok(`${n}`.repeat(1000))));
    const client = createGetClient(LIMITS);
    for await (const chunk of (await client.get(request)).body) {
      // The stream of the first body ends in the next turn.
      await sleep(1);
      expect(await text((await client.get(request)).body)).toBe('2'.repeat(1000));
      expect(String(chunk)).toBe('1'.repeat(1000));
    }
    expect(sockets).toHaveLength(1);
  });

  it('refuses a certificate that is not for the host', async () => {
    trust(LOCALHOST.cert);
    const { request } = await serve((socket) => void socket.write(ok('x')), LOCALHOST);
    const client = createGetClient(LIMITS);
    await expect(client.get({ ...request, hostname: '127.0.0.1' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('opens a connection for each request at a time', async () => {
    const { request, sockets } = await serve((socket) => void socket.write(ok('x')));
    const client = createGetClient(LIMITS);
    const answers = await Promise.all([client.get(request), client.get(request)]);
    expect(await Promise.all(answers.map(({ body }) => text(body)))).toEqual(['x', 'x']);
    expect(sockets).toHaveLength(2);
  });

  it.each([
    ['that the server closes', ok('x', 'Connection: close')],
    ['of HTTP/1.0', Buffer.from('HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx')],
    ['with more than the answer', Buffer.concat([ok('x'), Buffer.from('HTTP/1.1 200 OK')])],
  ])('does not use a connection again %s', async (_, bytes) => {
    const { request, sockets } = await serve((socket) => void socket.write(bytes));
    const client = createGetClient(LIMITS);
    for (let n = 0; n < 2; n++) expect(await text((await client.get(request)).body)).toBe('x');
    expect(sockets).toHaveLength(2);
  });

  it('sends a request again whose connection was closed at the same moment', async () => {
    const { request, requests, sockets } = await serve((socket, n) => {
      if (n === 2) socket.destroy();
      else socket.write(ok('x'));
    });
    const client = createGetClient(LIMITS);
    for (let n = 0; n < 2; n++) expect(await text((await client.get(request)).body)).toBe('x');
    expect([requests.length, sockets.length]).toEqual([3, 2]);
  });

  it('does not use a connection that the server has closed', async () => {
    const { request, requests, sockets } = await serve((socket) => void socket.write(ok('x')));
    const client = createGetClient(LIMITS);
    expect(await text((await client.get(request)).body)).toBe('x');
    for (const socket of sockets) {
      socket.end();
      await once(socket, 'close');
    }
    expect(await text((await client.get(request)).body)).toBe('x');
    expect([requests.length, sockets.length]).toEqual([2, 2]);
  });

  it('rejects if a new connection breaks before the answer', async () => {
    const { request, requests } = await serve((socket) => void socket.destroy());
    await expect(createGetClient(LIMITS).get(request)).rejects.toThrow();
    expect(requests).toHaveLength(1);
  });

  it('gives all that has arrived before the connection broke, and then the error', async () => {
    const content = randomBytes(600_000);
    const { request } = await serve((socket) => {
      socket.write(ok(Buffer.concat([content, Buffer.from('x')])).subarray(0, -1));
      socket.end();
    });
    const { body } = await createGetClient(LIMITS).get(request);
    const received: Buffer[] = [];
    const reading = (async () => {
      for await (const chunk of body) received.push(Buffer.from(chunk));
    })();
    await expect(reading).rejects.toThrow('the connection was closed');
    expect(Buffer.concat(received).equals(content)).toBe(true);
  });

  it('gives up a silent server, before the answer, within its head and within its body', async () => {
    for (const sent of ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx']) {
      const { request, sockets } = await serve((socket) => void socket.write(sent));
      const reading = createGetClient(LIMITS)
        .get(request)
        .then(({ body }) => buffer(body));
      await expect(reading).rejects.toMatchObject({
        name: 'TimeoutError',
        message: 'receiving timed out after 300 ms of silence',
      });
      await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
    }
  });

  it('ends the connection when its signal is aborted, also within a body', async () => {
    for (const sent of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx']) {
      const { request, sockets, requests } = await serve((socket) => void socket.write(sent));
      const abort = new AbortController();
      const reading = createGetClient({ ...LIMITS, socketTimeoutMs: 60_000 })
        .get(request, abort.signal)
        .then(({ body }) => buffer(body));
      await expect.poll(() => requests.length).toBe(1);
      abort.abort(new Error('enough'));
      await expect(reading).rejects.toThrow('enough');
      await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
    }
  });

  it('gives up a connection that is not made in time, or whose signal is aborted', async () => {
    // It never answers the greeting of TLS.
    const { request, sockets } = await serve(() => undefined);
    const secure = { ...request, protocol: 'https:' };
    await expect(createGetClient({ ...LIMITS, connectionTimeoutMs: 50 }).get(secure)).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'connecting timed out after 50 ms of silence',
    });
    const abort = new AbortController();
    const getting = createGetClient({ ...LIMITS, connectionTimeoutMs: 60_000 }).get(secure, abort.signal);
    await expect.poll(() => sockets.length).toBe(2);
    abort.abort(new Error('enough'));
    await expect(getting).rejects.toThrow('enough');
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('ends the connection of a body that is destroyed before it is read', async () => {
    const { request, sockets } = await serve((socket) => void socket.write(ok(randomBytes(5_000_000))));
    const { body } = await createGetClient(LIMITS).get(request);
    body.destroy();
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it.each([
    ['with a length', 'content-length: 9\r\n\r\n<Error />rest'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n5\r\n<Erro\r\n4;x=y\r\nr />\r\n0\r\n\r\n'],
    ['up to its end', '\r\n<Error />'],
  ])('gives the message of an error %s', async (_, rest) => {
    const { request, sockets } = await serve((socket) => {
      socket.write(`HTTP/1.1 404 Not Found\r\n${rest}`);
      if (rest.startsWith('\r\n')) socket.end();
    });
    const { status, body } = await createGetClient(LIMITS).get(request);
    expect([status, await text(body)]).toEqual([404, '<Error />']);
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('keeps 64 KiB of a message at most', async () => {
    const { request } = await serve((socket) => {
      socket.write(`HTTP/1.1 500 Oops\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(100_000)}`);
    });
    const { body } = await createGetClient(LIMITS).get(request);
    expect((await text(body)).length).toBe(65_536);
  });

  it.each([
    ['SSH-2.0-OpenSSH\r\n\r\n', 'the answer is not one of HTTP/1'],
    [`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(4000)}\r\n`, 'the head of an answer has more than 16384 bytes'],
  ])('refuses what is not an answer', async (bytes, message) => {
    const { request } = await serve((socket) => void socket.write(bytes));
    await expect(createGetClient(LIMITS).get(request)).rejects.toThrow(message);
  });
});

function trust(certificate: string): void {
  const before = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...before, certificate]);
  onTestFinished(() => tls.setDefaultCACertificates(before));
}
