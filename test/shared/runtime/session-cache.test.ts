import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  type Cacheable,
  createSessionCache,
  LoadError,
  type SessionCacheOptions,
} from '../../../shared/runtime/session-cache.ts';

interface Value extends Cacheable {
  readonly key: string;
}

/** A cache of values that note when they are loaded and released, on a clock that the test moves. */
function makeCache(options: Partial<SessionCacheOptions> = {}) {
  const events: string[] = [];
  const clock = { nowMs: 0 };
  const cache = createSessionCache<Value>({
    budgetBytes: 100,
    firstPauseMs: 1_000,
    longestPauseMs: 60_000,
    now: () => clock.nowMs,
    ...options,
  });
  const makeValue = (key: string, sizeBytes: number): Value => ({
    key,
    sizeBytes,
    release: async () => {
      events.push(`release ${key}`);
    },
  });
  const load = (key: string, sizeBytes: number) => async () => {
    events.push(`load ${key}`);
    return makeValue(key, sizeBytes);
  };
  const touch = (key: string, sizeBytes = 40) => cache.use(key, load(key, sizeBytes), (value) => value.key);
  return { cache, clock, events, load, makeValue, touch };
}

function failing(message: string) {
  return async (): Promise<Value> => {
    throw new Error(message);
  };
}

describe('use', () => {
  it('loads a key once and gives the result of the use of its value', async () => {
    const { cache, events, load, touch } = makeCache();
    expect(await touch('a')).toBe('a');
    expect(await cache.use('a', load('a', 40), async ({ sizeBytes }) => sizeBytes)).toBe(40);
    expect(events).toEqual(['load a']);
    expect(cache.state('a')).toBe('loaded');
  });

  it('shares one load among calls at the same time', async () => {
    const { cache, events, makeValue } = makeCache();
    const { promise, resolve } = Promise.withResolvers<Value>();
    let loads = 0;
    const uses = Array.from({ length: 5 }, () =>
      cache.use(
        'a',
        () => {
          loads++;
          return promise;
        },
        ({ key }) => key,
      ),
    );
    expect(cache.state('a')).toBe('loading');
    resolve(makeValue('a', 1));
    expect(await Promise.all(uses)).toEqual(['a', 'a', 'a', 'a', 'a']);
    expect(loads).toBe(1);
    expect(events).toEqual([]);
  });

  it('fails all calls that wait for a load that fails', async () => {
    const { cache } = makeCache();
    const uses = ['x', 'y'].map(() => cache.use('a', failing('broken'), () => 1));
    for (const use of uses) expect((await failureOf(use)).cause).toEqual(new Error('broken'));
  });

  it('turns a load that throws at once into a rejection', async () => {
    const { cache } = makeCache();
    const use = cache.use(
      'a',
      () => {
        throw new Error('at once');
      },
      () => 1,
    );
    expect((await failureOf(use)).cause).toEqual(new Error('at once'));
    expect(cache.state('a')).toBe('failed');
  });

  it('passes on what the user throws and keeps the value', async () => {
    const { cache, events, load, touch } = makeCache();
    const use = cache.use('a', load('a', 1), () => {
      throw new Error('of the user');
    });
    await expect(use).rejects.toThrow('of the user');
    expect(cache.state('a')).toBe('loaded');
    await touch('a');
    expect(events).toEqual(['load a']);
  });
});

