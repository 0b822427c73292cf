import { setImmediate } from 'node:timers/promises';

/** How long one request may keep the others waiting, if it can pause. */
const TURN_MS = 25;

/**
 * Processes many values one by one, and lets other requests run in between, and wherever the work can pause: a long
 * text takes half a second, and so does a batch of shorter ones.
 *
 * @param work yields where it can pause, and returns its result
 * @param goOn is called after other requests have run, and throws when nobody needs the results any more
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
 * Makes a function for a loop to await before each piece of its work. It lets other requests run if some time has
 * passed since they last did.
 *
 * @param goOn as above; what does not give one asks the same question elsewhere
 * @param now a clock, in ms
 */
export function createRests(
  goOn: () => void = () => {},
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
