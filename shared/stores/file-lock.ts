import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseLock, takeLock } from '../folder-lock.ts';
import { isLeft, ownName } from '../leftovers.ts';
import { StoreError } from './model-store.ts';

/** A change under a lock is a few calls of the system. */
const PAUSE_MS = 5;
const LONGEST_WAIT_MS = 30_000;

/**
 * Runs a change of a file while no other process changes it. The lock is a hidden folder beside it that names its
 * process; that of a process which ended does not count.
 *
 * @param temporary where the lock is made before it gets its place
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
    const text = `${target} is being written by another process. If there is none, remove ${path}.`;
    throw new StoreError('unreachable', text);
  }
  try {
    await change();
  } finally {
    await releaseLock(lock);
  }
}
