import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

export interface TimeLimits {
  /** Longest wait for a connection. */
  readonly connectionMs: number;
  /** Longest silence of the server, before and during an answer. */
  readonly silenceMs?: number;
}

/** Makes what ends requests that take too long, for `createHttpClient`. */
export function limitTimes({ connectionMs, silenceMs }: TimeLimits): (request: ClientRequest) => void {
  return (request) => {
    const end = (doing: string, ms: number) => {
      request.destroy(Object.assign(new Error(), { code: `${doing} timed out after ${ms} ms` }));
    };
    if (silenceMs !== undefined) request.setTimeout(silenceMs, () => end('receiving', silenceMs));
    request.once('socket', (socket: Socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => end('connecting', connectionMs), connectionMs);
      for (const event of ['connect', 'close']) socket.once(event, () => clearTimeout(timer));
    });
  };
}
