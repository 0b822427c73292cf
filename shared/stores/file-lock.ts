import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseLock, takeLock } from '../folder-lock.ts';
import { isLeft, ownName } from '../leftovers.ts';
import { StoreError } from './model-store.ts';

/** Pause between two tries; a change under a lock takes only a few system calls. */
const PAUSE_MS = 5;
const LONGEST_WAIT_MS = 30_000;

/**
 * Runs a change of a file while no other process changes it. The lock is a hidden folder next to the file that names
 * its process; the lock of a process that has ended does not count.
 *
 * @param temporary where the lock is created before it is moved into place
 * @throws StoreError `unreachable` when another process holds the lock for half a minute
 */
export async function withFileLock(
  target: string,
  temporary: string,
  change: () => Promise<void>,
): Promise<void> {
  const path = join(dirname(target), `.${basename(target)}.ternion-lock`);
  const lock = { path, temporary, own: ownName(), hasEnded: isLeft };
  for (const endMs = Date.now() + LONGEST_WAIT_MS; await takeLock(lock); await sleep(PAUSE_MS)) {
    if (Date.now() < endMs) continue;
    const text = `${target} is being written by another process. If no such process is running, remove ${path}.`;
    throw new StoreError('unreachable', text);
  }
  try {
    await change();
  } finally {
    await releaseLock(lock);
  }
}