describe('the budget', () => {
  it('releases the value that was used longest ago', async () => {
    const { cache, events, touch } = makeCache({ budgetBytes: 100 });
    for (const key of ['a', 'b', 'a', 'c']) await touch(key);
    expect(events).toEqual(['load a', 'load b', 'load c', 'release b']);
    expect(['a', 'b', 'c'].map(cache.state)).toEqual(['loaded', undefined, 'loaded']);
  });

  it('spares a value that is in memory and counts as used', async () => {
    const { cache, events, touch } = makeCache({ budgetBytes: 100 });
    for (const key of ['a', 'b']) await touch(key);
    cache.touch('a');
    cache.touch('never loaded');
    await touch('c');
    expect(events).toEqual(['load a', 'load b', 'load c', 'release b']);
    expect(cache.state('never loaded')).toBeUndefined();
  });

  it('may be used to the last byte', async () => {
    const { events, touch } = makeCache({ budgetBytes: 80 });
    for (const key of ['a', 'b']) await touch(key);
    expect(events).toEqual(['load a', 'load b']);
  });

  it('releases as many values as needed', async () => {
    const { events, touch } = makeCache({ budgetBytes: 100 });
    for (const key of ['a', 'b']) await touch(key);
    await touch('large', 90);
    expect(events.slice(3)).toEqual(['release a', 'release b']);
  });

  it('never releases the value that was just used, even if it alone is too large', async () => {
    const { cache, events, touch } = makeCache({ budgetBytes: 10 });
    await touch('a', 500);
    await touch('a', 500);
    expect(events).toEqual(['load a']);
    await touch('b', 500);
    expect(events).toEqual(['load a', 'load b', 'release a']);
    expect(cache.state('b')).toBe('loaded');
  });

  it('never releases a value that is in use', async () => {
    const { cache, events, load, touch } = makeCache({ budgetBytes: 50 });
    const { promise: work, resolve: finish } = Promise.withResolvers<string>();
    const use = cache.use('a', load('a', 40), () => work);
    await tick();
    await touch('b');
    await touch('c');
    expect(events).toEqual(['load a', 'load b', 'load c', 'release b']);
    finish('done');
    expect(await use).toBe('done');
    // Its own use ended last, so it is the one just used.
    expect(events.slice(4)).toEqual(['release c']);
    expect(cache.state('a')).toBe('loaded');
  });

  it('releases no more than needed when uses end at the same time', async () => {
    const { cache, events, load, touch } = makeCache({ budgetBytes: 1_000 });
    for (const key of ['a', 'b', 'c', 'd']) await touch(key, 250);
    const works = ['e', 'f'].map((key) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { use: cache.use(key, load(key, 250), () => promise), resolve };
    });
    await tick();
    for (const { resolve } of works) resolve();
    await Promise.all(works.map(({ use }) => use));
    expect(events.filter((event) => event.startsWith('release'))).toEqual(['release a', 'release b']);
  });

  it('does not count a value that was dropped, nor one that was dropped before it was loaded', async () => {
    const { cache, events, makeValue, touch } = makeCache({ budgetBytes: 100 });
    await touch('a', 60);
    await cache.drop('a');
    const { promise, resolve } = Promise.withResolvers<Value>();
    const use = cache.use(
      'b',
      () => promise,
      ({ key }) => key,
    );
    await cache.drop('b');
    resolve(makeValue('b', 60));
    await use;
    for (const key of ['c', 'd']) await touch(key, 50);
    expect(events.slice(2)).toEqual(['release b', 'load c', 'load d']);
  });

  it('loads a value again that was released', async () => {
    const { events, touch } = makeCache({ budgetBytes: 50 });
    for (const key of ['a', 'b', 'a']) await touch(key);
    expect(events).toEqual(['load a', 'load b', 'release a', 'load a', 'release b']);
  });
});

