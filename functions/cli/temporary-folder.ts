import { rmSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ownName, RENEW_MS, removeLeftovers } from '../../shared/leftovers.ts';
import { TEMPORARY_FOLDER, toDiskError } from '../../shared/models/artifact-folder.ts';
import { makeOwnFolder } from '../../shared/models/own-folder.ts';
import { cacheFolderIn } from '../host.ts';

/**
 * Makes a folder of this process below the folder of downloads, which goes away when the process ends. What a process
 * left that was killed goes away with the next.
 *
 * @param root the folder of downloads; that of MODEL_CACHE_FOLDER by default
 * @throws StoreError when other users can write to the folder of downloads
 */
export async function makeTemporaryFolder(root: string = cacheFolder()): Promise<string> {
  const folder = join(root, TEMPORARY_FOLDER, ownName());
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    await makeOwnFolder(root);
    await makeOwnFolder(dirname(folder));
    await removeLeftovers(dirname(folder));
    await makeOwnFolder(folder);
  } catch (error) {
    throw toDiskError(error, root);
  }
  // Hosts that share the folder cannot see that this process runs.
  setInterval(() => utimes(folder, new Date(), new Date()).catch(() => undefined), RENEW_MS).unref();
  return folder;
}

/** The folder of downloads of the commands. */
export function cacheFolder(): string {
  return cacheFolderIn(process.env.MODEL_CACHE_FOLDER?.trim() || undefined);
}
