import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import type { Gate } from './gate.ts';

/** The connections of a server, with the requests on them. */
export interface Clients {
  add(socket: Socket): void;
  follow(request: IncomingMessage, response: ServerResponse): void;
  /** Answers say from here on that their connections are closed, also those that are in the making. */
  askToLeave(): void;
  /**
   * Resolves when all connections are taken that the system has accepted for us: closing would reset them. The gate is
   * shut then. Whoever waits for an answer sends nothing meanwhile, so no connection is on its way.
   */
  quiet(): Promise<void>;
  /** Cuts the connections that have no whole request to be answered. */
  dropUnfinished(): void;
}

/** Longest that an answer is held, but for the last time. */
const HOLD_MS = 25;
/** Nobody is on the way when nobody came for so long while answers were held. */
const QUIET_MS = 10;
const STEP_MS = 2;
/** The number of waiting clients must stay the same for so many holds: otherwise some of them pause, or are about to stop. */
const EQUAL_HOLDS = 4;
/** Clients that come whether they are answered or not are not waited for longer than this. */
const LONGEST_MS = 5_000;
/** Longest that answers are held the last time. */
const LAST_HOLD_MS = 250;
/** In a turn of the event loop that takes longer, clients can come after the system was asked for them. */
const SHORT_TURN_MS = 0.2;
const MOST_TURNS = 100;

export function trackClients(gate: Gate): Clients {
  const sockets = new Set<Socket>();
  const requests = new Map<Socket, IncomingMessage>();
  const responses = new Set<ServerResponse>();
  let isLeaving = false;
  let taken = 0;

  /** Sends the answers that were held, and holds others. Returns true if no client came in the last 10 ms of that. */
  async function isQuietAfter(holdMs: number): Promise<boolean> {
    gate.open();
    gate.shut();
    const endMs = performance.now() + holdMs;
    let lastMs = performance.now();
    while (performance.now() < endMs) {
      const before = taken;
      await wait(STEP_MS);
      await setImmediate();
      if (taken !== before) lastMs = performance.now();
    }
    return performance.now() - lastMs >= QUIET_MS;
  }

  /** Ends right after the system was asked for connections and had none. It hands over one in each turn. */
  async function takeAll(): Promise<void> {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const before = taken;
      const startMs = performance.now();
      await setImmediate();
      if (taken === before && performance.now() - startMs < SHORT_TURN_MS) return;
    }
  }

  return {
    add: (socket) => {
      taken++;
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    },
    follow: (request, response) => {
      const { socket } = request;
      requests.set(socket, request);
      responses.add(response);
      if (isLeaving) response.shouldKeepAlive = false;
      response.once('close', () => {
        responses.delete(response);
        if (requests.get(socket) === request) requests.delete(socket);
      });
    },
    askToLeave: () => {
      isLeaving = true;
      for (const response of responses) response.shouldKeepAlive = false;
    },
    quiet: async () => {
      const endMs = performance.now() + LONGEST_MS;
      let waiting = -1;
      for (let equal = 0; equal < EQUAL_HOLDS && performance.now() < endMs; ) {
        const isQuiet = await isQuietAfter(HOLD_MS);
        equal = isQuiet && responses.size === waiting ? equal + 1 : 0;
        waiting = responses.size;
      }
      if (performance.now() >= endMs) await isQuietAfter(LAST_HOLD_MS);
      await takeAll();
    },
    dropUnfinished: () => {
      for (const socket of sockets) {
        if (requests.get(socket)?.complete !== true) socket.destroy();
      }
    },
  };
}
