import { mkdirSync, rmSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownName, RENEW_MS, removeLeftovers } from '../../shared/leftovers.ts';
import { TEMPORARY_FOLDER, toDiskError } from '../../shared/models/artifact-folder.ts';
import { makeOwnFolder } from '../../shared/models/own-folder.ts';
import { cacheFolderIn } from '../host.ts';

/**
 * Makes a folder for this process below the folder of downloads. It is removed when the process ends; the folder of a
 * process that was killed is removed by the next one.
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

/** The same directly in the temporary folder of the system, so that nothing is left at all. */
export async function makeStagingFolder(): Promise<string> {
  return await makeFolder(tmpdir());
}

/** The same in a folder that is there. */
export async function makeFolder(parent: string): Promise<string> {
  const folder = join(parent, ownName());
  removeAtEnd(folder);
  await removeLeftovers(parent);
  // A thread could make it after a signal has removed it.
  mkdirSync(folder, { mode: 0o700 });
  // Other machines that share the folder cannot see that this process is running.
  setInterval(() => utimes(folder, new Date(), new Date()).catch(() => undefined), RENEW_MS).unref();
  return folder;
}

/** Those of this process. */
const folders = new Set<string>();

function removeAtEnd(folder: string): void {
  if (folders.size === 0) listenForEnd();
  folders.add(folder);
}

/**
 * A signal ends a process without its `exit` event. A command that handles the first signal itself removes the folders
 * then. There is one listener for all folders: several would each take the others for such a command.
 */
function listenForEnd(): void {
  const remove = () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = () => {
      if (process.listenerCount(signal) > 1) return;
      remove();
      process.removeListener(signal, end);
      process.kill(process.pid, signal);
    };
    // Before listeners that are called once, because they are no longer counted after their call.
    process.prependListener(signal, end);
  }
}

/** The folder of downloads of the commands. */
export function cacheFolder(): string {
  return cacheFolderIn(process.env.MODEL_CACHE_FOLDER?.trim() || undefined);
}
