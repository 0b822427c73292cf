import { rmSync } from 'node:fs';
import { constants, copyFile, link, mkdir, realpath, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TEMPORARY_FOLDER, toDiskError } from '../../shared/models/artifact-folder.ts';
import { ownName, RENEW_MS, removeLeftovers } from '../../shared/models/leftovers.ts';
import { makeOwnFolder } from '../../shared/models/own-folder.ts';

/**
 * A folder that holds some files, each under a name of its own, until this process ends. They are hard links where
 * that can be, which take no space, and copies elsewhere. What a process left that was killed goes away with the next.
 *
 * @param root the folder of downloads
 * @param sources paths of the files by their names below the folder
 * @throws StoreError when other users can write to the folder of downloads
 */
export async function placeFiles(root: string, sources: ReadonlyMap<string, string>): Promise<string> {
  const folder = join(root, TEMPORARY_FOLDER, ownName());
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    await makeOwnFolder(root);
    await makeOwnFolder(dirname(folder));
    await removeLeftovers(dirname(folder));
    await makeOwnFolder(folder);
    for (const [name, source] of sources) await placeFile(source, join(folder, name));
  } catch (error) {
    throw toDiskError(error, root);
  }
  // Hosts that share the folder cannot see that this process runs.
  setInterval(() => utimes(folder, new Date(), new Date()).catch(() => undefined), RENEW_MS).unref();
  return folder;
}

async function placeFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const real = await realpath(source);
  // Not on another disk, nor everywhere of files that belong to others.
  await link(real, target).catch(() => copyFile(real, target, constants.COPYFILE_FICLONE));
}
