import { NAME_PATTERN } from '../../../shared/config.ts';
import { contentOf } from '../../../shared/models/content-of.ts';
import { copyVersion, type Outcome } from '../../../shared/models/copy-version.ts';
import { DEPLOYMENT_FILE, TRITON_FILE } from '../../../shared/models/formats/format-folder.ts';
import { listFiles, listVersions } from '../../../shared/models/publish-files.ts';
import { INDEX_FILE, RELEASES_FOLDER } from '../../../shared/models/repository-listing.ts';
import { compareVersions } from '../../../shared/models/versions.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import { StoreError, type WritableStore } from '../../../shared/stores/model-store.ts';

export interface CopyRepositoryOptions {
  /** The models that are copied; all of them by default. */
  readonly models?: readonly string[] | undefined;
  /**
   * Whether the other repository is the one that counts, and gets back what it has lost: damaged files are mended, and
   * a file about a model is written only if there is none. Otherwise it becomes like this one.
   */
  readonly restores: boolean;
  /** Called for each version that is done. */
  readonly onVersion?: (path: string, outcome: Outcome | 'failed') => void;
}

/** What was done, by the paths of versions and files. */
export interface CopyReport {
  readonly versions: Readonly<Record<Outcome, readonly string[]>>;
  /** Files about a model that were written: its releases, what points to the newest, and the policy of its versions. */
  readonly written: readonly string[];
  readonly failed: readonly { readonly path: string; readonly error: string }[];
  /** Of the versions that were copied or mended. */
  readonly files: number;
  readonly sizeBytes: number;
}

/** The files about a model that are beside its versions. */
const MODEL_FILES = [TRITON_FILE, DEPLOYMENT_FILE];

/**
 * Copies all versions of a repository to another one, and then the files that point to them. Nothing is removed. A
 * version that fails does not hold back the others.
 *
 * @throws StoreError when a repository cannot be listed
 */
export async function copyRepository(
  from: WritableStore,
  to: WritableStore,
  { models, restores, onVersion }: CopyRepositoryOptions,
): Promise<CopyReport> {
  const versions: Record<Outcome, string[]> = { copied: [], there: [], mended: [], taken: [] };
  const written: string[] = [];
  const failed: { path: string; error: string }[] = [];
  const sum = { files: 0, sizeBytes: 0 };
  const attempt = async (path: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      failed.push({ path, error: error.message });
    }
  };
  const names = models ?? (await listModels(from));
  // Otherwise each version would say that there is nowhere to copy it to.
  await listFiles(to, '');
  for (const name of names) {
    for (const version of [...(await listVersions(from, name))].sort(compareVersions)) {
      const path = `${name}/${version}`;
      const before = failed.length;
      await attempt(path, async () => {
        const copied = await copyVersion(from, to, { name, version, mends: restores });
        versions[copied.outcome].push(path);
        onVersion?.(path, copied.outcome);
        if (copied.outcome !== 'copied' && copied.outcome !== 'mended') return;
        sum.files += copied.files;
        sum.sizeBytes += copied.sizeBytes;
      });
      if (failed.length > before) onVersion?.(path, 'failed');
    }
    // A server must not see what points to a change before the change.
    const files = [...(await listReleases(from, name)), ...MODEL_FILES.map((each) => `${name}/${each}`)];
    for (const file of files)
      await attempt(file, async () => {
        if (await copyFile(from, to, file, !restores)) written.push(file);
      });
  }
  await attempt(INDEX_FILE, async () => await updateIndex(to));
  return { versions, written, failed, ...sum };
}

/** The names of all models of a repository. */
export async function listModels(store: WritableStore): Promise<readonly string[]> {
  const parts = (await store.list('')).map(({ path }) => path.split('/')).filter(({ length }) => length > 2);
  const names = parts.map(([first = '', second = '']) => (first === RELEASES_FOLDER ? second : first));
  return [...new Set(names)].filter((name) => NAME_PATTERN.test(name));
}

/** The changes to a model, oldest first. */
async function listReleases(store: WritableStore, name: string): Promise<readonly string[]> {
  return (await store.list(`releases/${name}`))
    .map(({ path }) => path)
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
}

/**
 * @param replaces whether a file with another content is replaced
 * @returns whether it was written
 */
async function copyFile(
  from: WritableStore,
  to: WritableStore,
  path: string,
  replaces: boolean,
): Promise<boolean> {
  const source = await from.load(path);
  if (source.is !== 'there') return false;
  const found = await to.load(path);
  if (found.is === 'there' && (!replaces || found.content.equals(source.content))) return false;
  await to.write(path, contentOf(source.content), found.is === 'there' ? found.file.etag : undefined);
  return true;
}
