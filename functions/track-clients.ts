import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import type { Gate } from './gate.ts';

/** The connections of a server, with the requests on them. */
export interface Clients {
  add(socket: Socket): void;
  follow(response: ServerResponse): void;
  /** The response to the last complete request of a connection, if it is not yet sent. */
  pending(socket: Duplex): ServerResponse | undefined;
  /** From now on all answers close their connections, including those in progress. */
  askToLeave(): void;
  /**
   * Resolves when the server has taken all connections that the system has accepted for it, because closing would reset
   * them. The gate is then shut: clients that wait for an answer send nothing, so no connection is on its way.
   */
  quiet(): Promise<void>;
  /** Closes the connections without a complete request to answer. */
  dropUnfinished(): void;
}

/** Longest time for which an answer is held, except the last time. */
const HOLD_MS = 25;
/** If no client connects for this long while answers are held, none is on its way. */
const QUIET_MS = 10;
const STEP_MS = 2;
/** For this many holds the number of waiting clients must stay the same; otherwise some pause, or are about to stop. */
const EQUAL_HOLDS = 4;
/** Longest wait for clients that keep connecting even though they get no answer. */
const LONGEST_MS = 5_000;
/** Longest time for which answers are held the last time. */
const LAST_HOLD_MS = 250;
/** In a longer turn of the event loop, clients may connect after the system was asked for connections. */
const SHORT_TURN_MS = 0.2;
const MOST_TURNS = 100;

export function trackClients(gate: Gate): Clients {
  /**
   * The responses in progress of each connection, in their order: more than one if the client does not wait for an
   * answer before it sends the next request. One set of all responses would be a table of which V8 makes a new one every
   * few requests; the tables before it become garbage that keeps the responses in them in memory.
   */
  const connections = new Map<Duplex, ServerResponse[]>();
  /** A listener for all responses: otherwise each request would need its own. */
  function forget(this: ServerResponse): void {
    const responses = responsesOn(this.req.socket);
    const index = responses.indexOf(this);
    if (index !== -1) responses.splice(index, 1);
  }
  const responsesOn = (socket: Duplex) => connections.get(socket) ?? [];
  const allResponses = () => [...connections.values()].flat();
  let isLeaving = false;
  let taken = 0;

  /** Sends the held answers, and holds new ones. Returns true if no client connected in the last 10 ms. */
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

  /** Ends right after the system was asked for connections and had none. The system passes one in each turn. */
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
      connections.set(socket, []);
      socket.once('close', () => connections.delete(socket));
    },
    follow: (response) => {
      responsesOn(response.req.socket).push(response);
      if (isLeaving) response.shouldKeepAlive = false;
      response.on('close', forget);
    },
    pending: (socket) => responsesOn(socket).findLast(({ req }) => req.complete),
    askToLeave: () => {
      isLeaving = true;
      for (const response of allResponses()) response.shouldKeepAlive = false;
    },
    quiet: async () => {
      const endMs = performance.now() + LONGEST_MS;
      let waiting = -1;
      for (let equal = 0; equal < EQUAL_HOLDS && performance.now() < endMs; ) {
        const isQuiet = await isQuietAfter(HOLD_MS);
        const { length } = allResponses();
        equal = isQuiet && length === waiting ? equal + 1 : 0;
        waiting = length;
      }
      if (performance.now() >= endMs) await isQuietAfter(LAST_HOLD_MS);
      await takeAll();
    },
    dropUnfinished: () => {
      // A client may send its next request before it has the answer to the last one: then that one counts.
      for (const [socket, responses] of connections) {
        if (responses.at(-1)?.req.complete !== true) socket.destroy();
      }
    },
  };
}
