import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Processor } from '../../../shared/processors/processor.ts';
import { bindStep, refusalOf } from '../../support/features/look-up.ts';

/** Longer than a request may take by default. */
const LONG_MS = 3_600_000;
const LATE = ['DEADLINE_EXCEEDED', 'The step "s" did not end within the time of the request.'];

describe('a step whose request has no more time', () => {
  beforeEach(() => {
    // Only the clock: timers run as they always do.
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
  });

  const pass = () => vi.advanceTimersByTime(LONG_MS);
  const ends: readonly (readonly [string, NonNullable<Processor['before']>])[] = [
    [
      'returns',
      (rows) => {
        pass();
        return rows;
      },
    ],
    [
      'returns a promise that is settled before a timer can fire',
      async (rows) => {
        pass();
        return rows;
      },
    ],
    [
      'returns a promise that never settles, so that the timer fires first',
      () => {
        pass();
        return new Promise(() => {});
      },
    ],
    [
      'throws',
      () => {
        pass();
        throw new Error('broken');
      },
    ],
  ];

  describe.each([{ timeMs: 1000 }, {}])('of %o', (request) => {
    it.each(ends)('is what took too long, if it %s', async (_, before) => {
      const run = await bindStep({ name: 's', before }, {});
      expect((await refusalOf(run([[1]], request))).slice(0, 2)).toEqual(LATE);
    });
  });

  it.each(ends.filter(([name]) => !name.includes('never')))(
    'does not count as slow if the client has left as well, and it %s',
    async (_, before) => {
      const client = new AbortController();
      const leave: typeof before = (...given) => {
        client.abort();
        return before(...given);
      };
      const run = await bindStep({ name: 's', before: leave }, {});
      expect((await refusalOf(run([[1]], { signal: client.signal })))[0]).toBe('CLIENT_GONE');
    },
  );
});
