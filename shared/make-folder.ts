import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCodeOf } from './errors.ts';

/**
 * Makes a folder and those above it; one that is there already is fine. Node's own recursive `mkdir` never ends if the
 * system answers ENOENT for a folder whose parent exists, as below `/proc`.
 *
 * @param mode of each folder that is made
 * @throws the system's error for the first folder that cannot be made
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdirOnce(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if (systemCodeOf(error) !== 'ENOENT' || parent === path) throw error;
    await makeFolder(parent, mode);
    await mkdirOnce(path, mode);
  }
}

async function mkdirOnce(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const facts = await stat(path).catch(() => undefined);
    if (!facts?.isDirectory()) throw error;
  }
}
