import { createReadStream, type ReadStream, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { ownName, removeLeftovers } from '../leftovers.ts';
import { createLimiter } from '../limiter.ts';
import { StoreError } from '../stores/model-store.ts';
import { allOrNone, type Downloader } from './artifact-download.ts';
import { createArtifactLeases } from './artifact-leases.ts';
import type { CheckedFiles } from './checked-files.ts';
import { listDownloads, PARTIAL } from './downloads.ts';
import { type Artifact, checkContent } from './file-manifest.ts';
import { checkOwnFolder, isOwn, makeOwnFolder } from './own-folder.ts';

export interface ArtifactFolder {
  /**
   * Gives the folder that holds exactly these artifacts, downloading what is missing. Files that another process
   * downloaded are checked once: against their sha256, or where there is none by the time that marks checked files. The
   * folder is held for the caller.
   *
   * @param address a name for the content, the same for the same content in every process
   * @throws StoreError; `unwritable` also when other users can write to the folder
   */
  provide(address: string, artifacts: readonly Artifact[]): Promise<string>;
  /**
   * Holds a folder once more, if its files are still what `provide` gave: none of them was touched since.
   * @returns whether it is held
   * @throws StoreError `unwritable` when other users can write to the folder
   */
  hold(address: string, artifacts: readonly Artifact[]): Promise<boolean>;
  /** To be called as often as the folder was held. */
  release(address: string): Promise<void>;
  /**
   * Removes a folder that nobody holds, here or in another process.
   * @returns whether that happened
   */
  remove(address: string): Promise<boolean>;
}

/** The time of change that files get once they are checked. FAT has no odd seconds, nor years before 1980. */
const CHECKED = new Date('2000-01-01T00:00:00Z');
/** Files that are open at once. */
const OPEN_FILES = 8;
const READ_BYTES = 1024 * 1024;

/** Below the folder of downloads: files and folders that processes make or remove at the moment. */
export const TEMPORARY_FOLDER = '.ternion-tmp';

/**
 * A folder of downloads that several processes may share, and any of them may die at any moment:
 *
 *     <address>/                complete; it appears by one rename, and goes away by one while nobody holds it
 *     <address>.partial/        checked files of an incomplete download; the next process completes it
 *     .ternion-tmp/<own name>   a file that one process is writing, or a folder that it removes
 *     .ternion-marks/           who uses which address
 *
 * Names below `<address>.partial/` only ever appear by a rename of a checked file, and only go away once `<address>/`
 * is there. So a rename of the one to the other, which fails when the other is there, never shows half a version.
 * Where a download finds no space, the folders that were used longest ago make room, and it is tried once more. Each
 * checked file has the same time of change: a file that was changed later has another.
 *
 * All folders are this user's alone: nothing is read, written or removed where another user could have put a link.
 */
export function createArtifactFolder(
  root: string,
  downloader: Downloader,
  checked: CheckedFiles,
): ArtifactFolder {
  const temporary = join(root, TEMPORARY_FOLDER);
  const leases = createArtifactLeases(root);
  const limitFiles = createLimiter(OPEN_FILES);
  let prepared: Promise<void> | undefined;

  /** Whether a folder is there with all artifacts, as they were downloaded. */
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
    // Copies of a folder, such as layers of container images, keep whole seconds.
    if (artifact.sha256 === undefined && Math.floor(facts.mtimeMs / 1000) !== CHECKED.getTime() / 1000)
      return false;
    return await checked.check(artifact, path).then(
      () => true,
      () => false,
    );
  }

  /** Downloads one file, checks it, and shows it under its name. */
  async function addFile(artifact: Artifact, folder: string, signal: AbortSignal): Promise<void> {
    const target = join(folder, artifact.path);
    const name = join(temporary, ownName());
    try {
      for (const parent of parentsOf(artifact.path)) await makeOwnFolder(join(folder, parent));
      if (await isWhole(folder, artifact)) return;
      await writeFile(artifact, name, downloader, signal);
      await checkContent(artifact, async () => openFile(name));
      // Some network drives keep no times: there each process downloads anew what has no checksum.
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
            // Bytes can be damaged on their way; when they are damaged twice, they lie damaged in the store.
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
    // Something took files out of the complete folder: they are put back one by one.
    const damaged = await checkOwnFolder(folder);
    const target = damaged ? folder : partial;
    try {
      await makeOwnFolder(target);
      await fill(target, artifacts);
      if (!damaged) await rename(partial, folder);
    } catch (error) {
      // Another process was faster, and with its rename took the partial folder away from this one.
      if (!(await isComplete(folder, artifacts))) throw toDiskError(error, root);
      // It may still be written to by a third one, which will then remove it.
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Shows a folder no more, and only then removes its files. */
  async function removeFolder(name: string): Promise<void> {
    await prepare();
    const hidden = join(temporary, ownName());
    await rename(join(root, name), hidden);
    await rm(hidden, { recursive: true, force: true });
  }

  /** Removes what was used longest ago, until as many bytes are free again. */
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
    provide: async (address, artifacts) => {
      const folder = join(root, address);
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
      return folder;
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

/** The facts of a file that is there in its size; undefined also for links and what other users can change. */
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

async function writeFile(artifact: Artifact, name: string, downloader: Downloader, signal: AbortSignal) {
  const handle = await open(name, 'wx', 0o600);
  try {
    await downloader.download(
      artifact.source,
      (chunk, position) => writeFully(handle, chunk, position),
      signal,
    );
  } finally {
    await handle.close();
  }
}

/** One write may take only a part of a chunk. */
async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

/** Errors of the store are StoreErrors by now; those that still have a code come from this machine's disk. */
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
