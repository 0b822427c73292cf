import { setImmediate } from 'node:timers/promises';

/** A loop over `count` items, which can be run in parts, one after the other. */
export interface Loop {
  readonly count: number;
  /** About how many numbers one item reads or writes. */
  readonly cost: number;
  /** Runs the items `from` to `to` (exclusive). */
  readonly run: (from: number, to: number) => void;
}

/**
 * Work that yields its loops one after the other and returns its result. Each loop must be run before the work
 * continues.
 */
export type Work<T> = Generator<Loop, T, undefined>;

/** Does all the work at once. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    step.value.run(0, step.value.count);
  }
}

export interface TurnOptions {
  /** A clock, in ms. */
  readonly now?: () => number;
  /** The cost of the items between two looks at the clock: 1 to 10 ms. */
  readonly partCost?: number;
}

/** How long one request may keep the others waiting. */
const TURN_MS = 25;

/**
 * Does the work and lets other requests run after every 25 ms. Shorter work is done before this returns.
 *
 * @param goOn called after each pause; if it throws, the work ends with that error
 */
export async function runInTurns<T>(
  work: Work<T>,
  goOn: () => void,
  { now = () => performance.now(), partCost = 2 ** 20 }: TurnOptions = {},
): Promise<T> {
  let since = now();
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    const { count, cost, run } = step.value;
    const most = Math.max(1, Math.floor(partCost / cost));
    for (let from = 0; from < count; from += most) {
      run(from, Math.min(from + most, count));
      if (now() - since < TURN_MS) continue;
      await setImmediate();
      goOn();
      since = now();
    }
  }
}
