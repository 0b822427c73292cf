import { hostname } from 'node:os';
import { releaseLock, takeLock } from '../../../shared/folder-lock.ts';
import { isLeft, ownName } from '../../../shared/leftovers.ts';
import { CommandError } from '../console.ts';

/**
 * Keeps other batches from writing to the same output, by a folder beside it that names the process. The lock of a
 * killed process does not count. Whether a process on another machine or in another container still runs is not known.
 *
 * @returns removes the lock
 * @throws CommandError when another batch is writing
 */
export async function lockOutput(output: string): Promise<() => Promise<void>> {
  const path = `${output}.lock`;
  const own = `${ownName()}@${hostname()}`;
  const lock = { path, temporary: `${path}.${own}`, own, hasEnded };
  const holder = await takeLock(lock);
  if (!holder) return () => releaseLock(lock);
  const { pid = '?', host = '?' } = HOLDER.exec(holder.name)?.groups ?? {};
  throw new CommandError(
    `Another batch (process ${pid} on ${host}) is writing to ${output}: wait until it is done. ` +
      `If no such batch is running, remove ${path}.`,
  );
}

const HOLDER = /^[0-9a-f]{16}-(?<pid>\d+)-.*@(?<host>.+)$/;

/** No batch renews its lock, so it counts as just renewed. */
function hasEnded(holder: string): boolean {
  return isLeft(holder.split('@')[0] ?? '', Date.now());
}
