import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createHttpClient } from '../../../shared/http/http-client.ts';
import { portOf } from '../../support/port-of.ts';

/** The outcome of a request to a server that sends the same to all requests, and leaves the connection open. */
async function ask(answer: string): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const client = createHttpClient('the server', (reason) => new Error(reason));
  const url = new URL(`http://127.0.0.1:${portOf(server)}`);
  const request = { method: 'POST', url, headers: { 'content-length': '2' }, body: '{}' } as const;
  return await client.send(request, AbortSignal.timeout(5_000));
}

it('gives the whole answer', async () => {
  expect(await ask('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')).toEqual({
    status: 200,
    headers: { 'content-length': '2' },
    text: 'ok',
  });
});

it('reads the answer after a preliminary one', async () => {
  expect(await ask('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n')).toEqual({
    status: 503,
    headers: { 'content-length': '0' },
    text: '',
  });
});

it('says of an answer that its request was sent twice, as the connection from before was lost', async () => {
  let received = 0;
  const server = createHttpServer((message, response) => {
    received += 1;
    if (received === 2) message.socket.destroy();
    else response.end(String(received));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = createHttpClient('the server', (reason) => new Error(reason));
  const url = new URL(`http://127.0.0.1:${portOf(server)}`);
  const send = async () =>
    await client.send({ method: 'PUT', url, headers: {}, body: '' }, AbortSignal.timeout(5_000));
  expect((await send()).isRepeated).toBeUndefined();
  expect(await send()).toMatchObject({ text: '3', isRepeated: true });
});

it('fails if the server changes to another protocol', async () => {
  await expect(
    ask('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  ).rejects.toThrow('the server cannot be reached: the connection was lost');
});

it('fails if the answer is not HTTP', async () => {
  await expect(ask('hello\r\n\r\n')).rejects.toThrow('the server cannot be reached: HPE_INVALID_CONSTANT');
});

it('sends a long body for as long as that takes', async () => {
  const server = createHttpServer((message, response) => {
    void text(message).then((body) => response.end(`got ${body}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    vi.useRealTimers();
    server.close();
    server.closeAllConnections();
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const client = createHttpClient('the server', (reason) => new Error(reason));
  const url = new URL(`http://127.0.0.1:${portOf(server)}`);
  const send = (body: Parameters<typeof client.send>[0]['body']) =>
    client.send({ method: 'PUT', url, headers: {}, body }, new AbortController().signal);
  const { promise: isOpen, resolve: open } = Promise.withResolvers<void>();
  const { promise: isOver, resolve: finish } = Promise.withResolvers<void>();
  const sent = send((request) => {
    request.write('a long ');
    open();
    void isOver.then(() => request.end('body'));
  });
  await isOpen;
  await vi.advanceTimersByTimeAsync(3_600_000);
  finish();
  expect(await sent).toMatchObject({ status: 200, text: 'got a long body' });
});
