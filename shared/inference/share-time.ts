import { setImmediate } from 'node:timers/promises';

/** How long one request keeps the others waiting, where it can stop. */
const TURN_MS = 25;

/**
 * Does something to each of many values, and lets other requests have their turn in between, and wherever the work can
 * rest: a long text is the work of half a second, and so is a batch of shorter ones.
 *
 * @param work yields where it can rest, and returns its result
 * @param goOn is called after each turn of the others, and throws when nobody needs the results any more
 * @param now a clock, in ms
 */
export async function mapInTurns<T, R>(
  values: readonly T[],
  work: (value: T) => Iterator<unknown, R>,
  goOn: () => void,
  now: () => number = () => performance.now(),
): Promise<R[]> {
  const results: R[] = [];
  let since = now();
  for (const value of values) {
    const steps = work(value);
    let isDone = false;
    while (!isDone) {
      const step = steps.next();
      if (step.done) {
        results.push(step.value);
        isDone = true;
      }
      if (now() - since < TURN_MS) continue;
      await setImmediate();
      goOn();
      since = now();
    }
  }
  return results;
}

/**
 * Makes what a loop awaits before each piece of its work: other requests have their turn there, once some time has gone
 * by since they had the last one.
 *
 * @param goOn as above
 * @param now a clock, in ms
 */
export function createRests(
  goOn: () => void,
  now: () => number = () => performance.now(),
): () => Promise<void> {
  let since = now();
  return async () => {
    if (now() - since < TURN_MS) return;
    await setImmediate();
    goOn();
    since = now();
  };
}
