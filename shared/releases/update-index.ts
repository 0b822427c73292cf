import { setTimeout as sleep } from 'node:timers/promises';
import { NAME_PATTERN } from '../config.ts';
import { contentOf } from '../models/content-of.ts';
import { parseDeployment } from '../models/deployment.ts';
import { DEPLOYMENT_FILE, TRITON_FILE } from '../models/formats/format-folder.ts';
import { isVersionFile } from '../models/formats/locate.ts';
import { ModelError } from '../models/model-config.ts';
import { parseServing } from '../models/released-versions.ts';
import { type IndexEntry, parseIndex, type RepositoryIndex, writeIndex } from '../models/repository-index.ts';
import { findRevisions, INDEX_FILE, revisionOf } from '../models/repository-listing.ts';
import { readPolicy } from '../models/served-versions.ts';
import { decodeFile } from '../models/small-files.ts';
import { compareVersions } from '../models/versions.ts';
import { type StoredFile, StoreError, type WritableStore } from '../stores/model-store.ts';

/** How often it is tried again because another writer was faster. */
const ATTEMPTS = 100;
const LONGEST_PAUSE_MS = 500;

/**
 * Brings `index.json` up to date with the files of some models, or of all of them if there is no index yet. A folder of
 * this machine needs none: it is listed in no time.
 *
 * @param folders of the models that have changed; all by default
 * @throws StoreError when the store cannot be read or written
 */
export async function updateIndex(store: WritableStore, folders?: readonly string[]): Promise<void> {
  if (store.localPath) return;
  for (let attempt = 1; ; attempt++) {
    const loaded = await store.load(INDEX_FILE);
    const known = loaded.is === 'there' ? await readIndex(loaded.content) : undefined;
    // The files are listed after the index was read: if another writer changes it in the meantime, they are listed again.
    const files = known && folders ? await listSome(store, folders) : await store.list('');
    const index = new Map(known && folders ? known : []);
    for (const folder of known && folders ? folders : foldersOf(files)) {
      const entry = await readEntry(store, folder, files);
      if (entry) index.set(folder, entry);
      else index.delete(folder);
    }
    const bytes = Buffer.from(writeIndex(index));
    if (loaded.is === 'there' && loaded.content.equals(bytes)) return;
    try {
      await store.write(INDEX_FILE, contentOf(bytes), loaded.is === 'there' ? loaded.file.etag : undefined);
      return;
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'changed' || attempt >= ATTEMPTS) throw error;
      await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt));
    }
  }
}

/** @returns undefined for a file that cannot be understood, which is made again */
export async function readIndex(content: Buffer): Promise<RepositoryIndex | undefined> {
  try {
    return await parseIndex(decodeFile(content, INDEX_FILE));
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

async function listSome(store: WritableStore, folders: readonly string[]): Promise<readonly StoredFile[]> {
  const lists = folders.flatMap((folder) => [folder, `releases/${folder}`]).map((path) => store.list(path));
  return (await Promise.all(lists)).flat();
}

function foldersOf(files: readonly StoredFile[]): ReadonlySet<string> {
  const names = files.map(({ path }) => revisionOf(path)?.folder ?? path.split('/')[0] ?? '');
  return new Set(names.filter((name) => NAME_PATTERN.test(name)));
}

/** @returns undefined if there is no such model */
async function readEntry(
  store: WritableStore,
  folder: string,
  files: readonly StoredFile[],
): Promise<IndexEntry | undefined> {
  const own = files.filter(({ path }) => path.startsWith(`${folder}/`));
  const versions = new Set(
    own
      .map(({ path }) => path.slice(folder.length + 1).split('/'))
      .flatMap(([version = '', ...below]) =>
        NAME_PATTERN.test(version) && isVersionFile(below.join('/')) ? version : [],
      ),
  );
  const newest = findRevisions(files).get(folder);
  if (versions.size === 0 && newest === undefined) return undefined;
  const has = (name: string) => own.some(({ path }) => path === `${folder}/${name}`);
  return {
    versions: [...versions].sort(compareVersions),
    ...(has(TRITON_FILE) && (await readPolicyIn(store, `${folder}/${TRITON_FILE}`))),
    revision: newest === undefined ? 0 : (revisionOf(newest.path)?.revision ?? 0),
    ...(newest
      ? await readRelease(store, newest.path)
      : has(DEPLOYMENT_FILE) && (await readAliases(store, `${folder}/${DEPLOYMENT_FILE}`))),
  };
}

async function readText(store: WritableStore, path: string): Promise<string> {
  const loaded = await store.load(path);
  if (loaded.is !== 'there') throw new StoreError('changed', `${path} of ${store.url} is gone.`);
  return decodeFile(loaded.content, path);
}

/** A policy that cannot be understood keeps its model from being served, as it does without an index. */
async function readPolicyIn(
  store: WritableStore,
  path: string,
): Promise<Pick<IndexEntry, 'policy' | 'problem'>> {
  try {
    const policy = await readPolicy(await readText(store, path));
    return policy ? { policy } : {};
  } catch (error) {
    if (error instanceof ModelError) return { problem: error.message };
    throw error;
  }
}

/** A server says of a file that cannot be understood what is wrong with it when it is asked for an alias. */
async function readAliases(store: WritableStore, path: string): Promise<Pick<IndexEntry, 'serving'>> {
  try {
    const { aliases } = await parseDeployment(await readText(store, path));
    return { serving: { aliases, archived: [] } };
  } catch (error) {
    if (error instanceof ModelError) return {};
    throw error;
  }
}

async function readRelease(
  store: WritableStore,
  path: string,
): Promise<Pick<IndexEntry, 'serving' | 'problem'>> {
  try {
    return { serving: await parseServing(await readText(store, path)) };
  } catch (error) {
    if (error instanceof ModelError) return { problem: error.message };
    throw error;
  }
}
