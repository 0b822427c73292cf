import { createReadStream, type ReadStream, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { ownName, removeLeftovers } from '../leftovers.ts';
import { createLimiter } from '../limiter.ts';
import { nodeCrypto } from '../node-modules.ts';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';
import {
  allOrNone,
  createDownloader,
  type Downloader,
  type DownloadOptions,
  type Sink,
} from './artifact-download.ts';
import { createArtifactLeases } from './artifact-leases.ts';
import type { CheckedFiles } from './checked-files.ts';
import { listDownloads, PARTIAL } from './downloads.ts';
import { type Artifact, checkContent, checkHash } from './file-manifest.ts';
import { hashFile, LARGE_BYTES } from './hash-file.ts';
import { checkOwnFolder, isOwn, makeOwnFolder } from './own-folder.ts';

export interface ArtifactFolder {
  /**
   * Provides the folder that holds exactly these artifacts, and downloads what is missing. Files that another process
   * downloaded are checked once: against their sha256 or, without one, by the modification time that marks checked
   * files. The folder is held for the caller.
   *
   * @returns its path, and its address: a name for the content, the same for the same content in every process
   * @throws StoreError; `unwritable` also when other users can write to the folder
   */
  provide(artifacts: readonly Artifact[]): Promise<{ readonly path: string; readonly address: string }>;
  /**
   * Holds a folder once more, if none of its files was touched since `provide` returned it.
   * @returns whether the folder is held now
   * @throws StoreError `unwritable` when other users can write to the folder
   */
  hold(address: string, artifacts: readonly Artifact[]): Promise<boolean>;
  /**
   * Reads a small file of the store into memory.
   * @throws StoreError
   */
  read(file: StoredFile): Promise<Buffer>;
  /** Ends one hold; call it once for each time that the folder was held. */
  release(address: string): Promise<void>;
  /**
   * Removes a folder that nobody holds, here or in another process.
   * @returns whether that happened
   */
  remove(address: string): Promise<boolean>;
}

interface FolderOptions {
  readonly root: string;
  readonly store: ModelStore;
  readonly download: DownloadOptions;
  readonly checked: CheckedFiles;
}

/** The modification time that files get once they are checked. FAT stores neither odd seconds nor years before 1980. */
const CHECKED = new Date('2000-01-01T00:00:00Z');
/** Most files that are open at once. */
const OPEN_FILES = 8;
const READ_BYTES = 1024 * 1024;

/** Below the folder of downloads: files and folders that processes are creating or removing. */
export const TEMPORARY_FOLDER = '.ternion-tmp';

/**
 * A folder of downloads that several processes may share. Any of them may die at any moment:
 *
 *     <address>/                complete; one rename creates it, and one rename removes it while nobody holds it
 *     <address>.partial/        checked files of an incomplete download; the next process completes it
 *     .ternion-tmp/<own name>   a file that one process is writing, or a folder that it removes
 *     .ternion-marks/           who uses which address
 *
 * Names below `<address>.partial/` appear only when a checked file is renamed, and disappear only once `<address>/`
 * exists. The rename of `<address>.partial/` to `<address>/` fails if the latter exists, so half a version is never
 * visible. If there is no space for a download, the least recently used folders are removed, and the download is tried
 * once more. All checked files have the same modification time; a file that was changed later has a different one.
 *
 * All folders belong to this user alone: nothing is read, written or removed where another user could have put a link.
 */
export function createArtifactFolder({ root, store, download, checked }: FolderOptions): ArtifactFolder {
  const downloader = createDownloader(store, download);
  const temporary = join(root, TEMPORARY_FOLDER);
  const leases = createArtifactLeases(root);
  const limitFiles = createLimiter(OPEN_FILES);
  let prepared: Promise<void> | undefined;

  /** Whether a folder exists and holds all artifacts as they were downloaded. */
  async function isComplete(folder: string, artifacts: readonly Artifact[]): Promise<boolean> {
    if (!(await hasOwnFolders(folder, artifacts))) return false;
    for (const artifact of artifacts) {
      if (!(await isWhole(folder, artifact))) return false;
    }
    return true;
  }

  async function isUntouched(folder: string, artifacts: readonly Artifact[]): Promise<boolean> {
    if (!(await checkOwnFolder(root)) || !(await hasOwnFolders(folder, artifacts))) return false;
    const found = await Promise.all(
      artifacts.map(
        async (artifact) =>
          (await findFile(folder, artifact)) !== undefined &&
          (await checked.isUnchanged(artifact, join(folder, artifact.path))),
      ),
    );
    return !found.includes(false);
  }

  /** Whether a file is what was downloaded. */
  async function isWhole(folder: string, artifact: Artifact): Promise<boolean> {
    const path = join(folder, artifact.path);
    const facts = await findFile(folder, artifact);
    if (!facts) return false;
    if (await checked.isUnchanged(artifact, path)) return true;
    // Copies of a folder, such as layers of container images, keep times in whole seconds.
    if (artifact.sha256 === undefined && Math.floor(facts.mtimeMs / 1000) !== CHECKED.getTime() / 1000)
      return false;
    return await checked.check(artifact, path).then(
      () => true,
      () => false,
    );
  }

  /** Downloads one file, checks it, and renames it to its final name. */
  async function addFile(artifact: Artifact, folder: string, signal: AbortSignal): Promise<void> {
    const target = join(folder, artifact.path);
    const name = join(temporary, ownName());
    try {
      for (const parent of parentsOf(artifact.path)) await makeOwnFolder(join(folder, parent));
      if (await isWhole(folder, artifact)) return;
      await writeFile(artifact, name, downloader, signal);
      // Some network drives do not keep times: on them each process downloads files without a checksum again.
      await utimes(name, new Date(), CHECKED).catch(() => undefined);
      await rename(name, target);
      await checked.note(artifact, target);
    } catch (error) {
      throw toDiskError(error, root, artifact);
    } finally {
      await rm(name, { force: true });
    }
  }

  async function fill(folder: string, artifacts: readonly Artifact[]): Promise<void> {
    await allOrNone(undefined, (signal) =>
      artifacts.map((artifact) =>
        limitFiles(async () => {
          signal.throwIfAborted();
          await addFile(artifact, folder, signal).catch(async (error: unknown) => {
            // Bytes can be damaged in transit; if they arrive damaged twice, the file in the store is damaged.
            if (!(error instanceof StoreError) || error.reason !== 'corrupt') throw error;
            await addFile(artifact, folder, signal);
          });
        }),
      ),
    );
  }

  async function prepare(): Promise<void> {
    prepared ??= (async () => {
      await makeOwnFolder(root);
      await makeOwnFolder(temporary);
      await removeLeftovers(temporary);
    })();
    try {
      await prepared;
    } catch (error) {
      prepared = undefined;
      throw toDiskError(error, root);
    }
  }

  async function complete(address: string, artifacts: readonly Artifact[]): Promise<void> {
    const folder = join(root, address);
    if (await isComplete(folder, artifacts)) return;
    await prepare();
    const partial = `${folder}${PARTIAL}`;
    // Something removed files from the complete folder; restore them one by one.
    const damaged = await checkOwnFolder(folder);
    const target = damaged ? folder : partial;
    try {
      await makeOwnFolder(target);
      await fill(target, artifacts);
      if (!damaged) await rename(partial, folder);
    } catch (error) {
      // Another process was faster, and renamed the partial folder away.
      if (!(await isComplete(folder, artifacts))) throw toDiskError(error, root);
      // A third process may still be writing to it; that process will then remove it.
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Renames a folder out of sight, then removes its files. */
  async function removeFolder(name: string): Promise<void> {
    await prepare();
    const hidden = join(temporary, ownName());
    await rename(join(root, name), hidden);
    await rm(hidden, { recursive: true, force: true });
  }

  /** Removes the least recently used downloads until this many bytes are freed. */
  async function makeRoom(sizeBytes: number): Promise<boolean> {
    let freedBytes = 0;
    for (const download of await listDownloads(root)) {
      if (freedBytes >= sizeBytes) break;
      const isGone = await leases.evict(download.address, () => removeFolder(download.name));
      if (isGone) freedBytes += download.sizeBytes;
    }
    return freedBytes > 0;
  }

  return {
    provide: async (artifacts) => {
      const address = addressOf(store, artifacts);
      await checkOwnFolder(root);
      await leases.take(address);
      try {
        await complete(address, artifacts).catch(async (error: unknown) => {
          if (!(error instanceof StoreError) || error.reason !== 'no-space') throw error;
          if (!(await makeRoom(sumSizes(artifacts)))) throw error;
          await complete(address, artifacts);
        });
      } catch (error) {
        await leases.drop(address);
        throw error;
      }
      return { path: join(root, address), address };
    },
    read: async (file) => {
      const content = Buffer.alloc(file.sizeBytes);
      const sink: Sink = async (bytes, position) => content.set(bytes, position);
      await downloader.download(file, sink, new AbortController().signal);
      return content;
    },
    hold: async (address, artifacts) => {
      await leases.take(address);
      let isHeld = false;
      try {
        isHeld = await isUntouched(join(root, address), artifacts);
      } finally {
        if (!isHeld) await leases.drop(address);
      }
      return isHeld;
    },
    release: leases.drop,
    remove: async (address) => await leases.evict(address, () => removeFolder(address)),
  };
}

function sumSizes(artifacts: readonly Artifact[]): number {
  return artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/**
 * The facts of a file of the expected size; undefined for missing files, links, and files that other users can change.
 */
async function findFile(folder: string, { path, sizeBytes }: Artifact): Promise<Stats | undefined> {
  const facts = await lstat(join(folder, path)).catch(() => undefined);
  return facts?.isFile() && isOwn(facts) && facts.size === sizeBytes ? facts : undefined;
}

async function hasOwnFolders(folder: string, artifacts: readonly Artifact[]): Promise<boolean> {
  const parents = new Set(artifacts.flatMap(({ path }) => parentsOf(path)));
  for (const parent of ['', ...parents]) {
    if (!(await checkOwnFolder(join(folder, parent)))) return false;
  }
  return true;
}

/** `a/b/c.onnx` is in `a` and `a/b`. */
function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function openFile(path: string): ReadStream {
  return createReadStream(path, { highWaterMark: READ_BYTES });
}

/**
 * Downloads a file, and compares what is on the disk with its sha256 if that is known. A large file is hashed while it
 * arrives.
 *
 * @throws DamageError when the content differs
 */
async function writeFile(artifact: Artifact, name: string, downloader: Downloader, signal: AbortSignal) {
  const { source, sizeBytes, sha256 } = artifact;
  const handle = await open(name, 'wx', 0o600);
  const isHashed = sha256 !== undefined && sizeBytes >= LARGE_BYTES;
  const hash = isHashed ? await hashFile(name, sizeBytes, 0) : undefined;
  const follow = createFollower((toBytes) => hash?.advance(toBytes));
  try {
    const sink: Sink = async (bytes, position) => follow(position, await writeFully(handle, bytes, position));
    await downloader.download(source, sink, signal);
    if (hash) checkHash(artifact, await hash.digest());
  } finally {
    await Promise.all([handle.close(), hash?.stop()]);
  }
  if (!hash) await checkContent(artifact, async () => openFile(name));
}

/** Follows up to where a file is complete, while ranges of it are written in any order. */
function createFollower(advance: (toBytes: number) => void): (start: number, end: number) => void {
  let front = 0;
  const ends = new Map<number, number>();
  return (start, end) => {
    ends.set(start, end);
    for (let next = ends.get(front); next !== undefined; next = ends.get(front)) {
      ends.delete(front);
      front = next;
    }
    advance(front);
  };
}

/**
 * One write may take only a part of the bytes.
 * @returns the position after the last byte
 */
async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  const { bytesWritten } = await handle.write(bytes, 0, bytes.length, position);
  const next = position + bytesWritten;
  return bytesWritten < bytes.length ? await writeFully(handle, bytes.subarray(bytesWritten), next) : next;
}

/** Errors of the store are already StoreErrors; errors that still have a code come from this machine's disk. */
export function toDiskError(error: unknown, root: string, artifact?: Artifact): unknown {
  const code = systemCodeOf(error);
  if (error instanceof StoreError || code === undefined || code === 'ABORT_ERR') return error;
  const what = artifact ? `${artifact.source.path} (${artifact.sizeBytes} bytes)` : 'model files';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const message = `No space left for ${what} in ${root}: give the server a larger disk or set MODEL_CACHE_FOLDER.`;
    return new StoreError('no-space', message, error);
  }
  const message = `Cannot write ${what} to ${root} (${String(code)}): set MODEL_CACHE_FOLDER to a writable folder.`;
  return new StoreError('unwritable', message, error);
}

/**
 * The name of the content. With checksums it depends only on the bytes, so equal versions share their files. An etag
 * identifies content only under its own path.
 */
function addressOf(store: ModelStore, artifacts: readonly Artifact[]): string {
  const lines = artifacts
    .map(({ path, sizeBytes, sha256, source }) =>
      JSON.stringify(
        sha256 ? [path, sizeBytes, sha256] : [path, sizeBytes, source.etag, store.url, source.path],
      ),
    )
    .sort();
  return nodeCrypto().createHash('sha256').update(lines.join('\n')).digest('hex');
}
