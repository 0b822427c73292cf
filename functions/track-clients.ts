import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** The connections of a server, with the requests on them. */
export interface Clients {
  add(socket: Socket): void;
  follow(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when all connections are taken that the system has accepted for us: closing would reset them. */
  quiet(): Promise<void>;
  /** Cuts the connections that have no whole request to be answered. */
  dropUnfinished(): void;
}

/** The system hands over one connection at a time; when none came in several rounds, none is left. */
const QUIET_ROUNDS = 4;
const ROUND_MS = 25;
/** Clients that never stop coming are not waited for longer than this; some of their last connections are reset. */
const MOST_ROUNDS = 200;

export function trackClients(): Clients {
  const sockets = new Set<Socket>();
  const requests = new Map<Socket, IncomingMessage>();
  let taken = 0;
  return {
    add: (socket) => {
      taken++;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    follow: (request, response) => {
      const { socket } = request;
      requests.set(socket, request);
      response.once('close', () => {
        if (requests.get(socket) === request) requests.delete(socket);
      });
    },
    quiet: async () => {
      let quietRounds = 0;
      for (let round = 0; round < MOST_ROUNDS && quietRounds < QUIET_ROUNDS; round++) {
        const before = taken;
        await wait(ROUND_MS);
        quietRounds = taken === before ? quietRounds + 1 : 0;
      }
    },
    dropUnfinished: () => {
      for (const socket of sockets) {
        if (requests.get(socket)?.complete !== true) socket.destroy();
      }
    },
  };
}
