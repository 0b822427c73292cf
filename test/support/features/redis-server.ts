import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { LOCALHOST } from '../localhost-certificate.ts';
import { portOf } from '../port-of.ts';

/** What a server does with a command instead of an answer. */
export type RedisFault = { readonly reply: string } | 'cut' | 'silence';

export interface RedisServer {
  readonly port: number;
  /** All commands, with the number of their connection. */
  readonly commands: (readonly [connection: number, ...words: string[]])[];
  readonly hashes: Map<string, Readonly<Record<string, string>>>;
  readonly texts: Map<string, string>;
  /** What happens to the next commands that read, instead of an answer. */
  readonly faults: RedisFault[];
  /** Ends all connections, as a restart does. */
  cutAll(): void;
  close(): Promise<void>;
}

export interface RedisServerOptions {
  readonly user?: string;
  readonly password?: string;
  readonly isEncrypted?: boolean;
  readonly port?: number;
}

/** Enough of Redis for look-ups. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { user = 'default', password, isEncrypted = false, port = 0 } = options;
  const sockets = new Set<Socket>();
  const state: Pick<RedisServer, 'commands' | 'hashes' | 'texts' | 'faults'> = {
    commands: [],
    hashes: new Map(),
    texts: new Map(),
    faults: [],
  };
  let connections = 0;

  const answer = (
    [name = '', ...args]: readonly string[],
    session: { isKnown: boolean },
  ): string | undefined => {
    if (name === 'AUTH') {
      const [given, secret] = args.length === 2 ? args : ['default', args[0]];
      session.isKnown = given === user && secret === password;
      return session.isKnown
        ? '+OK\r\n'
        : '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
    }
    if (!session.isKnown) return '-NOAUTH Authentication required.\r\n';
    if (name === 'SELECT') return Number(args[0]) < 16 ? '+OK\r\n' : '-ERR DB index is out of range\r\n';
    const [key = '', ...fields] = args;
    if (name === 'HMGET') {
      if (state.texts.has(key))
        return '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';
      const hash = state.hashes.get(key) ?? {};
      return `*${fields.length}\r\n${fields.map((field) => bulk(hash[field])).join('')}`;
    }
    if (name === 'GET') return bulk(state.texts.get(key));
    return `-ERR unknown command '${name}'\r\n`;
  };

  const serve = (socket: Socket) => {
    connections += 1;
    const number = connections;
    const session = { isKnown: password === undefined };
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      rest += chunk;
      for (let found = takeCommand(rest); found !== undefined; found = takeCommand(rest)) {
        rest = found.rest;
        const words = found.words.map((word) => Buffer.from(word, 'latin1').toString());
        state.commands.push([number, ...words]);
        const isRead = words[0] === 'HMGET' || words[0] === 'GET';
        const fault = isRead ? state.faults.shift() : undefined;
        if (fault === 'cut') return void socket.destroy();
        if (fault === 'silence') continue;
        socket.write(fault === undefined ? (answer(words, session) ?? '') : fault.reply);
      }
    });
  };
  const server: Server = isEncrypted ? createTlsServer(LOCALHOST, serve) : createServer(serve);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ...state,
    port: portOf(server),
    cutAll,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      cutAll();
      await closed;
    },
  };
}

function bulk(text: string | undefined): string {
  return text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** The first command of bytes, in which each character is a byte. */
function takeCommand(
  bytes: string,
): { readonly words: readonly string[]; readonly rest: string } | undefined {
  const [head = '', count = ''] = /^\*(\d+)\r\n/.exec(bytes) ?? [];
  if (head === '') return undefined;
  const words: string[] = [];
  let at = head.length;
  while (words.length < Number(count)) {
    const [start = '', length = ''] = /^\$(\d+)\r\n/.exec(bytes.slice(at, at + 20)) ?? [];
    const end = at + start.length + Number(length);
    if (start === '' || bytes.length < end + 2) return undefined;
    words.push(bytes.slice(at + start.length, end));
    at = end + 2;
  }
  return { words, rest: bytes.slice(at) };
}
