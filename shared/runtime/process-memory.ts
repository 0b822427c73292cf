import { runInNewContext } from 'node:vm';
import { nodeV8 } from '../node-modules.ts';
import { loadForeignFunctions } from './foreign-functions.ts';

/** The memory of this process. */
export interface ProcessMemory {
  /** What it takes now. The system counts it, which takes about 20 us. */
  residentBytes(): number;
  /**
   * Frees JavaScript objects that nothing refers to, which takes tens of milliseconds.
   *
   * @param isIdle whether nothing waits, so that it may take longer and free more
   */
  collect(isIdle?: boolean): void;
  /**
   * Gives pages back that native code has freed; without it, the C library keeps most of them for later.
   *
   * @returns false if this system has no such call. Then the memory of the process does not show what was freed.
   */
  trim(): Promise<boolean>;
}

export const processMemory: ProcessMemory = {
  residentBytes: process.memoryUsage.rss,
  collect: (isIdle = false) => {
    collector ??= exposeCollector();
    // The last resort also gives free pages of the heap back to the system.
    collector({ type: 'major', execution: 'sync', flavor: isIdle ? 'last-resort' : 'regular' });
  },
  trim: async () => {
    trimmer ??= openTrimmer();
    const trim = await trimmer;
    trim?.(0);
    return trim !== undefined;
  },
};

/**
 * Lets V8 collect garbage when the heap has doubled. By default it waits for four times what is in use, so traffic
 * takes 35 MB more; collections take twice as long, 5 us per request instead of 2.5 us.
 */
export function limitHeapGrowth(): void {
  nodeV8().setFlagsFromString('--heap-growing-percent=100');
}

let collector: NodeJS.GCFunction | undefined;

/** The collector that V8 has for tests, made available without a command-line flag. */
function exposeCollector(): NodeJS.GCFunction {
  nodeV8().setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

let trimmer: Promise<Trim | undefined> | undefined;

/** @param keptBytes how many free bytes to keep at the end of the heap */
type Trim = (keptBytes: number) => number;

/** `malloc_trim` of the GNU C library. Neither Node nor the runtime calls it. */
async function openTrimmer(): Promise<Trim | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    return (await loadForeignFunctions()).load(null).func('int malloc_trim(size_t pad)');
  } catch {
    // Another C library, or an installation without the addon.
    return undefined;
  }
}
