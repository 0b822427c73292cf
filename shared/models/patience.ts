import { type Budget, waitedInVain, waitInTime } from '../budget.ts';
import { StoreError } from '../stores/model-store.ts';

/** How long a store may be silent while a request waits for it. */
export const STORE_SILENCE_MS = 2_000;

/** How long one request waits for a store, in total over all its calls. */
export interface Patience {
  /**
   * Waits for a call to the store. A call that takes longer continues, for the benefit of later requests.
   *
   * @throws StoreError `unreachable` when the store has been silent for too long, or the request has no more time;
   *   InferenceError DEADLINE_EXCEEDED instead when the request had almost none from the start
   */
  wait<T>(work: Promise<T>): Promise<T>;
}

export interface PatienceOptions {
  /** Names the store in messages. */
  readonly url: string;
  /** Infinity for no limit. */
  readonly silenceMs: number;
  /** When the store last sent something, on the clock of `performance.now()`. */
  readonly heardMs: () => number;
}

/** The patience of a request that begins to wait now. */
export function createPatience({ url, silenceMs, heardMs }: PatienceOptions, budget?: Budget): Patience {
  const startMs = performance.now();
  const hadMs = budget?.leftMs() ?? Number.POSITIVE_INFINITY;
  const leftMs = () => {
    const silentSinceMs = performance.now() - Math.max(startMs, heardMs());
    return Math.min(silenceMs - silentSinceMs, budget?.leftMs() ?? Number.POSITIVE_INFINITY);
  };
  const silent = () =>
    waitedInVain(
      hadMs,
      () => new StoreError('unreachable', `${url} has not answered within the time limit of a request.`),
    );
  return { wait: (work) => waitInTime(work, leftMs, silent) };
}
