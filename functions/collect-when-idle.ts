import { type ProcessMemory, processMemory } from '../shared/runtime/process-memory.ts';
import type { HttpFunction } from './http-function.ts';

/** How long the server must be without requests: after a collection, requests take twice as long for about a second. */
const IDLE_MS = 10_000;
/** How much the process must have grown since the last collection for another one. */
const GROWTH = 1.1;

/**
 * The function, with a garbage collection once there are no requests. V8 collects only when more is allocated, and the
 * C library keeps what native code has freed, so a hundred megabytes and more from a burst of requests would stay in
 * memory until the next one. Not for hosts that freeze an idle instance: there the collection would delay the next
 * request.
 */
export function collectWhenIdle(handle: HttpFunction, memory: ProcessMemory = processMemory): HttpFunction {
  let running = 0;
  let settledBytes = 0;
  const rest = async () => {
    if (running > 0 || memory.residentBytes() < settledBytes * GROWTH) return;
    memory.collect(true);
    await memory.trim();
    settledBytes = memory.residentBytes();
  };
  // The models that were loaded at the start have left garbage, too.
  const timer = setTimeout(() => void rest(), IDLE_MS).unref();
  return async (request, response) => {
    running += 1;
    try {
      await handle(request, response);
    } finally {
      running -= 1;
      timer.refresh();
    }
  };
}
