import { lstat, mkdir, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from './errors.ts';

/**
 * A lock that processes share by a file system: a folder with one file in it, whose name says who holds it. The system
 * renames a folder over another one only if that is empty, so exactly one of several that try at once gets the place. A
 * holder that has ended is removed by its own name, so a process cannot remove another one's lock by mistake. Source:
 * rename in POSIX.1-2024.
 */
export interface FolderLock {
  readonly path: string;
  /** Where the folder is made before it gets its place. Its parent exists, on the same file system. */
  readonly temporary: string;
  /** The name of the holder. It is unique: no other holder has or had it. */
  readonly own: string;
  /** @param changedMs when the system last saw the holder's file change */
  readonly hasEnded: (name: string, changedMs: number) => boolean;
}

/** The holder of a lock at the moment; empty if something else is in its place. */
export interface Holder {
  readonly name: string;
}

/** @returns nothing when this process has taken the lock, otherwise its present holder */
export async function takeLock(lock: FolderLock): Promise<Holder | undefined> {
  for (;;) {
    if (await putInPlace(lock)) return undefined;
    const holder = await findHolder(lock);
    if (holder) return holder;
  }
}

export async function releaseLock({ path, own }: FolderLock): Promise<void> {
  await rm(join(path, own), { force: true });
  await removeIfEmpty(path);
}

async function putInPlace({ path, temporary, own }: FolderLock): Promise<boolean> {
  await mkdir(temporary);
  try {
    await writeFile(join(temporary, own), '');
    await rename(temporary, path);
    return true;
  } catch (error) {
    if (!IN_PLACE.has(String(systemCodeOf(error)))) throw error;
    return false;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** What systems answer if there is a folder that is not empty, or a file. */
const IN_PLACE: ReadonlySet<string> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

async function findHolder({ path, hasEnded }: FolderLock): Promise<Holder | undefined> {
  try {
    if (!(await lstat(path)).isDirectory()) return { name: '' };
    for (const name of await readdir(path)) {
      const { ctimeMs } = await lstat(join(path, name));
      if (!hasEnded(name, ctimeMs)) return { name };
      await rm(join(path, name), { force: true });
    }
    await removeIfEmpty(path);
    return undefined;
  } catch (error) {
    // Released in between.
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    // Released, or held again by now.
    const code = String(systemCodeOf(error));
    if (code !== 'ENOENT' && !IN_PLACE.has(code)) throw error;
  }
}
