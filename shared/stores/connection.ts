import type { Socket } from 'node:net';

/** Where a socket puts what it receives. */
export interface OnRead {
  buffer(): Uint8Array;
  /** @returns whether to receive more */
  callback(count: number): boolean;
}

/** Bytes that were requested from a connection. */
interface Wanted {
  readonly target: Uint8Array;
  readonly least: number;
  count: number;
  resolve(count: number): void;
  reject(reason: unknown): void;
}

const SPARE_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Receives from a socket, directly into memory that the caller chooses, and only when the caller asks. Node's streams
 * receive at most 64 KiB at a time, each into new memory: for 102 MB, that and its garbage take 400 ms of CPU time.
 */
export class Connection {
  readonly #socket: Socket;
  /** For the first bytes after a pause, when the socket does not know yet where they are wanted. */
  readonly #spare = new Uint8Array(SPARE_BYTES);
  /** Bytes that came with those that were wanted. */
  #surplus: Uint8Array = NOTHING;
  #wanted: Wanted | undefined;
  /** Whether the next bytes go to where they are wanted. */
  #isDirect = false;
  #silence: NodeJS.Timeout | undefined;
  #isResting = false;
  #failure: unknown;
  /** Whether anything has arrived since it was opened, or since its latest rest. */
  hasReceived = false;
  readonly #opened: Promise<unknown>;

  /**
   * @param open opens a socket that uses `onread`
   * @param event the event of that socket when it can send: `connect`, or `secureConnect` for TLS
   */
  constructor(open: (onread: OnRead) => Socket, event: string) {
    this.#socket = open({
      buffer: () => {
        const { target, count } = this.#wanted ?? { target: NOTHING, count: 0 };
        this.#isDirect = count < target.length;
        return this.#isDirect ? target.subarray(count) : this.#spare;
      },
      callback: (count) => this.#take(count),
    });
    this.#socket.on('error', (error) => this.destroy(error));
    this.#socket.once('close', () => this.destroy());
    this.#opened = new Promise((resolve, reject) => {
      this.#socket.once(event, resolve);
      this.#socket.once('close', () => reject(this.#failure));
    });
    // An open connection ends, too.
    this.#opened.catch(() => undefined);
  }

  /** Whether it has not ended. */
  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Waits until it can send. */
  async opened(mostMs: number): Promise<void> {
    const timer = setTimeout(() => this.destroy(timedOut('connecting', mostMs)), mostMs);
    await this.#opened.finally(() => clearTimeout(timer));
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /**
   * Receives bytes.
   *
   * @param target where they go
   * @param least how many to wait for
   * @param mostMs the longest silence
   * @returns how many there are. They are fewer than `least` only if the connection has ended, but always some
   * @throws the error that ended the connection; TimeoutError
   */
  async receive(target: Uint8Array, least: number, mostMs: number): Promise<number> {
    const count = Math.min(this.#surplus.length, target.length);
    target.set(this.#surplus.subarray(0, count));
    this.#surplus = this.#surplus.subarray(count);
    if (count >= least) return count;
    if (!this.isOpen) return count > 0 ? count : Promise.reject(this.#failure);
    return await new Promise((resolve, reject) => {
      this.#wanted = { target, least, count, resolve, reject };
      this.#silence = setTimeout(() => this.destroy(timedOut('receiving', mostMs)), mostMs);
      this.#socket.resume();
    });
  }

  /** Gives bytes back, for the next `receive`. */
  putBack(bytes: Uint8Array): void {
    this.#surplus = Buffer.concat([bytes, this.#surplus]);
  }

  /** Lets a connection wait for its next request, without keeping the process alive; it ends after a time. */
  rest(mostMs: number): void {
    if (this.#surplus.length > 0) {
      this.destroy();
      return;
    }
    this.#isResting = true;
    this.#socket.unref();
    this.#silence = setTimeout(() => this.destroy(), mostMs).unref();
    // Only then it sees that the server closes the connection.
    this.#socket.resume();
  }

  /** Ends a rest. */
  wake(): void {
    this.#isResting = false;
    this.hasReceived = false;
    clearTimeout(this.#silence);
    this.#socket.ref();
  }

  destroy(reason: unknown = new Error('the connection was closed')): void {
    this.#failure ??= reason;
    clearTimeout(this.#silence);
    this.#socket.destroy();
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) return;
    if (wanted.count > 0) wanted.resolve(wanted.count);
    else wanted.reject(this.#failure);
  }

  #take(received: number): boolean {
    this.hasReceived = true;
    const wanted = this.#wanted;
    if (wanted === undefined) {
      // Nobody has asked for anything.
      if (this.#isResting) this.destroy();
      // TLS gives the whole of what it has decrypted.
      else this.#surplus = Buffer.concat([this.#surplus, this.#spare.subarray(0, received)]);
      return false;
    }
    this.#silence?.refresh();
    if (this.#isDirect) wanted.count += received;
    else {
      const count = Math.min(received, wanted.target.length - wanted.count);
      wanted.target.set(this.#spare.subarray(0, count), wanted.count);
      wanted.count += count;
      // Copied, as the spare memory is used again.
      this.#surplus = this.#spare.slice(count, received);
    }
    if (wanted.count < wanted.least) return true;
    clearTimeout(this.#silence);
    this.#wanted = undefined;
    wanted.resolve(wanted.count);
    return false;
  }
}

function timedOut(doing: string, ms: number): Error {
  return Object.assign(new Error(`${doing} timed out after ${ms} ms of silence`), { name: 'TimeoutError' });
}
