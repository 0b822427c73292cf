import { watchNpm } from './npm-parent.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Why a server ends: a signal, or the npm that runs it has ended. */
export type End = (typeof SIGNALS)[number] | 'npm';

/** How long `npm start` still takes requests after SIGTERM, and `ternion serve` unless --grace says otherwise. */
export const GRACE_SECONDS = 5;

/** A terminal signals all that runs in it, and npm passes its own signal on once more. */
const PASSED_ON_MS = 1_000;

/** Resolves when the server is to end. The next signal ends the process at once, as it would have without us. */
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

/** Whoever presses Ctrl-C waits for it; a platform that sends SIGTERM goes on sending requests for a while. */
export function graceOf(end: End, graceMs: number): number {
  return end === 'SIGINT' ? 0 : graceMs;
}
