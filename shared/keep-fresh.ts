/** Something that proves who asks, for a while. */
export interface Expiring {
  /** When it ends; without it, it is asked for only once. */
  readonly expiration?: Date | undefined;
}

/**
 * Gives what counts now.
 *
 * @param refused what a server has refused; then something else is asked for
 * @throws what the source throws; the reason of the signal, after which the source still runs for the others
 */
export type Kept<T> = (signal: AbortSignal, refused?: T) => Promise<T>;

/** What ends sooner is replaced. Something new is there five minutes before. */
const LEAST_LEFT_MS = 4 * 60_000;
/** What ends sooner is used only if there is nothing new: a request can take a while. */
const LEAST_USED_MS = 5000;
/** A source that takes longer is asked again. */
const LONGEST_SOURCE_MS = 10_000;

/**
 * Keeps something until shortly before it ends. Requests use what has not ended while the source is asked for something
 * new, and if it fails.
 *
 * @param title what it is in messages, in plural
 */
export function keepFresh<T extends Expiring>(title: string, source: () => Promise<T>): Kept<T> {
  let kept: T | undefined;
  let asked: Promise<T> | undefined;
  const leftMs = () => {
    if (kept === undefined) return Number.NEGATIVE_INFINITY;
    return (kept.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
  };
  const ask = async (): Promise<T> => {
    try {
      const given = await endAfter(LONGEST_SOURCE_MS, title, Promise.resolve().then(source));
      kept = given;
      return given;
    } catch (error) {
      if (kept === undefined || leftMs() <= 0) throw error;
      return kept;
    } finally {
      asked = undefined;
    }
  };
  return async (signal, refused) => {
    signal.throwIfAborted();
    // A reference: another request may have replaced it already.
    if (refused !== undefined && refused === kept) kept = undefined;
    if (kept !== undefined && leftMs() > LEAST_LEFT_MS) return kept;
    const next = asked ?? ask();
    asked = next;
    // Perhaps nobody waits for it.
    next.catch(() => undefined);
    if (kept !== undefined && leftMs() > LEAST_USED_MS) return kept;
    return await waitWith(signal, next);
  };
}

function endAfter<T>(ms: number, title: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const error = new Error(`${title} did not come within ${ms} ms`);
    const timer = setTimeout(() => reject(error), ms).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function waitWith<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
