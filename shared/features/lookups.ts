import { unavailable } from '../processors/processor.ts';
import type { EntityKey, FeaturePlan, FeatureStore, StoredValue } from './feature-store.ts';

export interface LookupSettings {
  /** How long what a store had is used again; 0 for never. */
  readonly cacheSeconds: number;
  /** Most entities that are kept. */
  readonly cacheEntities: number;
  /** Longest time that a request waits for the store. */
  readonly timeoutMs: number;
}

/** What of the context of a step look-ups use. */
export interface LookupContext {
  readonly signal: AbortSignal;
  readonly count: (name: string, by?: number) => void;
  readonly observe: (name: string, value: number) => void;
}

/** The values of the features of one entity, in the order of the plan. */
type Values = readonly StoredValue[];

export interface Lookups {
  /**
   * Finds entities, first of all among those that were looked up before.
   *
   * @param planId the same for plans with the same entity and features
   * @returns for each key its values
   * @throws what `unavailable` makes when it takes too long; the reason of the signal; what the store throws
   */
  find(
    plan: FeaturePlan,
    planId: number,
    keys: readonly EntityKey[],
    context: LookupContext,
  ): Promise<readonly Values[]>;
}

/** One question to the store, for which several requests can wait. */
interface Batch {
  readonly found: Promise<ReadonlyMap<string, Values>>;
  /** A request waits for it. */
  readonly join: () => void;
  /** A request does not wait any more. A question for which nobody waits ends. */
  readonly leave: () => void;
}

/** An entity as the cache keeps it. */
interface Kept {
  readonly values: Values;
  readonly untilMs: number;
}

export function createLookups(store: FeatureStore, settings: LookupSettings): Lookups {
  const cache = createCache(settings);
  const running = new Map<string, Batch>();

  const ask = (plan: FeaturePlan, wanted: ReadonlyMap<string, EntityKey>): Batch => {
    const ids = [...wanted.keys()];
    const controller = new AbortController();
    let waiting = 0;
    let isOver = false;
    const forget = () => {
      isOver = true;
      for (const id of ids) if (running.get(id) === batch) running.delete(id);
    };
    const read = async () => {
      try {
        const rows = await plan.read([...wanted.values()], controller.signal);
        if (rows.length !== ids.length)
          throw new Error(`${store.title} gave ${rows.length} entities for ${ids.length}`);
        return new Map(ids.map((id, index) => [id, cache.put(id, rows[index] ?? [])]));
      } finally {
        forget();
      }
    };
    const batch: Batch = {
      found: Promise.resolve().then(read),
      join: () => {
        waiting += 1;
      },
      leave: () => {
        waiting -= 1;
        if (waiting > 0 || isOver) return;
        forget();
        controller.abort(new Error('nobody waits for it'));
      },
    };
    // All that wait may have left before it fails.
    batch.found.catch(() => undefined);
    for (const id of ids) running.set(id, batch);
    return batch;
  };

  return {
    find: async (plan, planId, keys, context) => {
      const ids = keys.map((key) => `${planId} ${plan.identify(key)}`);
      const known = new Map<string, Values>();
      const wanted = new Map<string, EntityKey>();
      const batches = new Set<Batch>();
      let missed = 0;
      for (const [id, key] of new Map(keys.map((each, index) => [ids[index] ?? '', each]))) {
        const values = cache.get(id);
        if (values !== undefined) {
          known.set(id, values);
          continue;
        }
        missed += 1;
        const batch = running.get(id);
        if (batch === undefined) wanted.set(id, key);
        else batches.add(batch);
      }
      if (known.size > 0) context.count('features_hits', known.size);
      if (missed > 0) {
        context.count('features_misses', missed);
        if (wanted.size > 0) batches.add(ask(plan, wanted));
        const startMs = performance.now();
        try {
          for (const found of await waitFor(batches, context.signal, store.title, settings.timeoutMs)) {
            for (const [id, values] of found) known.set(id, values);
          }
        } finally {
          context.observe('features_ms', performance.now() - startMs);
        }
      }
      return ids.map((id) => known.get(id) ?? []);
    },
  };
}

/** Waits for questions until they are answered, the time is over, or the request is. */
async function waitFor(
  batches: ReadonlySet<Batch>,
  signal: AbortSignal,
  title: string,
  timeoutMs: number,
): Promise<readonly ReadonlyMap<string, Values>[]> {
  for (const batch of batches) batch.join();
  let stop = () => {};
  const over = new Promise<never>((_, reject) => {
    const end = () => reject(signal.reason);
    const timer = setTimeout(() => {
      reject(unavailable(`${title} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    };
  });
  try {
    return await Promise.race([Promise.all([...batches].map(({ found }) => found)), over]);
  } finally {
    stop();
    for (const batch of batches) batch.leave();
  }
}

/** Keeps entities for a time, and of more than it has room for those that were used last. */
function createCache({ cacheSeconds, cacheEntities }: LookupSettings) {
  // The first one is the one that was not used for the longest time.
  const kept = new Map<string, Kept>();
  const lifeMs = cacheSeconds * 1000;
  return {
    get: (id: string): Values | undefined => {
      const entry = kept.get(id);
      if (entry === undefined) return undefined;
      kept.delete(id);
      // The clock of a frozen process may stand still, but this one does not. It can be set back.
      const leftMs = entry.untilMs - Date.now();
      if (leftMs <= 0 || leftMs > lifeMs) return undefined;
      kept.set(id, entry);
      return entry.values;
    },
    put: (id: string, values: Values): Values => {
      if (lifeMs === 0 || cacheEntities === 0) return values;
      kept.delete(id);
      kept.set(id, { values, untilMs: Date.now() + lifeMs });
      const [oldest] = kept.keys();
      if (kept.size > cacheEntities && oldest !== undefined) kept.delete(oldest);
      return values;
    },
  };
}
