import { rmSync } from 'node:fs';
import { mkdir, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownName, RENEW_MS, removeLeftovers } from '../../shared/leftovers.ts';
import { TEMPORARY_FOLDER, toDiskError } from '../../shared/models/artifact-folder.ts';
import { makeOwnFolder } from '../../shared/models/own-folder.ts';
import { cacheFolderIn } from '../host.ts';

/**
 * Makes a folder of this process below the folder of downloads, which goes away when the process ends. What a process
 * left that was killed goes away with the next.
 *
 * @param root the folder of downloads
 * @throws StoreError when other users can write to the folder of downloads
 */
export async function makeTemporaryFolder(root: string): Promise<string> {
  const parent = join(root, TEMPORARY_FOLDER);
  try {
    await makeOwnFolder(root);
    await makeOwnFolder(parent);
    return await makeFolder(parent);
  } catch (error) {
    throw toDiskError(error, root);
  }
}

/** The same right below the temporary folder of the system, where it leaves nothing at all. */
export async function makeStagingFolder(): Promise<string> {
  return await makeFolder(tmpdir());
}

async function makeFolder(parent: string): Promise<string> {
  const folder = join(parent, ownName());
  removeAtEnd(folder);
  await removeLeftovers(parent);
  await mkdir(folder, { mode: 0o700 });
  // Hosts that share the folder cannot see that this process runs.
  setInterval(() => utimes(folder, new Date(), new Date()).catch(() => undefined), RENEW_MS).unref();
  return folder;
}

/** A signal ends a process without its `exit`. Where a command ends itself after the first signal, it is left to that. */
function removeAtEnd(folder: string): void {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = () => {
      if (process.listenerCount(signal) > 1) return;
      remove();
      process.removeListener(signal, end);
      process.kill(process.pid, signal);
    };
    // Before listeners for one signal, which are not counted once they are called.
    process.prependListener(signal, end);
  }
}

/** The folder of downloads of the commands. */
export function cacheFolder(): string {
  return cacheFolderIn(process.env.MODEL_CACHE_FOLDER?.trim() || undefined);
}
