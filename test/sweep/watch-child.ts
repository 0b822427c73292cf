import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { serialize } from 'node:v8';
import type { Job } from './job.ts';

/** How a child has ended before its job was done. */
export type Ending = 'crash' | 'hang' | 'memory';

export interface Watched {
  /** Undefined when the job was done. */
  readonly ending: Ending | undefined;
  readonly signal: string;
  readonly lines: readonly string[];
  /** The end of the standard error of the child. */
  readonly errors: string;
}

/** In processor time: a busy machine must not look like a hang. */
export const LONGEST_RUN_MS = 10_000;
/** A process that waits forever takes no processor time. */
const LONGEST_WAIT_MS = 120_000;
/** The same where its C library may wait for itself, as in one of twenty-five processes. */
const LONGEST_CHECKED_WAIT_MS = 10_000;
const MOST_TRIES = 4;
const MS_PER_TICK = 10;
export const LARGEST_CHILD_BYTES = 2 * 2 ** 30;
const LARGEST_CHILD_KILOBYTES_OF_ADDRESSES = 24 * 2 ** 20;
const LOOK_MS = 50;
const PAGE_BYTES = 4096;
/** Of the C library: an overrun of an allocation is found when it is freed, and aborts. */
const CHECKING = {
  LD_PRELOAD: 'libc_malloc_debug.so.0',
  GLIBC_TUNABLES: 'glibc.malloc.check=3:glibc.malloc.perturb=165',
};

/** Node ends the process itself when a result has no room in memory. */
const OUT_OF_MEMORY = /Allocation failed|out of memory/;

/**
 * Runs a job in a process of its own, and ends it when it takes too long or too much memory.
 *
 * The C library that checks each allocation may find damage while it holds its own lock. The message of its assertion
 * needs that lock, so that the process waits for itself instead of aborting. Such a process is run again.
 */
export async function watchChild(job: Job, longestRunMs = LONGEST_RUN_MS): Promise<Watched> {
  for (let left = MOST_TRIES; ; left--) {
    const { isStuck, ...watched } = await watchOnce(job, longestRunMs);
    if (!isStuck || job.hasArena || left === 1) return watched;
  }
}

async function watchOnce(job: Job, longestRunMs: number): Promise<Watched & { readonly isStuck: boolean }> {
  const longestWaitMs = job.hasArena ? LONGEST_WAIT_MS : LONGEST_CHECKED_WAIT_MS;
  let isStuck = false;
  const folder = mkdtempSync(join(tmpdir(), 'ternion-sweep-'));
  const path = join(folder, 'job');
  writeFileSync(path, serialize(job));
  const script = `ulimit -c 0; ulimit -v ${LARGEST_CHILD_KILOBYTES_OF_ADDRESSES}; exec nice -n 10 "$0" --expose-gc "$@"`;
  const child = spawn('bash', ['-c', script, process.execPath, join(import.meta.dirname, 'child.ts'), path], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...(job.hasArena ? {} : CHECKING) },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  let ending: Ending | undefined;
  let hasMoved = false;
  let last = { wallMs: performance.now(), processorMs: 0 };
  let atWork = last;
  child.stderr?.on('data', (chunk: Buffer) => (errors = `${errors}${chunk}`.slice(0, 20_000)));
  const input = child.stdio[3];
  if (!(input instanceof Readable)) throw new Error('the process has no pipe for its lines');
  createInterface({ input }).on('line', (line) => {
    lines.push(line);
    hasMoved = true;
  });
  const timer = setInterval(() => {
    if (hasMoved) last = { wallMs: performance.now(), processorMs: processorMs(child.pid) };
    hasMoved = false;
    const now = { wallMs: performance.now(), processorMs: processorMs(child.pid) };
    if (now.processorMs > atWork.processorMs) atWork = now;
    isStuck = now.wallMs - atWork.wallMs > longestWaitMs;
    if (isStuck || now.processorMs - last.processorMs > longestRunMs) ending = 'hang';
    else if (residentBytes(child.pid) > LARGEST_CHILD_BYTES) ending = 'memory';
    if (ending) child.kill('SIGKILL');
  }, LOOK_MS);
  const signal = await new Promise<string>((resolve) => {
    child.on('close', (code, name) => resolve(name ?? (code ? `exit ${code}` : '')));
  });
  clearInterval(timer);
  rmSync(folder, { recursive: true, force: true });
  if (lines.at(-1) === 'end' && !ending)
    return { ending: signal ? 'crash' : undefined, signal, lines, errors, isStuck };
  if (signal === 'exit 1' && !ending) throw new Error(`the child of the sweep itself failed: ${errors}`);
  return {
    ending: ending ?? (OUT_OF_MEMORY.test(errors) ? 'memory' : 'crash'),
    signal,
    lines,
    errors,
    isStuck,
  };
}

/** User and system time. Source: proc(5), /proc/pid/stat, after the name in brackets. */
function processorMs(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return 0;
  }
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
