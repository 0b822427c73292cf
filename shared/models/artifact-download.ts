import { setMaxListeners } from 'node:events';
import { addAbortSignal } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLimiter } from '../limiter.ts';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';

export interface DownloadOptions {
  /** Bytes of one request. */
  readonly partBytes?: number;
  /** Concurrent requests, over all files. */
  readonly requests?: number;
  /** Tries per part, including those after an interruption. */
  readonly attempts?: number;
  /** Waits between two tries. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  /** A number from 0 to 1 that spreads the waits. */
  readonly random?: () => number;
}

/**
 * Receives the bytes of a file as they arrive; their memory is used again once it resolves. Parts arrive concurrently, so
 * each call has the position of its first byte.
 */
export type Sink = (bytes: Uint8Array, position: number) => Promise<void>;

export interface Downloader {
  /**
   * Passes every byte of a file to the sink exactly once, in parallel parts.
   * @throws StoreError, or what the sink or the signal threw
   */
  download(file: StoredFile, sink: Sink, signal: AbortSignal): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** Reads files of a store in byte ranges. If the connection of a part breaks, the download resumes at the next byte. */
export function createDownloader(store: ModelStore, options: DownloadOptions = {}): Downloader {
  const {
    partBytes = 8 * MEBIBYTE,
    requests = 8,
    attempts = 5,
    wait = sleep,
    random = Math.random,
  } = options;
  const limit = createLimiter(requests);

  /** Full jitter: instances that lost the same store do not all retry at the same moment. */
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
 * Runs tasks concurrently. The first failure stops the others through the signal. Its error is thrown only after all
 * tasks have ended, so that nothing keeps running unnoticed.
 */
export async function allOrNone(
  outer: AbortSignal | undefined,
  start: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const abort = new AbortController();
  const signal = outer ? AbortSignal.any([outer, abort.signal]) : abort.signal;
  // Every open stream listens to the signal.
  setMaxListeners(0, signal);
  await Promise.all(start(signal).map((task) => task.catch((error: unknown) => abort.abort(error))));
  abort.signal.throwIfAborted();
}

/** Bytes from `start` (inclusive) to `end` (exclusive). */
interface Part {
  readonly start: number;
  readonly end: number;
}

interface Outcome {
  /** Where the next try resumes. */
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
    for await (const chunk of addAbortSignal(signal, await store.read(file, start, end, signal))) {
      const bytes: Uint8Array = chunk;
      if (bytes.length > end - position) {
        throw new StoreError('corrupt', `${store.url} sent more bytes of ${file.path} than were requested.`);
      }
      inSink = true;
      await sink(bytes, position);
      inSink = false;
      position += bytes.length;
    }
  } catch (error) {
    if (inSink || signal.aborted || isFinal(error)) throw error;
    // If the connection breaks after the last byte, the part is complete.
    return { position, broken: position === end && start < end ? undefined : error };
  }
  return { position, broken: position === end ? undefined : new Error('the stream ended too early') };
}

/** Errors of the store that another try does not change. */
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
    `${store.url}: the download of ${file.path} was interrupted ${attempts} times, most recently at byte ${position} of ${file.sizeBytes}: ${why}`,
    cause,
  );
}

/** A file of 0 bytes has one empty part: the request still checks that the file exists and is unchanged. */
function partsOf(sizeBytes: number, partBytes: number): Part[] {
  const count = Math.max(1, Math.ceil(sizeBytes / partBytes));
  return Array.from({ length: count }, (_, index) => ({
    start: index * partBytes,
    end: Math.min(sizeBytes, (index + 1) * partBytes),
  }));
}
