import { statfsSync } from 'node:fs';
import { cpus, freemem, hostname, totalmem } from 'node:os';

/** The machine or the container, as other servers describe theirs. */
export interface Machine {
  readonly hostname: string;
  /** Busy share of all processors since the last look, or since the machine started: 0 to 1. */
  readonly busy: number;
  /** Bytes. Available: what programs can still get. */
  readonly memory: { readonly total: number; readonly available: number };
  /** Bytes of the file system with `/`; undefined if it cannot be read. */
  readonly disk: { readonly total: number; readonly available: number } | undefined;
}

interface Ticks {
  readonly total: number;
  readonly idle: number;
}

/** Shorter looks say little, as the clock of the processors has steps of 10 ms. Several names ask in one answer. */
const SHORTEST_LOOK_MS = 500;

let last: Ticks = { total: 0, idle: 0 };
let lastMs = Number.NEGATIVE_INFINITY;
let lastBusy = 0;

export function describeMachine(): Machine {
  return {
    hostname: hostname(),
    busy: measureBusy(),
    memory: { total: totalmem(), available: freemem() },
    disk: readDisk(),
  };
}

function measureBusy(): number {
  const nowMs = performance.now();
  if (nowMs - lastMs < SHORTEST_LOOK_MS) return lastBusy;
  const now = readTicks();
  const total = now.total - last.total;
  if (total > 0) lastBusy = Math.min(1, Math.max(0, 1 - (now.idle - last.idle) / total));
  last = now;
  lastMs = nowMs;
  return lastBusy;
}

function readTicks(): Ticks {
  let total = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { total, idle };
}

function readDisk(): Machine['disk'] {
  try {
    const { bsize, blocks, bavail } = statfsSync('/');
    return { total: blocks * bsize, available: bavail * bsize };
  } catch {
    return undefined;
  }
}
