import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from './port-of.ts';

/** A server that accepts connections and sends nothing, until it starts to pass all data to another server. */
export interface SilentProxy {
  readonly url: string;
  /** How many connections have come. */
  connections(): number;
  /** From now on it passes on all data, including earlier data. */
  speak(): void;
  /** From now on it sends nothing on new connections, and cuts the existing ones. */
  fallSilent(): void;
  close(): Promise<void>;
}

/** @param url of the server that it passes on to, once it speaks */
export async function startSilentProxy(url: string): Promise<SilentProxy> {
  const target = Number(new URL(url).port);
  const sockets = new Set<Socket>();
  let count = 0;
  let isSilent = true;
  let waiting: (() => void)[] = [];
  const pass = (socket: Socket) => {
    const upstream = connect(target, '127.0.0.1');
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  };
  const server = createServer((socket) => {
    count++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (isSilent) waiting.push(() => pass(socket));
    else pass(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    connections: () => count,
    speak: () => {
      isSilent = false;
      for (const go of waiting) go();
      waiting = [];
    },
    fallSilent: () => {
      isSilent = true;
      cut();
    },
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
