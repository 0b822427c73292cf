import { createMemoryLimit } from './memory-limit.ts';
import type { ProcessMemory } from './process-memory.ts';

/** Something heavy that is kept in memory, such as a model with its session. */
export interface Cacheable {
  /** What it counts against the budget, at least. */
  readonly sizeBytes: number;
  release(): Promise<void>;
}

/** A value could not be loaded; `cause` says why. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** Until it is tried again. */
  readonly retryAfterMs: number;

  constructor(cause: unknown, retryAfterMs: number) {
    super('the value could not be loaded', { cause });
    this.retryAfterMs = retryAfterMs;
  }
}

export interface SessionCacheOptions {
  /** Idle values beyond this many bytes are released, the one used longest ago first. */
  readonly budgetBytes: number;
  /**
   * The memory of the process. After a load it may have grown by as much as the budget since before the first load;
   * idle values are released as long as it has grown by more. By default, only the sizes of the values count.
   */
  readonly memory?: ProcessMemory | undefined;
  /** Pause after the first failed load; it doubles with each further one, up to `longestPauseMs`. */
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Called with values that could not be released, as nobody waits for a release. */
  readonly onReleaseError?: (key: string, error: unknown) => void;
}

export interface SessionCache<T extends Cacheable> {
  /**
   * Runs `use` with the value of a key, loading it first if needed. Concurrent calls share one load. The value cannot
   * be released while `use` runs. A failed load is not retried before its pause is over.
   *
   * @param wait waits for the value; if it throws before the value is loaded, the load continues for later calls
   * @throws LoadError, also for later calls until the pause is over; errors of `use` and `wait`
   */
  use<R>(
    key: string,
    load: () => Promise<T>,
    use: (value: T) => Promise<R> | R,
    wait?: (value: Promise<T>) => Promise<T>,
  ): Promise<R>;
  /** Counts as a use of a value that is in memory: others are released before it. */
  touch(key: string): void;
  /** `loaded`, `loading` or `failed`, or undefined for a key that was never used, or evicted since. */
  state(key: string): CacheState | undefined;
  /** Values in memory, with the sum of their sizes. */
  loaded(): { readonly count: number; readonly bytes: number };
  /** Forgets a key; its value is released when its last use ends. */
  drop(key: string): Promise<void>;
  /** Releases all idle values; those in use follow when their last use ends. */
  clear(): Promise<void>;
}

export type CacheState = 'loading' | 'loaded' | 'failed';

interface Entry<T> {
  readonly value: Promise<T>;
  /** Set once it is loaded, so that requests do not wait for a loaded value. */
  loaded: T | undefined;
  state: CacheState;
  sizeBytes: number;
  uses: number;
  failures: number;
  retryAtMs: number;
  evicted: boolean;
}

