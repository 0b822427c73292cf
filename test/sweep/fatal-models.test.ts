import { describe, expect, it } from 'vitest';
import { FATAL_MODELS } from './fatal-models.ts';
import { watchChild } from './watch-child.ts';

/** A hang takes this much processor time before it counts as one. */
const HANG_MS = 1_000;

// Where one of these fails after an upgrade, the runtime got better and the guard of that operator can go.
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('ONNX Runtime 1.30.0 alone', () => {
  it.each(FATAL_MODELS)(
    'ends its process with $ending: $operator, $cause',
    async ({ ending, isLoading, needsChecks, model, feeds }) => {
      const job = {
        units: [{ operator: '', model, feeds, isAlone: true, isBrief: false }],
        start: { unit: 0, condition: 0 },
        skip: [],
        hasArena: !needsChecks,
      };
      const watched = await watchChild(job, HANG_MS);
      expect(watched.lines).toEqual(isLoading ? ['u 0'] : ['u 0', 'loaded', 'r 0 0 0']);
      expect(watched.ending === 'hang' ? 'hang' : watched.signal).toBe(ending);
    },
  );
});
