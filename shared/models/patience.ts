import { type Budget, waitedInVain, waitInTime } from '../budget.ts';
import { StoreError } from '../stores/model-store.ts';

/** How long a store may say nothing to a request that waits for it. */
export const STORE_SILENCE_MS = 2_000;

/** How long one request waits for a store, over all that it asks of it. */
export interface Patience {
  /**
   * Waits for something of the store. What takes longer goes on, for those that come later.
   *
   * @throws StoreError `unreachable` when the store has been silent for too long, or the request has no more time
   */
  wait<T>(work: Promise<T>): Promise<T>;
}

export interface PatienceOptions {
  /** Says which store it is, in messages. */
  readonly url: string;
  /** Infinity for as long as the store takes. */
  readonly silenceMs: number;
  /** When the store last said something, on the clock of `performance.now()`. */
  readonly heardMs: () => number;
}

/** The patience of a request that begins to wait now. */
export function createPatience({ url, silenceMs, heardMs }: PatienceOptions, budget?: Budget): Patience {
  const startMs = performance.now();
  const leftMs = () => {
    const silentSinceMs = performance.now() - Math.max(startMs, heardMs());
    return Math.min(silenceMs - silentSinceMs, budget?.leftMs() ?? Number.POSITIVE_INFINITY);
  };
  const silent = () =>
    waitedInVain(
      startMs,
      () => new StoreError('unreachable', `${url} has not answered within the time of a request.`),
    );
  return { wait: (work) => waitInTime(work, leftMs, silent) };
}
