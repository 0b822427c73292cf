import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { HttpFunction } from '../http-function.ts';

/** How long the server must be without requests. */
const IDLE_MS = 1_000;
/** How much the process must have grown since the last collection for another one. */
const GROWTH = 1.1;

/**
 * The function, with a garbage collection once there are no requests. V8 collects only when more is allocated, so a
 * hundred megabytes and more from a burst of requests would stay in memory until the next one. Not for hosts that
 * freeze an idle instance: there the collection would delay the next request.
 *
 * @param collect frees unused memory
 * @param rss memory of the process, in bytes
 */
export function collectWhenIdle(
  handle: HttpFunction,
  collect: () => void = exposeCollector(),
  rss: () => number = process.memoryUsage.rss,
): HttpFunction {
  let running = 0;
  let settledBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  const rest = () => {
    if (running > 0 || rss() < settledBytes * GROWTH) return;
    collect();
    settledBytes = rss();
  };
  return async (request, response) => {
    running += 1;
    try {
      await handle(request, response);
    } finally {
      running -= 1;
      timer = timer?.refresh() ?? setTimeout(rest, IDLE_MS).unref();
    }
  };
}

/** The collector that V8 has for tests, made available without a command-line flag. */
function exposeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: NodeJS.GCFunction = runInNewContext('gc');
  // This flavor also gives free pages back to the system.
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