describe('the memory of the process', () => {
  /** A process that takes 30 bytes for each loaded value, although a value says that it has 1. */
  function makeProcess() {
    const counts = { reads: 0 };
    const made = makeCache({
      budgetBytes: 100,
      memory: {
        residentBytes: () => {
          counts.reads += 1;
          const loaded = made.events.filter((event) => event.startsWith('load')).length;
          return 1_000 + 30 * (2 * loaded - made.events.length);
        },
        collect: () => undefined,
        trim: async () => true,
      },
    });
    return { ...made, counts };
  }

  it('counts beside the sizes of the values', async () => {
    const { events, touch } = makeProcess();
    for (const key of ['a', 'b', 'c']) await touch(key, 1);
    expect(events).toEqual(['load a', 'load b', 'load c']);
    await touch('a', 1);
    await touch('d', 1);
    expect(events.slice(3)).toEqual(['load d', 'release b']);
  });

  it('never makes it release what is in use, or was just used', async () => {
    const { cache, events, load, touch } = makeProcess();
    const { promise: work, resolve: finish } = Promise.withResolvers<void>();
    const uses = ['a', 'b', 'c'].map((key) => cache.use(key, load(key, 1), () => work));
    await tick();
    await touch('d', 1);
    expect(events).toEqual(['load a', 'load b', 'load c', 'load d']);
    finish();
    await Promise.all(uses);
    await touch('e', 1);
    expect(events.slice(4)).toEqual(['load e', 'release a', 'release b']);
  });

  it('is not looked at by a request that loads nothing', async () => {
    const { touch, counts } = makeProcess();
    for (const key of ['a', 'b']) await touch(key, 1);
    const { reads } = counts;
    for (let uses = 0; uses < 100; uses++) await touch('a', 1);
    expect(counts.reads).toBe(reads);
  });
});

