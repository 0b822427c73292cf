import { setMaxListeners } from 'node:events';
import { addAbortSignal } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLimiter } from '../limiter.ts';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';

export interface DownloadOptions {
  /** Bytes of one request. */
  readonly partBytes?: number;
  /** Requests under way at once, over all files. */
  readonly requests?: number;
  /** Tries per part, over all its breaks. */
  readonly attempts?: number;
  /** Waits between two tries. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  /** A number from 0 to 1 that spreads the waits. */
  readonly random?: () => number;
}

/** Takes the bytes of a file as they come in; parts come at the same time, so each chunk has its position. */
export type Sink = (chunk: Uint8Array, position: number) => Promise<void>;

export interface Downloader {
  /**
   * Gives every byte of a file to the sink once, in parallel parts.
   * @throws StoreError, or whatever the sink or the signal threw
   */
  download(file: StoredFile, sink: Sink, signal: AbortSignal): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Reads files of a store in byte ranges. A part whose connection breaks goes on at the byte where it broke. */
export function createDownloader(store: ModelStore, options: DownloadOptions = {}): Downloader {
  const {
    partBytes = 8 * MEBIBYTE,
    requests = 8,
    attempts = 5,
    wait = sleep,
    random = Math.random,
  } = options;
  const limit = createLimiter(requests);

  /** Full jitter: many instances that lost the same store do not come back at the same moment. */
  const pause = (attempt: number) =>
    wait(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)));

  async function copyPart(file: StoredFile, part: Part, sink: Sink, signal: AbortSignal): Promise<void> {
    let position = part.start;
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const outcome = await copyOnce(store, file, { start: position, end: part.end }, sink, signal);
      position = outcome.position;
      if (outcome.broken === undefined) return;
      if (attempt >= attempts) throw gaveUp(store, file, attempts, position, outcome.broken);
      await pause(attempt);
    }
  }

  return {
    download: async (file, sink, signal) => {
      const parts = partsOf(file.sizeBytes, partBytes);
      await allOrNone(signal, (inner) => parts.map((part) => limit(() => copyPart(file, part, sink, inner))));
    },
  };
}

/**
 * Runs tasks together. The first that fails stops the others through the signal; it is thrown when all have ended, so
 * that nothing goes on behind the caller's back.
 */
export async function allOrNone(
  outer: AbortSignal | undefined,
  start: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const abort = new AbortController();
  const signal = outer ? AbortSignal.any([outer, abort.signal]) : abort.signal;
  // Every open stream listens to it.
  setMaxListeners(0, signal);
  await Promise.all(start(signal).map((task) => task.catch((error: unknown) => abort.abort(error))));
  abort.signal.throwIfAborted();
}

/** Bytes from `start` up to, but without, `end`. */
interface Part {
  readonly start: number;
  readonly end: number;
}

interface Outcome {
  /** Where the next try goes on. */
  readonly position: number;
  /** Why the part is not complete yet. */
  readonly broken: unknown;
}

async function copyOnce(
  store: ModelStore,
  file: StoredFile,
  { start, end }: Part,
  sink: Sink,
  signal: AbortSignal,
): Promise<Outcome> {
  let position = start;
  let inSink = false;
  try {
    for await (const chunk of addAbortSignal(signal, await store.read(file, start, end))) {
      const bytes: Uint8Array = chunk;
      if (bytes.length > end - position) {
        throw new StoreError(
          'corrupt',
          `${store.url} sent more bytes of ${file.path} than it was asked for.`,
        );
      }
      inSink = true;
      await sink(bytes, position);
      inSink = false;
      position += bytes.length;
    }
  } catch (error) {
    if (inSink || signal.aborted || isFinal(error)) throw error;
    // A connection that breaks after the last byte has done its work.
    return { position, broken: position === end && start < end ? undefined : error };
  }
  return { position, broken: position === end ? undefined : new Error('the stream ended too early') };
}

/** The store said something that another try will not change. */
function isFinal(error: unknown): boolean {
  return error instanceof StoreError && error.reason !== 'unreachable';
}

function gaveUp(
  store: ModelStore,
  file: StoredFile,
  attempts: number,
  position: number,
  cause: unknown,
): StoreError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(
    'unreachable',
    `${store.url}: ${file.path} broke off ${attempts} times, at last at byte ${position} of ${file.sizeBytes}: ${why}`,
    cause,
  );
}

/** A file of 0 bytes has one empty part: the store is still asked whether it is there and unchanged. */
function partsOf(sizeBytes: number, partBytes: number): Part[] {
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes));
  return Array.from({ length: count }, (_, index) => ({
    start: index * partBytes,
    end: Math.min(sizeBytes, (index + 1) * partBytes),
  }));
}
