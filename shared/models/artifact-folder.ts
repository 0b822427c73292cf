import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import { StoreError } from '../stores/model-store.ts';
import { allOrNone, type Downloader } from './artifact-download.ts';
import { createArtifactLeases } from './artifact-leases.ts';
import { listDownloads, PARTIAL } from './downloads.ts';
import { type Artifact, checkContent } from './file-manifest.ts';
import { removeLeftovers } from './leftovers.ts';

export interface ArtifactFolder {
  /**
   * Gives the folder that holds exactly these artifacts, downloading what is missing.
   *
   * @param address a name for the content, the same for the same content in every process
   */
  provide(address: string, artifacts: readonly Artifact[]): Promise<string>;
  /** Keeps a folder, if it is there, until it was released as often as it was held. */
  hold(address: string): Promise<void>;
  release(address: string): Promise<void>;
  /**
   * Removes a folder that nobody holds, here or in another process.
   * @returns whether that happened
   */
  remove(address: string): Promise<boolean>;
}

/** Files that are open at once. */
const OPEN_FILES = 8;
const READ_BYTES = 1024 * 1024;

/**
 * A folder of downloads that several processes may share, and any of them may die at any moment:
 *
 *     <address>/           complete; it appears by one rename, and goes away by one while nobody holds it
 *     <address>.partial/   checked files of a download that is not complete yet; whoever comes next goes on with them
 *     tmp/<pid>-<uuid>     a file that one process is writing, or a folder that it removes
 *     marks/               who uses which address
 *
 * Names below `<address>.partial/` only ever appear by a rename of a checked file, and only go away once `<address>/`
 * is there. So a rename of the one to the other, which fails when the other is there, never shows half a version.
 * Where a download finds no space, the folders that were used longest ago make room, and it is tried once more.
 */
export function createArtifactFolder(root: string, downloader: Downloader): ArtifactFolder {
  const temporary = join(root, 'tmp');
  const leases = createArtifactLeases(root);
  const limitFiles = createLimiter(OPEN_FILES);
  let prepared: Promise<void> | undefined;

  /** Downloads one file, checks it, and shows it under its name. */
  async function addFile(artifact: Artifact, folder: string, signal: AbortSignal): Promise<void> {
    const target = join(folder, artifact.path);
    if (await hasSize(target, artifact.sizeBytes)) return;
    const name = join(temporary, `${process.pid}-${randomUUID()}`);
    try {
      await writeFile(artifact, name, downloader, signal);
      await checkContent(artifact, async () => createReadStream(name, { highWaterMark: READ_BYTES }));
      await mkdir(dirname(target), { recursive: true });
      await rename(name, target);
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
    try {
      await mkdir(temporary, { recursive: true, mode: 0o700 });
    } catch (error) {
      prepared = undefined;
      throw toDiskError(error, root, undefined);
    }
    await removeLeftovers(temporary);
  }

  async function complete(folder: string, artifacts: readonly Artifact[]): Promise<void> {
    if (await hasFiles(folder, artifacts)) return;
    prepared ??= prepare();
    await prepared;
    const partial = `${folder}${PARTIAL}`;
    // Something took files out of the complete folder: they are put back one by one.
    const damaged = await exists(folder);
    try {
      await fill(damaged ? folder : partial, artifacts);
      if (!damaged) await rename(partial, folder);
    } catch (error) {
      // Another process was faster, and with its rename took the partial folder away from this one.
      if (!(await hasFiles(folder, artifacts))) throw toDiskError(error, root, undefined);
      // It may still be written to by a third one, which will then remove it.
      await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Shows a folder no more, and only then removes its files. */
  async function removeFolder(name: string): Promise<void> {
    prepared ??= prepare();
    await prepared;
    const hidden = join(temporary, `${process.pid}-${randomUUID()}`);
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
      await leases.take(address);
      try {
        await complete(folder, artifacts).catch(async (error: unknown) => {
          if (!(error instanceof StoreError) || error.reason !== 'no-space') throw error;
          if (!(await makeRoom(sumSizes(artifacts)))) throw error;
          await complete(folder, artifacts);
        });
      } finally {
        await leases.drop(address);
      }
      return folder;
    },
    hold: leases.take,
    release: leases.drop,
    remove: async (address) => await leases.evict(address, () => removeFolder(address)),
  };
}

function sumSizes(artifacts: readonly Artifact[]): number {
  return artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Whether a folder has all artifacts in their size. */
export async function hasFiles(folder: string, artifacts: readonly Artifact[]): Promise<boolean> {
  for (const { path, sizeBytes } of artifacts) {
    if (!(await hasSize(join(folder, path), sizeBytes))) return false;
  }
  return true;
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

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function hasSize(path: string, sizeBytes: number): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.size === sizeBytes;
}

/** Errors of the store are StoreErrors by now; those that still have a code come from this machine's disk. */
function toDiskError(error: unknown, root: string, artifact: Artifact | undefined): unknown {
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
