import type { Session } from '../runtime/session.ts';

export interface TimedSession {
  readonly session: Session;
  /** What was measured from a moment on: before the first run, inside all runs, and after the last one. */
  measure(startMs: number): { readonly inputMs: number; readonly runMs: number; readonly outputMs: number };
}

/** The session with a stopwatch around its runs. */
export function timeRuns(session: Session): TimedSession {
  let runMs = 0;
  let firstStartMs: number | undefined;
  const run: Session['run'] = async (feeds, fetches) => {
    const startMs = performance.now();
    firstStartMs ??= startMs;
    try {
      return await session.run(feeds, fetches);
    } finally {
      runMs += performance.now() - startMs;
    }
  };
  return {
    session: { ...session, run },
    measure: (startMs) => {
      const endMs = performance.now();
      const inputMs = (firstStartMs ?? endMs) - startMs;
      return { inputMs, runMs, outputMs: Math.max(0, endMs - startMs - inputMs - runMs) };
    },
  };
}
