import type { ClientSignal } from '../budget.ts';
import { InferenceError } from '../errors.ts';

/** A body of up to this size needs no room: clients that send little never wait. */
export const SMALL_BYTES = 1024 * 1024;

/** How many bodies may wait. */
const MOST_WAITING = 128;
const MOST_WAIT_MS = 30_000;

/** The memory that the bodies of all requests may take together. */
export interface BodyRoom {
  /** The share of one request, which is empty at first. */
  open(signal?: ClientSignal): BodyPart;
}

/** The room that the body of one request takes, in all its forms in memory. */
export interface BodyPart {
  /**
   * Takes this many bytes in total, or all there are if it asks for more. It waits until they are free, after all that
   * wait already. If it asks for fewer than before, the rest is given back at once.
   *
   * @throws InferenceError TEMPORARILY_UNAVAILABLE if 128 others wait already or after 30 s, CLIENT_GONE if the client
   * leaves before
   */
  resize(bytes: number): Promise<void>;
  /**
   * Calls back every 15 s if others wait by then: a client that sends slowly must not keep them out.
   *
   * @returns what ends the watch
   */
  watch(onLate: () => void): () => void;
  /** Gives all of it back, for good. */
  close(): void;
}

interface BodyRoomOptions {
  readonly mostWaiting?: number;
  readonly mostWaitMs?: number;
}

export function createBodyRoom(
  bytes: number,
  { mostWaiting = MOST_WAITING, mostWaitMs = MOST_WAIT_MS }: BodyRoomOptions = {},
): BodyRoom {
  let free = bytes;
  const waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  const admit = () => {
    for (let next = waiting[0]; next && next.bytes <= free; next = waiting[0]) {
      waiting.shift();
      free -= next.bytes;
      next.enter();
    }
  };

  function wait(more: number, signal: ClientSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
      };
      const entry = {
        bytes: more,
        enter: () => {
          stop();
          resolve();
        },
      };
      const fail = (error: InferenceError) => {
        stop();
        waiting.splice(waiting.indexOf(entry), 1);
        reject(error);
        // It may have been too large for the free room, and the next one may fit.
        admit();
      };
      const leave = () => fail(clientGone());
      const timer = setTimeout(() => fail(noRoom(bytes)), mostWaitMs);
      signal?.addEventListener('abort', leave);
      waiting.push(entry);
    });
  }

  class Part implements BodyPart {
    readonly #signal: ClientSignal | undefined;
    #taken = 0;
    #isOpen = true;

    constructor(signal: ClientSignal | undefined) {
      this.#signal = signal;
    }

    async resize(wanted: number): Promise<void> {
      const to = Math.min(wanted, bytes);
      const more = to - this.#taken;
      if (more <= 0) return this.#giveBack(to);
      if (waiting.length > 0 || more > free) {
        if (waiting.length >= mostWaiting) throw noRoom(bytes);
        if (this.#signal?.aborted) throw clientGone();
        await wait(more, this.#signal);
      } else {
        free -= more;
      }
      this.#taken = to;
      // It was closed while it waited: nothing else would give this room back.
      if (!this.#isOpen) this.#giveBack(0);
    }

    watch(onLate: () => void): () => void {
      // Half as long as the others wait, so that they are still there.
      const timer = setInterval(() => {
        if (waiting.length > 0) onLate();
      }, mostWaitMs / 2);
      return () => clearInterval(timer);
    }

    close(): void {
      this.#isOpen = false;
      if (this.#taken > 0) this.#giveBack(0);
    }

    #giveBack(to: number): void {
      free += this.#taken - to;
      this.#taken = to;
      admit();
    }
  }

  return { open: (signal) => new Part(signal) };
}

function clientGone(): InferenceError {
  return new InferenceError('CLIENT_GONE', 'The client has closed the connection.');
}

function noRoom(bytes: number): InferenceError {
  return new InferenceError(
    'TEMPORARILY_UNAVAILABLE',
    `The server holds request bodies of ${bytes} bytes already, which is the limit (MAX_BODIES_BYTES); send it again later.`,
  );
}
