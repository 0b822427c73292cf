import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type ModelStore, StoreError } from '../stores/model-store.ts';
import { createDownloader, type DownloadOptions } from './artifact-download.ts';
import { createArtifactFolder } from './artifact-folder.ts';
import { createCheckedFiles } from './checked-files.ts';
import {
  type Artifact,
  isPlainPath,
  MANIFEST_FILE,
  ManifestError,
  parseFileManifest,
  selectArtifacts,
} from './file-manifest.ts';

export interface ArtifactCacheOptions extends DownloadOptions {
  readonly store: ModelStore;
  /** Where downloads are kept; made when first needed, for this user alone. */
  readonly folder: string;
}

export interface ArtifactCache {
  /**
   * Makes the files below one folder of the repository available on this machine, checked against its `files.json`
   * when it has one. Versions are immutable: what was fetched once is not asked for again while its files are there as
   * they were checked. A file that was touched since is checked anew: in a folder of this machine it is refused when it
   * holds something else, among the downloads it is downloaded again.
   *
   * @param folder a model version's folder in the repository, such as `iris/2`
   * @returns the path of the folder that holds the files; they stay until it is released as often as it was fetched
   * @throws StoreError
   */
  fetchFolder(folder: string): Promise<string>;
  /**
   * The files are not used any more, and may make room for others.
   * @param path what `fetchFolder` gave
   */
  releaseFolder(path: string): Promise<void>;
  /** Removes downloads of folders that the repository does not have any more, as soon as they are not used. */
  removeExcept(folders: ReadonlySet<string>): Promise<void>;
}

interface Fetched {
  readonly path: string;
  /** Its name among the downloads; undefined for a folder of the store itself. */
  readonly address: string | undefined;
  readonly artifacts: readonly Artifact[];
}

/** Largest `files.json`; it is the one file that is read into memory. */
const MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024;

/** Brings model versions from a store to this machine, each once. A store's own local folder is used in place. */
export function createArtifactCache(options: ArtifactCacheOptions): ArtifactCache {
  const { store } = options;
  const downloader = createDownloader(store, options);
  const checked = createCheckedFiles();
  const downloads = createArtifactFolder(options.folder, downloader, checked);
  // Only folders that were fetched stay in it, so clients cannot make it grow.
  const fetched = new Map<string, Promise<Fetched>>();

  async function fetchOnce(folder: string): Promise<Fetched> {
    const artifacts = await describe(folder);
    if (store.localPath) {
      for (const artifact of artifacts) {
        const read = () => store.read(artifact.source, 0, artifact.sizeBytes);
        await checked.check(artifact, store.localPath(artifact.source.path), read);
      }
      return { path: store.localPath(folder), address: undefined, artifacts };
    }
    const address = addressOf(store, artifacts);
    return { path: await downloads.provide(address, artifacts), address, artifacts };
  }

  async function describe(folder: string): Promise<Artifact[]> {
    const listed = await store.list(folder);
    if (listed.length === 0) throw new StoreError('missing', `${store.url} has no files below ${folder}.`);
    const prefix = folder && `${folder}/`;
    const manifest = listed.find(({ path }) => path === prefix + MANIFEST_FILE);
    if (!manifest) return selectArtifacts(listed, prefix, undefined);
    if (manifest.sizeBytes > MANIFEST_LIMIT_BYTES) {
      const problem = `${MANIFEST_FILE} has more than ${MANIFEST_LIMIT_BYTES} bytes`;
      throw new ManifestError('corrupt', prefix, problem);
    }
    const content = Buffer.alloc(manifest.sizeBytes);
    const sink = async (chunk: Uint8Array, position: number) => content.set(chunk, position);
    await downloader.download(manifest, sink, new AbortController().signal);
    return selectArtifacts(listed, prefix, parseFileManifest(content.toString('utf8'), prefix));
  }

  async function areUntouched(artifacts: readonly Artifact[]): Promise<boolean> {
    const found = await Promise.all(
      artifacts.map(async (artifact) => {
        const path = store.localPath?.(artifact.source.path);
        return path !== undefined && (await checked.isUnchanged(artifact, path));
      }),
    );
    return !found.includes(false);
  }

  function start(folder: string): Promise<Fetched> {
    const fetching = fetchOnce(folder).catch((error: unknown) => {
      // A listing that was out of date: the next one has what is there now.
      if (error instanceof StoreError && error.reason === 'changed') return fetchOnce(folder);
      throw error;
    });
    fetched.set(folder, fetching);
    fetching.catch(() => forget(folder, fetching));
    return fetching;
  }

  function forget(folder: string, known: Promise<Fetched>): void {
    if (fetched.get(folder) === known) fetched.delete(folder);
  }

  /** Where the files of a folder are; a download that fails is nowhere. */
  async function readEntry([folder, known]: readonly [string, Promise<Fetched>]) {
    const found = await known.catch(() => undefined);
    return { folder, known, address: found?.address };
  }

  return {
    fetchFolder: async (folder) => {
      if (folder !== '' && !isPlainPath(folder)) {
        throw new StoreError('missing', `${JSON.stringify(folder)} is not a folder of a model repository.`);
      }
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const earlier = fetched.get(folder);
        const known = earlier ?? start(folder);
        const { path, address, artifacts } = await known;
        if (address === undefined) {
          // Local folders are edited.
          if (await areUntouched(artifacts)) return path;
        } else {
          // Who had it downloaded holds it. Temp folders are cleaned by others.
          if (earlier === undefined || (await downloads.hold(address, artifacts))) return path;
        }
        forget(folder, known);
      }
      throw new StoreError(
        'changed',
        `The files of ${folder} are removed again each time they have been downloaded.`,
      );
    },
    releaseFolder: async (path) => {
      if (!store.localPath) await downloads.release(basename(path));
    },
    removeExcept: async (folders) => {
      const all = await Promise.all([...fetched].map(readEntry));
      const kept = new Set(all.flatMap(({ folder, address }) => (folders.has(folder) ? [address] : [])));
      for (const { folder, address, known } of all) {
        if (folders.has(folder)) continue;
        // Equal versions share their files.
        if (address === undefined || kept.has(address) || (await downloads.remove(address)))
          forget(folder, known);
      }
    },
  };
}

/** Others can remove files between their download and the moment that they are held, but not time and again. */
const ATTEMPTS = 3;

/**
 * The name of the content. With checksums it depends on the bytes alone, so equal versions share their files; an etag
 * says nothing beyond its own path.
 */
function addressOf(store: ModelStore, artifacts: readonly Artifact[]): string {
  const lines = artifacts
    .map(({ path, sizeBytes, sha256, source }) =>
      JSON.stringify(
        sha256 ? [path, sizeBytes, sha256] : [path, sizeBytes, source.etag, store.url, source.path],
      ),
    )
    .sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
