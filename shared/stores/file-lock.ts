import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';
import { isLeft, ownName } from '../leftovers.ts';
import { StoreError } from './model-store.ts';

/** A change under a lock is a few calls of the system. */
const PAUSE_MS = 5;
const LONGEST_WAIT_MS = 30_000;
/** A process that was killed between making its lock and writing its name into it left one without a name. */
const NAMELESS_MS = 5_000;

/**
 * Runs a change of a file while no other process changes it. The lock is a hidden file beside it that names its process;
 * that of a process which ended does not count.
 *
 * @throws StoreError `unreachable` when another process holds the lock for half a minute
 */
export async function withFileLock<T>(target: string, change: () => Promise<T>): Promise<T> {
  const path = join(dirname(target), `.${basename(target)}.ternion-lock`);
  const own = ownName();
  for (const endMs = Date.now() + LONGEST_WAIT_MS; !(await take(path, own)); ) {
    if (await removeDead(path)) continue;
    if (Date.now() > endMs) {
      const text = `${target} is being written by another process. If there is none, remove ${path}.`;
      throw new StoreError('unreachable', text);
    }
    await sleep(PAUSE_MS);
  }
  try {
    return await change();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes a lock away whose process has ended, or that another process removed by now. */
async function removeDead(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  if (holder === undefined) return true;
  if (!holder.isDead) return false;
  const moved = `${path}.${ownName()}`;
  try {
    await rename(path, moved);
    // Another process may have removed the dead lock and put its own in that place.
    if ((await readFile(moved, 'utf8')) !== holder.name) await link(moved, path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return true;
  } finally {
    await rm(moved, { force: true });
  }
}

async function readHolder(path: string): Promise<{ name: string; isDead: boolean } | undefined> {
  try {
    const [name, facts] = [await readFile(path, 'utf8'), await stat(path)];
    return {
      name,
      isDead: name === '' ? facts.mtimeMs < Date.now() - NAMELESS_MS : isLeft(name, facts.ctimeMs),
    };
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
