import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { HttpFunction } from '../http-function.ts';

/** How long there must be no request. */
const IDLE_MS = 1_000;
/** How much the process must have grown since the last collection to be worth another. */
const GROWTH = 1.1;

/**
 * The function, with garbage collected once nothing is asked of it. V8 collects as more is allocated: what a burst of
 * requests has left would stay in memory until the next one, a hundred megabytes and more. Not for hosts that freeze an
 * idle instance, where the collection would come with the next request.
 *
 * @param collect frees what can be freed
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

/** The collector that V8 has for tests; it needs no flag of the process this way. */
function exposeCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: NodeJS.GCFunction = runInNewContext('gc');
  // This flavor also gives free pages back to the system.
  return () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
