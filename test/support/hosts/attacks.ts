import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { sendOverHttp } from './test-host.ts';

const PATH = '/v2/models/iris/infer';
const BODY = Buffer.from(
  '{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}',
);

/** What a hostile or broken client does to a server. Each resolves when the client is done. */
export const ATTACKS: Readonly<Record<string, (port: number) => Promise<void>>> = {
  'a million nested brackets': async (port) => {
    await post(port, Buffer.from('['.repeat(1_000_000)));
  },
  '20 MB of zeros compressed': async (port) => {
    await post(port, gzipSync(Buffer.alloc(20_000_000)), { 'content-encoding': 'gzip' });
  },
  'a chunked body of one-byte chunks': async (port) => {
    const outgoing = request({ host: '127.0.0.1', port, path: PATH, method: 'POST', agent: false });
    const answered = once(outgoing, 'response');
    for (const byte of BODY) outgoing.write(Buffer.of(byte));
    outgoing.end();
    const [response] = await answered;
    response.resume();
    await once(response, 'end');
  },
  'a Content-Length that lies': async (port) => {
    const socket = await open(port);
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n${BODY}`);
    socket.end();
    await closed(socket);
  },
  'an upload that is cut off': async (port) => {
    const socket = await open(port);
    socket.write(
      `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n${'x'.repeat(50_000)}`,
    );
    socket.destroy();
    await closed(socket);
  },
  'a client that never reads': async (port) => {
    const socket = await open(port);
    socket.pause();
    const message = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
    for (let i = 0; i < 200; i++) socket.write(message);
    await new Promise((resolve) => setTimeout(resolve, 200));
    socket.destroy();
    await closed(socket);
  },
  'a thousand connections at once': async (port) => {
    await Promise.all(Array.from({ length: 1000 }, () => post(port, BODY)));
  },
};

async function post(
  port: number,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  await sendOverHttp(port, { method: 'POST', path: PATH, headers, body });
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}
