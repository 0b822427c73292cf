// Begins uploads at once, sends a part of each, and cuts all of them off: abort-uploads.ts <port> <path> <count>
import { once } from 'node:events';
import { connect } from 'node:net';

const [port = '', path = '', count = ''] = process.argv.slice(2);
const DECLARED_BYTES = 4_000_000;
const part = Buffer.alloc(1_000_000, 'x');

const sockets = await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const socket = connect(Number(port), '127.0.0.1');
    // The server may end the connection first.
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }),
);
const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: image/jpeg\r\ncontent-length: ${DECLARED_BYTES}\r\n\r\n`;
for (const socket of sockets) {
  socket.write(head);
  socket.write(part);
}
await new Promise((resolve) => setTimeout(resolve, 500));
for (const socket of sockets) socket.destroy();
console.log(JSON.stringify(sockets.length));
