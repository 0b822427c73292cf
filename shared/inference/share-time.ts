import { setImmediate } from 'node:timers/promises';

/** How long one request keeps the others waiting, where it can stop. */
const TURN_MS = 25;

/**
 * Does something to each of many values, and lets other requests have their turn in between: a batch of long texts is
 * the work of half a second.
 *
 * @param now a clock, in ms
 */
export async function mapInTurns<T, R>(
  values: readonly T[],
  work: (value: T) => R,
  now: () => number = () => performance.now(),
): Promise<R[]> {
  const results: R[] = [];
  let since = now();
  for (const value of values) {
    results.push(work(value));
    if (now() - since < TURN_MS) continue;
    await setImmediate();
    since = now();
  }
  return results;
}
