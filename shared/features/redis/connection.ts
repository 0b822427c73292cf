import type { Socket } from 'node:net';
import { createReplyReader, type Reply, ReplyError, writeCommands } from './replies.ts';

/** Where a Redis is, and as whom to talk to it. */
export interface RedisAddress {
  /** Without credentials, as in `redis://cache:6379`. */
  readonly title: string;
  readonly host: string;
  readonly port: number;
  readonly isEncrypted: boolean;
  readonly user: string;
  readonly password: string;
  readonly database: number;
}

/** The connection is gone, or never came. The same commands may work on another one. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

/**
 * A connection on which nothing came for longer is replaced before it is used: after a process was frozen, networks have
 * forgotten its connections without a word, and a command on such a one waits until its time is over.
 */
const MOST_IDLE_MS = 30_000;
/** A connection that owes a reply, and on which nothing came for longer, gets no more commands. */
const MOST_SILENT_MS = 1000;

/** A connection on which commands of several look-ups follow each other, without waiting for replies. */
export interface RedisConnection {
  /** Whether it can take commands, as far as this side knows. */
  readonly isUsable: boolean;
  /**
   * Sends commands. If nothing at all is heard until the signal ends them with a `TimeoutError`, the connection retires:
   * it may be one that nobody answers. Other reasons say nothing about it.
   *
   * @returns their replies, in order
   * @throws ConnectionLostError; MalformedReplyError; ReplyError for refused credentials; the reason of the signal
   */
  send(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly Reply[]>;
  /** Takes no more commands, and ends when nobody waits for a reply. */
  retire(): void;
}

/** Commands that were sent together. */
interface Call {
  readonly count: number;
  readonly sentMs: number;
  readonly replies: Reply[];
  readonly done: (replies: readonly Reply[]) => void;
  readonly fail: (error: Error) => void;
  /** Nobody waits for its replies, which still come. */
  isLeft: boolean;
}

/** @param socket just made, whether it is connected or not */
export function createConnection(address: RedisAddress, socket: Socket): RedisConnection {
  const calls: Call[] = [];
  let isOpen = true;
  let heardMs = Date.now();
  /** How often something came. */
  let heard = 0;

  const end = (error: Error) => {
    isOpen = false;
    socket.destroy();
    for (const call of calls.splice(0)) call.fail(error);
  };
  const settle = () => {
    // A command of the terminal ends when nothing is left to do, and an idle connection is nothing to do.
    if (calls.some(({ isLeft }) => !isLeft)) return;
    socket.unref();
    if (!isOpen) end(new ConnectionLostError('it was retired'));
  };
  const read = createReplyReader((reply) => {
    const [call] = calls;
    if (call === undefined) throw new ConnectionLostError('it replied to nothing');
    call.replies.push(reply);
    if (call.replies.length < call.count) return;
    calls.shift();
    call.done(call.replies);
    settle();
  });
  const push = (
    commands: readonly (readonly string[])[],
    callbacks: Omit<Call, 'count' | 'sentMs' | 'replies'>,
  ): Call => {
    const call = { ...callbacks, count: commands.length, sentMs: Date.now(), replies: [] };
    calls.push(call);
    socket.ref();
    socket.write(writeCommands(commands));
    return call;
  };

  socket.on('data', (bytes: Buffer) => {
    heardMs = Date.now();
    heard += 1;
    try {
      read(bytes);
    } catch (error) {
      end(error instanceof Error ? error : new Error('its replies cannot be read', { cause: error }));
    }
  });
  socket.on('error', (error) => end(new ConnectionLostError(describe(error), { cause: error })));
  socket.on('close', () => end(new ConnectionLostError('it was closed')));

  const greetings = greet(address);
  if (greetings.length > 0) {
    push(greetings, {
      done: (replies) => {
        const refusal = replies.find((reply) => reply instanceof ReplyError);
        if (refusal !== undefined) end(refusal);
      },
      fail: () => undefined,
      isLeft: true,
    });
  }

  return {
    get isUsable() {
      // The clock can be set back.
      const isWithin = (ms: number, since: number) => Math.abs(Date.now() - since) <= ms;
      const [oldest] = calls;
      const isSilent = oldest !== undefined && !isWithin(MOST_SILENT_MS, Math.max(oldest.sentMs, heardMs));
      return isOpen && !isSilent && isWithin(MOST_IDLE_MS, heardMs);
    },
    send: (commands, signal) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) throw new ConnectionLostError('it was closed');
        const stop = () => signal.removeEventListener('abort', leave);
        const call = push(commands, {
          done: (replies) => {
            stop();
            resolve(replies);
          },
          fail: (error) => {
            stop();
            reject(error);
          },
          isLeft: false,
        });
        const heardBefore = heard;
        const leave = () => {
          call.isLeft = true;
          reject(signal.reason);
          if (heard === heardBefore && isTimeout(signal.reason)) isOpen = false;
          settle();
        };
        signal.addEventListener('abort', leave, { once: true });
      }),
    retire: () => {
      isOpen = false;
      settle();
    },
  };
}

function greet({ user, password, database }: RedisAddress): readonly (readonly string[])[] {
  const commands: (readonly string[])[] = [];
  if (password !== '') commands.push(user === '' ? ['AUTH', password] : ['AUTH', user, password]);
  if (database !== 0) commands.push(['SELECT', String(database)]);
  return commands;
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

/** Messages of Node have addresses; the code says enough. */
function describe(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