describe('a failed load', () => {
  it('is not tried again before its pause is over', async () => {
    const { cache, clock, touch } = makeCache({ firstPauseMs: 1_000 });
    const first = await failureOf(cache.use('a', failing('first'), () => 1));
    expect([first.cause, first.retryAfterMs]).toEqual([new Error('first'), 1_000]);
    expect(cache.state('a')).toBe('failed');
    clock.nowMs = 999;
    const second = await failureOf(touch('a'));
    expect([second.cause, second.retryAfterMs]).toEqual([new Error('first'), 1]);
    clock.nowMs = 1_000;
    expect(await touch('a')).toBe('a');
    expect(cache.state('a')).toBe('loaded');
  });

  it('makes the next pause twice as long, up to the longest', async () => {
    const { cache, clock } = makeCache({ firstPauseMs: 1_000, longestPauseMs: 5_000 });
    const pauses: number[] = [];
    for (let failure = 0; failure < 5; failure++) {
      const { retryAfterMs } = await failureOf(cache.use('a', failing('again'), () => 1));
      pauses.push(retryAfterMs);
      clock.nowMs += retryAfterMs;
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  it('counts from the start again after a load that worked', async () => {
    const { cache, clock, touch } = makeCache({ budgetBytes: 50 });
    await failureOf(cache.use('a', failing('first'), () => 1));
    clock.nowMs = 1_000;
    await touch('a');
    await touch('b');
    expect(cache.state('a')).toBeUndefined();
    expect((await failureOf(cache.use('a', failing('later'), () => 1))).retryAfterMs).toBe(1_000);
  });

  it('is reported also where the key was dropped meanwhile', async () => {
    const { cache } = makeCache();
    const use = cache.use('a', failing('broken'), () => 1);
    await cache.drop('a');
    expect((await failureOf(use)).cause).toEqual(new Error('broken'));
  });

  it('takes nothing from the budget and affects no other key', async () => {
    const { cache, events, touch } = makeCache({ budgetBytes: 80 });
    await touch('a');
    await failureOf(cache.use('b', failing('broken'), () => 1));
    await touch('c');
    expect(events).toEqual(['load a', 'load c']);
  });

  it('counts as used when it is tried again', async () => {
    const { cache, clock, events, touch } = makeCache({ budgetBytes: 80 });
    await failureOf(cache.use('a', failing('broken'), () => 1));
    await touch('b');
    clock.nowMs = 1_000;
    await touch('a');
    await touch('c');
    expect(events).toEqual(['load b', 'load a', 'load c', 'release b']);
  });

  it('shares its second try among calls at the same time', async () => {
    const { cache, clock, events, touch } = makeCache();
    await failureOf(cache.use('a', failing('broken'), () => 1));
    clock.nowMs = 1_000;
    expect(await Promise.all([touch('a'), touch('a')])).toEqual(['a', 'a']);
    expect(events).toEqual(['load a']);
  });
});

describe('release errors', () => {
  it('are reported and reach no user', async () => {
    const reports: string[] = [];
    const { cache, touch } = makeCache({
      budgetBytes: 50,
      onReleaseError: (key, error) => reports.push(`${key}: ${error}`),
    });
    const stuck: Value = {
      key: 'stuck',
      sizeBytes: 40,
      release: () => Promise.reject(new Error('will not go')),
    };
    await cache.use(
      'stuck',
      async () => stuck,
      () => 1,
    );
    expect(await touch('b')).toBe('b');
    expect(reports).toEqual(['stuck: Error: will not go']);
    expect(cache.state('stuck')).toBeUndefined();
  });
});

describe('clear', () => {
  it('releases all that is idle', async () => {
    const { cache, events, touch } = makeCache();
    for (const key of ['a', 'b']) await touch(key);
    await cache.clear();
    expect(events).toEqual(['load a', 'load b', 'release a', 'release b']);
    expect(cache.state('a')).toBeUndefined();
  });

  it('releases what is in use when its last use ends, once', async () => {
    const { cache, events, load } = makeCache();
    const works = [0, 1].map(() => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { use: cache.use('a', load('a', 1), () => promise), resolve };
    });
    await tick();
    await cache.clear();
    expect(events).toEqual(['load a']);
    works[0]?.resolve();
    await works[0]?.use;
    expect(events).toEqual(['load a']);
    works[1]?.resolve();
    await works[1]?.use;
    expect(events).toEqual(['load a', 'release a']);
  });

  it('releases what is still loading after the calls that wait for it', async () => {
    const { cache, events, makeValue } = makeCache();
    const { promise, resolve } = Promise.withResolvers<Value>();
    const use = cache.use(
      'a',
      () => promise,
      ({ key }) => key,
    );
    await cache.clear();
    resolve(makeValue('a', 1));
    expect(await use).toBe('a');
    expect(events).toEqual(['release a']);
  });

  it('lets keys be loaded again', async () => {
    const { cache, events, touch } = makeCache();
    await touch('a');
    await cache.clear();
    await touch('a');
    expect(events).toEqual(['load a', 'release a', 'load a']);
  });
});

/** The error that a use of a key is rejected with. */
async function failureOf(use: Promise<unknown>): Promise<LoadError> {
  const error = await use.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof LoadError) return error;
  throw new Error('the use did not fail to load', { cause: error });
}

describe('a load that nobody waits for', () => {
  /** Asks for a value, and gives up before it is there. */
  async function giveUp({ cache, makeValue }: ReturnType<typeof makeCache>, key: string) {
    const { promise, resolve } = Promise.withResolvers<Value>();
    const used = cache.use(
      key,
      () => promise,
      () => 'used',
      async () => {
        throw new Error('no time');
      },
    );
    await expect(used).rejects.toThrow('no time');
    return async () => {
      resolve(makeValue(key, 60));
      await tick();
    };
  }

  it('serves later calls', async () => {
    const made = makeCache();
    const finish = await giveUp(made, 'a');
    expect(made.cache.state('a')).toBe('loading');
    await finish();
    expect(await made.touch('a')).toBe('a');
    expect(made.events).toEqual([]);
  });

  it('counts against the budget', async () => {
    const made = makeCache();
    const finish = await giveUp(made, 'a');
    await made.touch('b', 60);
    await finish();
    expect(made.events).toEqual(['load b', 'release b']);
  });

  it('is released where its key was dropped meanwhile', async () => {
    const made = makeCache();
    const finish = await giveUp(made, 'a');
    await made.cache.drop('a');
    await finish();
    expect(made.events).toEqual(['release a']);
  });

  it('is tried again after a pause where it failed', async () => {
    const { cache, clock, touch } = makeCache();
    const gaveUp = async () => {
      throw new Error('no time');
    };
    await expect(cache.use('a', failing('broken'), () => '', gaveUp)).rejects.toThrow('no time');
    await tick();
    await expect(touch('a')).rejects.toBeInstanceOf(LoadError);
    clock.nowMs += 1_000;
    expect(await touch('a')).toBe('a');
  });
});
