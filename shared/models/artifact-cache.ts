import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { loadOnce } from '../memo.ts';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';
import type { DownloadOptions } from './artifact-download.ts';
import { createCheckedFiles } from './checked-files.ts';
import {
  type Artifact,
  isPlainPath,
  MANIFEST_FILE,
  ManifestError,
  parseFileManifest,
  selectArtifacts,
} from './file-manifest.ts';
import { LARGE_BYTES } from './hash-file.ts';

export interface ArtifactCacheOptions extends DownloadOptions {
  readonly store: ModelStore;
  /** Where downloads are kept; made when first needed, for this user alone. */
  readonly folder: string;
}

export interface ArtifactCache {
  /**
   * Makes the files below one folder of the repository available on this machine, checked against its `files.json` when
   * it has one. Versions are immutable: what was fetched once is not requested again while its files are unchanged
   * since their check. A file that was touched since is checked again. If its content differs, it is refused in a local
   * store, and downloaded again from a remote one.
   *
   * @param folder a model version's folder in the repository, such as `iris/2`
   * @returns the path of the folder that holds the files; they stay until it is released as often as it was fetched
   * @throws StoreError
   */
  fetchFolder(folder: string): Promise<string>;
  /**
   * The same, but large files of a local store may still be hashed in other threads when it resolves. The caller waits
   * for a file before it parses it, and for all of them before it uses a result.
   *
   * @param listed the files below the folder, if they are known: that saves a listing
   */
  beginFolder(folder: string, listed?: readonly StoredFile[]): Promise<BegunFolder>;
  /**
   * The caller no longer uses the files; they may be removed to make room.
   * @param path what `fetchFolder` gave
   */
  releaseFolder(path: string): Promise<void>;
  /** Removes downloads of folders that the repository no longer has, once nothing uses them. */
  removeExcept(folders: ReadonlySet<string>): Promise<void>;
}

/** A folder whose large files may still be compared with its `files.json`. */
export interface BegunFolder {
  readonly path: string;
  /**
   * Resolves once these files are known to be what `files.json` says.
   *
   * @param isWanted whether to wait for a file, by its path below the folder; all by default
   * @throws DamageError
   */
  checked(isWanted?: (path: string) => boolean): Promise<void>;
}

interface Fetched extends BegunFolder {
  /** Its name among the downloads; undefined for a folder of the store itself. */
  readonly address: string | undefined;
  readonly artifacts: readonly Artifact[];
}

/** Largest `files.json`; it is the only file that is read into memory. */
const MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024;

