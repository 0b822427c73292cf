import { TRITON_FILE } from '../../shared/models/formats/format-folder.ts';
import { type DividedVersions, divideVersions, readPolicy } from '../../shared/models/served-versions.ts';
import { createSmallFiles } from '../../shared/models/small-files.ts';
import { compareVersions } from '../../shared/models/versions.ts';
import type { ModelStore, StoredFile } from '../../shared/stores/model-store.ts';

/**
 * The versions of a model that the `config.pbtxt` beside them serves and excludes; undefined if it says nothing about
 * versions.
 *
 * @param files of the model, or of the whole store
 * @throws ModelError when it cannot be understood, StoreError
 */
export async function readPolicyOf(
  store: ModelStore,
  files: readonly StoredFile[],
  name: string,
  versions: readonly string[],
): Promise<DividedVersions | undefined> {
  const file = files.find(({ path }) => path === `${name}/${TRITON_FILE}`);
  const policy = file && (await createSmallFiles(store).reader(readPolicy)(file));
  return policy && divideVersions([...versions].sort(compareVersions), policy);
}
