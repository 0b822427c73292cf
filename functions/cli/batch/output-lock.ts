import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../../shared/errors.ts';
import { releaseLock, takeLock } from '../../../shared/folder-lock.ts';
import { CommandError } from '../console.ts';

/**
 * Keeps other batches from writing to the same output, by a folder beside it that names the process. What a killed
 * process left does not count.
 *
 * @returns takes the lock away
 * @throws CommandError when another batch is writing
 */
export async function lockOutput(output: string): Promise<() => Promise<void>> {
  const path = `${output}.lock`;
  const own = `${process.pid}-${randomUUID()}-${hostname()}`;
  const lock = { path, temporary: `${path}.${own}`, own, hasEnded };
  const holder = await takeLock(lock);
  if (!holder) return () => releaseLock(lock);
  const { pid = '?', host = '?' } = HOLDER.exec(holder.name)?.groups ?? {};
  throw new CommandError(
    `Another batch (process ${pid} on ${host}) is writing to ${output}: wait until it is done. ` +
      `If there is none, remove ${path}.`,
  );
}

const HOLDER = /^(?<pid>\d+)-[0-9a-f-]{36}-(?<host>.+)$/;

/** Of a process on another machine nothing is known. */
function hasEnded(name: string): boolean {
  const { pid, host } = HOLDER.exec(name)?.groups ?? {};
  if (host !== hostname()) return false;
  if (Number(pid) === process.pid) return true;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // A process of another user answers EPERM.
    return systemCodeOf(error) === 'ESRCH';
  }
}
