import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';

/**
 * Removes what processes left behind that died: entries of a folder whose names begin with the number of a process,
 * such as `42-<uuid>`. One with this process's own number is a leftover when it is older than the process; there may be
 * other threads of it that made it now.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const startMs = Date.now() - process.uptime() * 1000;
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || pid === 0) continue;
    const path = join(folder, name);
    const facts = await stat(path).catch(() => undefined);
    if (!facts) continue;
    const left = pid === process.pid ? facts.mtimeMs < startMs : !isRunning(pid);
    if (left) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user answers EPERM.
    return systemCodeOf(error) !== 'ESRCH';
  }
}
