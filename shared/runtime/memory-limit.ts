import type { ProcessMemory } from './process-memory.ts';

/** Holds the growth of a process below a limit, by releasing what is idle. */
export interface MemoryLimit {
  /** Must be called before the first load: what the process takes then does not count. */
  start(): void;
  /**
   * To be called after a load. Frees what is unused, and then releases what is idle until the process is within its
   * limit, or until nothing is idle.
   */
  keep(values: Releasable): Promise<void>;
}

export interface Releasable {
  /** Releases idle values, at most that many. The result has one promise per value. */
  releaseOldest(most: number): readonly Promise<void>[];
  /** Whether values are in use that could be released later. */
  areInUse(): boolean;
}

/** Loads between two collections of garbage, which take as long as the load of a small model. */
const LOADS_PER_COLLECTION = 16;

/** Growth of the process between two collections, as a part of the limit. */
const GROWTH_PER_COLLECTION = 1 / 16;

/** What is freed beyond the limit at once, as a part of it: each time takes some milliseconds, so not each load does it. */
const SPARE_PART = 1 / 16;

/** If something else takes the memory, values keep at least this part of the limit. */
const LEAST_PART = 1 / 4;

/**
 * The limit for what a process may take beyond what it took at the start. The memory of a value cannot be counted by
 * itself: its native part, its objects and the garbage of its load are in several heaps, each with holes.
 */
export function createMemoryLimit(memory: ProcessMemory, limitBytes: number): MemoryLimit {
  let startBytes: number | undefined;
  /** What is beyond the limit although nothing was idle any longer, and the part that values keep. */
  let toleratedBytes = 0;
  let loads = 0;
  let collectedBytes = 0;

  function beyondBytes(): number {
    return memory.residentBytes() - (startBytes ?? 0) - limitBytes;
  }

  /** What must be freed; negative if there is room. */
  function excessBytes(): number {
    const bytes = beyondBytes();
    if (bytes <= 0) toleratedBytes = 0;
    return bytes - toleratedBytes;
  }

  /** A collection delays requests, so it must be worth it. */
  function isCollectionDue(): boolean {
    const hasGrown = memory.residentBytes() - collectedBytes > limitBytes * GROWTH_PER_COLLECTION;
    return hasGrown || loads >= LOADS_PER_COLLECTION;
  }

  async function collect(): Promise<void> {
    memory.collect();
    await memory.trim();
    collectedBytes = memory.residentBytes();
    loads = 0;
  }

  /** If nothing is idle any longer, something else takes the memory. */
  async function tolerate(): Promise<void> {
    // It may be garbage, also that of the values that were released.
    await collect();
    if (excessBytes() > 0) toleratedBytes = beyondBytes() + limitBytes * LEAST_PART;
  }

  async function release(values: Releasable): Promise<void> {
    const spareBytes = limitBytes * SPARE_PART;
    let most = 1;
    for (let bytes = excessBytes() + spareBytes; bytes > 0; ) {
      const releases = values.releaseOldest(most);
      if (releases.length === 0) {
        if (excessBytes() > 0 && !values.areInUse()) await tolerate();
        return;
      }
      await Promise.all(releases);
      await memory.trim();
      const leftBytes = excessBytes() + spareBytes;
      const needed = Math.ceil((leftBytes * releases.length) / Math.max(1, bytes - leftBytes));
      // The next ones may be smaller or larger than these.
      most = Math.min(2 * most, needed);
      bytes = leftBytes;
    }
  }

  return {
    start: () => (startBytes ??= memory.residentBytes()),
    keep: async (values) => {
      loads += 1;
      if (excessBytes() <= 0 || !(await memory.trim()) || excessBytes() <= 0) return;
      if (isCollectionDue()) await collect();
      if (excessBytes() > 0) await release(values);
    },
  };
}