/** A cache of loaded models: one load per key at a time, least recently used first out, never evicted while in use. */
export function createSessionCache<T extends Cacheable>(options: SessionCacheOptions): SessionCache<T> {
  const {
    budgetBytes,
    memory,
    firstPauseMs = 1_000,
    longestPauseMs = 60_000,
    now = () => performance.now(),
  } = options;
  // A Map keeps insertion order: entries are put back at the end when used, so the first is the oldest.
  const entries = new Map<string, Entry<T>>();
  /** The key at the end. */
  let latest: string | undefined;
  /** The sum of the sizes of the entries: a request must not walk all entries. */
  let totalBytes = 0;
  const limit = memory && createMemoryLimit(memory, budgetBytes);
  /** Whether a value was loaded since the memory of the process was last compared with the budget. */
  let hasLoaded = false;
  /** The key whose use ended last. Its value stays even if it alone is too large: the next request would load it again. */
  let justUsed: string | undefined;

  function startLoad(key: string, load: () => Promise<T>, failures: number): Entry<T> {
    limit?.start();
    const entry: Entry<T> = {
      // Called in a promise, so that a load that throws synchronously also becomes a rejection.
      value: Promise.resolve().then(load),
      loaded: undefined,
      state: 'loading',
      sizeBytes: 0,
      uses: 0,
      failures,
      retryAtMs: 0,
      evicted: false,
    };
    entry.value.then(
      (value) => {
        entry.state = 'loaded';
        entry.loaded = value;
        entry.failures = 0;
        if (!entry.evicted) {
          entry.sizeBytes = value.sizeBytes;
          totalBytes += value.sizeBytes;
          hasLoaded = true;
        }
        // The caller may no longer be waiting.
        if (entry.uses === 0) void settle(key, entry);
      },
      () => {
        entry.state = 'failed';
        entry.failures += 1;
        entry.retryAtMs = now() + Math.min(firstPauseMs * 2 ** (entry.failures - 1), longestPauseMs);
      },
    );
    // A failed entry with this key would keep its old position.
    entries.delete(key);
    entries.set(key, entry);
    latest = key;
    return entry;
  }

  function currentEntry(key: string, load: () => Promise<T>): Entry<T> {
    const entry = entries.get(key);
    if (!entry) return startLoad(key, load, 0);
    if (entry.state === 'failed' && now() >= entry.retryAtMs) return startLoad(key, load, entry.failures);
    moveToEnd(key, entry);
    return entry;
  }

  function moveToEnd(key: string, entry: Entry<T>): void {
    if (key === latest) return;
    entries.delete(key);
    entries.set(key, entry);
    latest = key;
  }

  async function release(key: string, entry: Entry<T>): Promise<void> {
    entry.evicted = true;
    if (entries.get(key) === entry) {
      entries.delete(key);
      totalBytes -= entry.sizeBytes;
    }
    if (entry.uses > 0 || entry.state !== 'loaded') return;
    try {
      await (await entry.value).release();
    } catch (error) {
      options.onReleaseError?.(key, error);
    }
  }

  /** Releases idle values, the one used longest ago first, until it is enough. */
  function releaseOldest(isEnough: (count: number) => boolean): Promise<void>[] {
    const releases: Promise<void>[] = [];
    for (const [key, entry] of entries) {
      if (isEnough(releases.length)) break;
      if (key === justUsed || entry.uses > 0 || entry.state !== 'loaded') continue;
      // All are removed from the map before waiting for any of them: other calls must not count them meanwhile.
      releases.push(release(key, entry));
    }
    return releases;
  }

  async function keepWithinBudget(): Promise<void> {
    await Promise.all(releaseOldest(() => totalBytes <= budgetBytes));
    if (!hasLoaded) return;
    hasLoaded = false;
    await limit?.keep({
      releaseOldest: (most) => releaseOldest((count) => count >= most),
      areInUse: () => [...entries].some(([key, { uses }]) => uses > 0 && key !== justUsed),
    });
  }

  /** After a use, or a load that nobody waits for any longer. Undefined if there is nothing to release. */
  function settle(key: string, entry: Entry<T>): Promise<unknown> | undefined {
    if (entry.evicted) return release(key, entry);
    justUsed = key;
    return hasLoaded || totalBytes > budgetBytes ? keepWithinBudget() : undefined;
  }

  function loadedOf(entry: Entry<T>): Promise<T> {
    const loaded = entry.value.catch((error: unknown) => {
      throw new LoadError(error, Math.max(0, entry.retryAtMs - now()));
    });
    // All callers may be gone by now, so nobody would receive this error.
    loaded.catch(() => undefined);
    return loaded;
  }

  return {
    use: async (key, load, use, wait = (value) => value) => {
      const entry = currentEntry(key, load);
      entry.uses += 1;
      try {
        return await use(entry.loaded ?? (await wait(loadedOf(entry))));
      } finally {
        entry.uses -= 1;
        const releases = settle(key, entry);
        if (releases !== undefined) await releases;
      }
    },
    touch: (key) => {
      const entry = entries.get(key);
      if (entry) moveToEnd(key, entry);
    },
    state: (key) => entries.get(key)?.state,
    loaded: () => ({
      count: [...entries.values()].filter(({ state }) => state === 'loaded').length,
      bytes: totalBytes,
    }),
    drop: async (key) => {
      const entry = entries.get(key);
      if (entry) await release(key, entry);
    },
    clear: async () => {
      await Promise.all([...entries].map(([key, entry]) => release(key, entry)));
    },
  };
}
