import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VERSION_FILES } from '../../shared/models/formats/recognise.ts';

/** Whether a folder is a version of a model: it has a file that holds or names a graph. */
export async function isVersionFolder(folder: string): Promise<boolean> {
  const found = await filterAsync(VERSION_FILES, async (file) => (await stat(join(folder, file))).isFile());
  return found.length > 0;
}

/** Those that a test holds for; where it fails it does not. */
export async function filterAsync(
  names: readonly string[],
  test: (name: string) => Promise<boolean>,
): Promise<readonly string[]> {
  const holds = await Promise.all(names.map((name) => test(name).catch(() => false)));
  return names.filter((_, index) => holds[index]);
}