/** Brings model versions from a store to this machine, each once. A store's own local folder is used in place. */
export function createArtifactCache(options: ArtifactCacheOptions): ArtifactCache {
  const { store } = options;
  const checked = createCheckedFiles();
  /** The folder of downloads, which a local store never needs. */
  const downloads = loadOnce(async () => {
    const { createArtifactFolder } = await import('./artifact-folder.ts');
    return createArtifactFolder({ root: options.folder, store, download: options, checked });
  });
  // Only folders that were fetched stay in it, so clients cannot make it grow.
  const fetched = new Map<string, Promise<Fetched>>();

  async function fetchOnce(folder: string, known?: readonly StoredFile[]): Promise<Fetched> {
    const artifacts = await describe(folder, known ?? (await store.list(folder)));
    if (store.localPath) {
      const checks = await checkInPlace(artifacts, store.localPath);
      return { path: store.localPath(folder), address: undefined, artifacts, checked: waitFor(checks) };
    }
    const { path, address } = await (await downloads()).provide(artifacts);
    return { path, address, artifacts, checked: async () => undefined };
  }

  /** @returns the checks of large files, which are still running, by their paths below the folder */
  async function checkInPlace(
    artifacts: readonly Artifact[],
    localPath: (path: string) => string,
  ): Promise<ReadonlyMap<string, Promise<void>>> {
    const checks = new Map<string, Promise<void>>();
    const isLarge = ({ sha256, sizeBytes }: Artifact) => sha256 !== undefined && sizeBytes >= LARGE_BYTES;
    for (const artifact of artifacts.filter(isLarge)) {
      // The store refuses a link out of the repository, and a file that has changed since it was listed.
      (await store.read(artifact.source, 0, 0)).destroy();
      const { done } = await checked.begin(artifact, localPath(artifact.source.path));
      checks.set(artifact.path, done);
    }
    for (const artifact of artifacts.filter((each) => !isLarge(each))) {
      const read = () => store.read(artifact.source, 0, artifact.sizeBytes);
      await checked.check(artifact, localPath(artifact.source.path), read);
    }
    return checks;
  }

  async function describe(folder: string, listed: readonly StoredFile[]): Promise<Artifact[]> {
    if (listed.length === 0) throw new StoreError('missing', `${store.url} has no files below ${folder}.`);
    const prefix = folder && `${folder}/`;
    const manifest = listed.find(({ path }) => path === prefix + MANIFEST_FILE);
    if (!manifest) return selectArtifacts(listed, prefix, undefined);
    if (manifest.sizeBytes > MANIFEST_LIMIT_BYTES) {
      const problem = `${MANIFEST_FILE} has more than ${MANIFEST_LIMIT_BYTES} bytes`;
      throw new ManifestError('corrupt', prefix, problem);
    }
    const content = store.localPath
      ? await readStream(await store.read(manifest, 0, manifest.sizeBytes))
      : await (await downloads()).read(manifest);
    return selectArtifacts(listed, prefix, await parseFileManifest(content.toString('utf8'), prefix));
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

  function start(folder: string, listed?: readonly StoredFile[]): Promise<Fetched> {
    const fetching = fetchOnce(folder, listed).catch((error: unknown) => {
      // The listing was out of date; the next one has the current files. Some may have been repaired since.
      const isOld =
        error instanceof StoreError &&
        (error.reason === 'changed' ||
          (listed !== undefined && (error.reason === 'missing' || error instanceof ManifestError)));
      if (isOld) return fetchOnce(folder);
      throw error;
    });
    fetched.set(folder, fetching);
    fetching.catch(() => forget(folder, fetching));
    return fetching;
  }

  function forget(folder: string, known: Promise<Fetched>): void {
    if (fetched.get(folder) === known) fetched.delete(folder);
  }

  /** Where the files of a folder are; undefined if a download failed. */
  async function readEntry([folder, known]: readonly [string, Promise<Fetched>]) {
    const found = await known.catch(() => undefined);
    return { folder, known, address: found?.address };
  }

  async function beginFolder(folder: string, listed?: readonly StoredFile[]): Promise<BegunFolder> {
    if (folder !== '' && !isPlainPath(folder)) {
      throw new StoreError('missing', `${JSON.stringify(folder)} is not a folder of a model repository.`);
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const earlier = fetched.get(folder);
      const known = earlier ?? start(folder, attempt === 1 ? listed : undefined);
      const found = await known;
      const { address, artifacts } = found;
      if (address === undefined) {
        // Local folders are edited.
        if (await areUntouched(artifacts)) return found;
      } else {
        // The process that downloaded it holds it, but other programs clean temporary folders.
        if (earlier === undefined || (await (await downloads()).hold(address, artifacts))) return found;
      }
      forget(folder, known);
    }
    throw new StoreError(
      'changed',
      `The files of ${folder} keep changing or disappearing after they are fetched.`,
    );
  }

  return {
    fetchFolder: async (folder) => {
      const { path, checked } = await beginFolder(folder);
      await checked();
      return path;
    },
    beginFolder,
    releaseFolder: async (path) => {
      if (!store.localPath) await (await downloads()).release(basename(path));
    },
    removeExcept: async (folders) => {
      const all = await Promise.all([...fetched].map(readEntry));
      const kept = new Set(all.flatMap(({ folder, address }) => (folders.has(folder) ? [address] : [])));
      for (const { folder, address, known } of all) {
        if (folders.has(folder)) continue;
        // Equal versions share their files.
        if (address === undefined || kept.has(address) || (await (await downloads()).remove(address)))
          forget(folder, known);
      }
    },
  };
}

/** The bytes of a stream of a local store, whose chunks share their memory. */
async function readStream(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function waitFor(checks: ReadonlyMap<string, Promise<void>>): BegunFolder['checked'] {
  return async (isWanted = () => true) => {
    await Promise.all([...checks].filter(([path]) => isWanted(path)).map(([, check]) => check));
  };
}

/**
 * How often a folder is fetched at most. Other programs can change or remove its files before they are used, but hardly
 * this often.
 */
const ATTEMPTS = 3;
