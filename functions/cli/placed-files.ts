import { constants, copyFile, link, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toDiskError } from '../../shared/models/artifact-folder.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/**
 * A folder that holds some files under chosen names until this process ends. The files are hard links, which take no
 * space, or copies if links are not possible.
 *
 * @param root the folder of downloads
 * @param sources paths of the files by their names below the folder
 * @throws StoreError when other users can write to the folder of downloads
 */
export async function placeFiles(root: string, sources: ReadonlyMap<string, string>): Promise<string> {
  const folder = await makeTemporaryFolder(root);
  try {
    for (const [name, source] of sources) await placeFile(source, join(folder, name));
  } catch (error) {
    throw toDiskError(error, root);
  }
  return folder;
}

async function placeFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const real = await realpath(source);
  // Links fail on another disk, and on some systems for files that belong to other users.
  await link(real, target).catch(() => copyFile(real, target, constants.COPYFILE_FICLONE));
}
