import { setImmediate as nextTurn } from 'node:timers/promises';

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
      await nextTurn();
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
    await nextTurn();
    goOn();
    since = now();
  };
}

/** How long requests that run side by side may keep each other's answers waiting. */
const TOGETHER_MS = 1;

/** Requests that begin in the next turn. */
let beginning: (() => void)[] = [];
/** Work that lets others go first. */
const resting: (() => void)[] = [];
/** When requests last began or continued; never, in hosts that do not begin them together. */
let beganMs = Number.POSITIVE_INFINITY;

/**
 * Waits until all requests that arrive in this turn of the event loop are read. They then run side by side: each step
 * of the code runs for one after the other, and so are their answers sent. An answer wakes its reader, if that is on
 * the same machine and not awake yet, which takes as long as everything else about a small request.
 */
export function beginTogether(): Promise<void> {
  return new Promise((resolve) => {
    if (beginning.push(resolve) === 1) setImmediate(beginAll);
  });
}

/** Begins a request by itself: its answer is sent before the next request begins. */
export function beginAlone(): void {
  beganMs = performance.now();
}

function beginAll(): void {
  const ready = beginning;
  beginning = [];
  beganMs = performance.now();
  for (const begin of ready) begin();
}

/**
 * Does work that keeps others waiting: at once, or in one of the next turns if requests have run side by side for
 * long, so that they can send their answers before. Work that waits is done in its order.
 */
export function inTurn<R>(work: () => Promise<R>): Promise<R> {
  if (resting.length === 0 && performance.now() - beganMs < TOGETHER_MS) return work();
  return new Promise((resolve) => {
    if (resting.push(() => resolve(work())) === 1) setImmediate(continueWaiting);
  });
}

/** Does as much of the waiting work as may be done in one turn, and at least one piece of it. */
function continueWaiting(): void {
  beganMs = performance.now();
  do resting.shift()?.();
  while (resting.length > 0 && performance.now() - beganMs < TOGETHER_MS);
  if (resting.length > 0) setImmediate(continueWaiting);
}

/** How much work waits for its turn. */
export function waitingWork(): number {
  return resting.length;
}
