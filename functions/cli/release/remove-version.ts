import { isVersionFile } from '../../../shared/models/formats/locate.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';

/**
 * Removes the files of a version, its graphs last: until then it is found again after an interruption.
 *
 * @param folder such as `iris/2`
 * @returns how many files were removed
 */
export async function removeVersion(store: WritableStore, folder: string): Promise<number> {
  const files = await store.list(folder);
  const isGraph = (path: string) => isVersionFile(path.slice(folder.length + 1));
  const ordered = [
    ...files.filter(({ path }) => !isGraph(path)),
    ...files.filter(({ path }) => isGraph(path)),
  ];
  for (const file of ordered) await store.remove(file);
  return ordered.length;
}
