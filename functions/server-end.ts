import { watchNpm } from './npm-parent.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Why a server ends: a signal, or the end of the npm that runs it. */
export type End = (typeof SIGNALS)[number] | 'npm';

/** How long `npm start`, and by default `ternion serve`, accept requests after SIGTERM. */
export const GRACE_SECONDS = 5;

/** A terminal sends a signal to all its processes, and npm passes its own on: within this time both count as one. */
const PASSED_ON_MS = 1_000;

/** Resolves when the server should end. The next signal ends the process at once, as it would by default. */
export function nextEnd(): Promise<End> {
  return new Promise((resolve) => {
    const giveBack = () => {
      for (const signal of SIGNALS) process.off(signal, end);
    };
    const end = (why: End) => {
      resolve(why);
      if (hasNpm) setTimeout(giveBack, PASSED_ON_MS).unref();
      else giveBack();
    };
    for (const signal of SIGNALS) process.on(signal, end);
    const hasNpm = watchNpm(process.env, () => end('npm'));
  });
}

/** A person who presses Ctrl-C waits for the end; a platform that sends SIGTERM keeps sending requests for a while. */
export function graceOf(end: End, graceMs: number): number {
  return end === 'SIGINT' ? 0 : graceMs;
}
