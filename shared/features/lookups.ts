import { isUnavailable, unavailable } from '../processors/processor.ts';
import type { EntityKey, FeaturePlan, FeatureStore, StoredRow, StoredValue } from './feature-store.ts';
import { readRow } from './read-row.ts';

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
  readonly traceparent: string;
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

/** What is known of entities, by their ids in the cache. */
type Found = ReadonlyMap<string, Values | Error>;

/** One question to the store, for which several requests can wait. */
interface Batch {
  readonly found: Promise<Found>;
  /** A request waits for it. */
  readonly join: () => void;
  /**
   * A request does not wait any more. A question for which nobody waits ends.
   *
   * @param isLate because it took too long
   */
  readonly leave: (isLate: boolean) => void;
}

/** An entity as the cache keeps it. */
interface Kept {
  readonly values: Values;
  readonly untilMs: number;
}

export function createLookups(store: FeatureStore, settings: LookupSettings): Lookups {
  const cache = createCache(settings);
  const running = new Map<string, Batch>();

  const ask = (
    plan: FeaturePlan,
    wanted: ReadonlyMap<string, EntityKey>,
    { traceparent }: LookupContext,
  ): Batch => {
    const ids = [...wanted.keys()];
    const stop = new AbortController();
    let waiting = 0;
    let isOver = false;
    const forget = () => {
      for (const id of ids) if (running.get(id) === batch) running.delete(id);
    };
    const read = async (): Promise<Found> => {
      try {
        const rows = await plan.read([...wanted.values()], stop.signal, traceparent);
        if (rows.length !== ids.length)
          throw new Error(`${store.title} gave ${rows.length} entities for ${ids.length}`);
        return new Map(ids.map((id, index) => [id, keep(id, rows[index] ?? [])]));
      } catch (error) {
        // A store can read in several parts, of which the others still run.
        stop.abort(error);
        throw error;
      } finally {
        isOver = true;
        forget();
      }
    };
    const keep = (id: string, row: StoredRow): Values | Error => {
      const own =
        row instanceof Error
          ? row
          : readRow(() => Object.freeze(row.map((value) => ownValue(value, store.title))));
      return own instanceof Error ? own : cache.put(id, own);
    };
    const batch: Batch = {
      found: Promise.resolve().then(read),
      join: () => {
        waiting += 1;
      },
      leave: (isLate) => {
        waiting -= 1;
        // Those who come now would wait for what may never come.
        if (isLate || waiting === 0) forget();
        if (waiting > 0 || isOver) return;
        stop.abort(
          isLate ? new DOMException('it took too long', 'TimeoutError') : new Error('nobody waits for it'),
        );
      },
    };
    // All that wait may have left before it fails.
    batch.found.catch(() => undefined);
    for (const id of ids) running.set(id, batch);
    return batch;
  };

  return {
    find: async (plan, planId, keys, context) => {
      const ids = keys.map((key) => `${planId} ${JSON.stringify(key)}`);
      const known = new Map<string, Values | Error>();
      const wanted = new Map<string, EntityKey>();
      const joined = new Map<Batch, Map<string, EntityKey>>();
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
        else joined.set(batch, (joined.get(batch) ?? new Map<string, EntityKey>()).set(id, key));
      }
      if (known.size > 0) context.count('features_hits', known.size);
      if (missed > 0) {
        context.count('features_misses', missed);
        const startMs = performance.now();
        const wait = startWait(context.signal, store.title, settings.timeoutMs);
        const join = async ([batch, own]: readonly [Batch, ReadonlyMap<string, EntityKey>]) => {
          try {
            return await wait.join(batch);
          } catch (error) {
            // What another request asked for in the same question may be why.
            if (isUnavailable(error) || wait.isOver) throw error;
            return await wait.join(ask(plan, own, context));
          }
        };
        try {
          const own = wanted.size > 0 ? [wait.join(ask(plan, wanted, context))] : [];
          for (const found of await wait.for(Promise.all([...own, ...[...joined].map(join)]))) {
            for (const [id, values] of found) known.set(id, values);
          }
        } finally {
          wait.end();
          context.observe('features_ms', performance.now() - startMs);
        }
      }
      return ids.map((id) => {
        const values = known.get(id) ?? [];
        if (values instanceof Error) throw values;
        return values;
      });
    },
  };
}

/** One request that waits for questions until they are answered, the time is over, or the request is. */
interface Wait {
  readonly isOver: boolean;
  join(batch: Batch): Promise<Found>;
  for<T>(found: Promise<T>): Promise<T>;
  end(): void;
}

function startWait(signal: AbortSignal, title: string, timeoutMs: number): Wait {
  const batches = new Set<Batch>();
  let isOver = false;
  let isLate = false;
  let stop = () => {};
  const over = new Promise<never>((_, reject) => {
    const leave = () => reject(signal.reason);
    const timer = setTimeout(() => {
      isLate = true;
      reject(unavailable(`${title} did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
    };
  });
  return {
    get isOver() {
      return isOver;
    },
    join: (batch) => {
      batches.add(batch);
      batch.join();
      return batch.found;
    },
    for: (found) => Promise.race([found, over]),
    end: () => {
      isOver = true;
      stop();
      for (const batch of batches) batch.leave(isLate);
    },
  };
}

/**
 * A copy that nobody can change: several requests get the same one.
 *
 * @throws Error for numbers such as 1e999 in JSON, of which its parser makes infinity
 */
function ownValue(value: StoredValue, title: string): StoredValue {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY)
    throw new Error(`${title} has a number beyond those of JavaScript`);
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return Object.freeze(value.map((each) => ownValue(each, title)));
  const members = Object.entries(value).map(([name, each]) => [name, ownValue(each, title)] as const);
  return Object.freeze(Object.fromEntries(members));
}

/** `Array.isArray` does not know lists that are read-only. */
function isList(value: object): value is readonly StoredValue[] {
  return Array.isArray(value);
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
