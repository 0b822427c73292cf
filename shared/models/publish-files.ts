import { createHash } from 'node:crypto';
import { type NewContent, type StoredFile, StoreError, type WritableStore } from '../stores/model-store.ts';
import { type FileManifest, MANIFEST_FILE } from './file-manifest.ts';
import { isVersionFile } from './formats/locate.ts';

/** The files of a version, wherever they are now. */
export interface VersionFiles {
  readonly manifest: FileManifest;
  /** The content of `files.json`. */
  readonly claim: NewContent;
  /** The content of a file of the manifest. */
  contentOf(file: FileManifest['files'][number]): NewContent;
}

/**
 * Names of the versions of a model that servers see, without those that are still being written or whose publishing was
 * interrupted before their graph was written.
 */
export async function listVersions(store: WritableStore, name: string): Promise<readonly string[]> {
  const files = (await listFiles(store, name)).map(({ path }) => path.slice(name.length + 1).split('/'));
  const whole = files.filter(([, ...below]) => isVersionFile(below.join('/')));
  return [...new Set(whole.map(([version = '']) => version))];
}

/**
 * The files below a folder of a repository. The first file that is written creates a missing folder on this machine.
 * Nothing creates a missing bucket.
 *
 * @param name '' is the whole repository
 */
export async function listFiles(store: WritableStore, name: string): Promise<readonly StoredFile[]> {
  return await store.list(name).catch((error: unknown) => {
    if (store.localPath && error instanceof StoreError && error.reason === 'missing') return [];
    throw error;
  });
}

/**
 * Publishes a version. `files.json` is written first, and only if there is none: this claims the version. The graph is
 * written last: only then do servers see the version, when it is complete. If several publish the same version, only
 * one of them writes it. A version whose publishing was interrupted can be completed only by publishing the same files.
 *
 * @returns where it is; undefined if something else is there, or another publisher was faster
 */
export async function publishFiles(
  store: WritableStore,
  name: string,
  version: string,
  { manifest, claim, contentOf }: VersionFiles,
): Promise<string | undefined> {
  const prefix = `${name}/${version}`;
  const found = (await listFiles(store, name)).filter(
    ({ path }) => path === prefix || path.startsWith(`${prefix}/`),
  );
  const claimed = found.find(({ path }) => path === `${prefix}/${MANIFEST_FILE}`);
  if (found.length > 0 && !(claimed && (await isSame(store, claimed, claim)))) return undefined;
  if (!claimed && !(await claimVersion(store, prefix, claim))) return undefined;
  const files = inOrder(manifest).map((file) => ({
    path: `${prefix}/${file.path}`,
    content: contentOf(file),
  }));
  for (const { path, content } of files.slice(0, -1)) {
    await writeOrKeep(
      store,
      path,
      content,
      found.find((file) => file.path === path),
    );
  }
  const last = files.at(-1);
  if (last && !(await writeNew(store, last.path, last.content))) return undefined;
  return placeOf(store, prefix);
}

/** Where a folder of a repository is, as messages say it. */
export function placeOf(store: WritableStore, path: string): string {
  return store.localPath?.(path) ?? `${store.url}/${path}`;
}

/** Whether the version belongs to this publisher, or to another one with the same files. */
async function claimVersion(store: WritableStore, prefix: string, claim: NewContent): Promise<boolean> {
  const path = `${prefix}/${MANIFEST_FILE}`;
  if (await writeNew(store, path, claim)) return true;
  return await isThere(store, path, claim);
}

/** Files in the order in which it is safe for servers to see them. */
export function inOrder({ files }: FileManifest): FileManifest['files'] {
  return [
    ...files.filter(({ path }) => !isVersionFile(path)),
    // The largest first, because a server takes the folder for a version as soon as one of these is there.
    ...files.filter(({ path }) => isVersionFile(path)).sort((a, b) => b.sizeBytes - a.sizeBytes),
  ];
}

/** Writes a file, unless it is there already. A different file there is damaged, because the version is claimed. */
export async function writeOrKeep(
  store: WritableStore,
  path: string,
  content: NewContent,
  found: StoredFile | undefined,
): Promise<void> {
  if (found && (await isSame(store, found, content))) return;
  try {
    await store.write(path, content, found?.etag);
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
    // Another publisher of the same version has written it in the meantime.
    if (!(await isThere(store, path, content))) throw error;
  }
}

/** @returns false if there is a file already, unless it is the one that this call has written */
async function writeNew(store: WritableStore, path: string, content: NewContent): Promise<boolean> {
  try {
    await store.write(path, content);
    return true;
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
    // The answer to the first of several requests may have been lost.
    return error.isRepeated && (await isThere(store, path, content));
  }
}

async function isThere(store: WritableStore, path: string, content: NewContent): Promise<boolean> {
  const files = await store.list(path.slice(0, path.lastIndexOf('/')));
  const found = files.find((file) => file.path === path);
  return found !== undefined && (await isSame(store, found, content));
}

export async function isSame(store: WritableStore, found: StoredFile, content: NewContent): Promise<boolean> {
  if (found.sizeBytes !== content.sizeBytes) return false;
  const hash = createHash('sha256');
  for await (const chunk of await store.read(found, 0, found.sizeBytes)) hash.update(chunk);
  return hash.digest('hex') === content.sha256;
}
