import { createHash } from 'node:crypto';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { ownName, removeLeftovers } from '../leftovers.ts';
import { makeFolder } from '../make-folder.ts';
import { etagOf } from './file-facts.ts';
import { withFileLock } from './file-lock.ts';
import { type NewContent, type StoredFile, StoreError } from './model-store.ts';
import { checkWritePath } from './write-path.ts';

/** A folder next to the written files, with what a writer needs until it is done. No store lists it. */
const TEMPORARY_FOLDER = '.ternion-tmp';

/**
 * Writes a file of a repository in a folder, as `WritableStore.write` describes. The new content is written next to it,
 * checked and synced to the disk, and only then renamed.
 */
export async function writeFile(
  root: string,
  path: string,
  content: NewContent,
  replaced: string | undefined,
): Promise<StoredFile> {
  checkWritePath(path);
  const target = join(root, path);
  try {
    await makeFolder(dirname(target));
    await checkNoLinks(root, dirname(target));
    await withTemporaryFolder(dirname(target), async (temporary) => {
      const file = join(temporary, 'content');
      await fill(file, path, content);
      await withFileLock(target, join(temporary, 'lock'), () => show(file, target, replaced));
    });
    const facts = await stat(target, { bigint: true });
    return { path, sizeBytes: Number(facts.size), etag: etagOf(facts) };
  } catch (error) {
    throw toWriteError(error, target);
  }
}

/** Removes a file of a repository in a folder, as `WritableStore.remove` describes. */
export async function removeFile(root: string, { path, etag }: StoredFile): Promise<void> {
  checkWritePath(path);
  const target = join(root, path);
  try {
    await checkNoLinks(root, dirname(target));
    await withTemporaryFolder(dirname(target), (temporary) =>
      withFileLock(target, join(temporary, 'lock'), async () => {
        if ((await etagAt(target)) !== etag) throw changed(target);
        await rm(target);
      }),
    );
  } catch (error) {
    // Its folder does not exist.
    throw systemCodeOf(error) === 'ENOENT' ? changed(target) : toWriteError(error, target);
  }
}

async function withTemporaryFolder(folder: string, use: (path: string) => Promise<void>): Promise<void> {
  const temporaries = join(folder, TEMPORARY_FOLDER);
  const path = join(temporaries, ownName());
  await makeIn(path);
  try {
    await removeLeftovers(temporaries);
    await use(path);
  } finally {
    await rm(path, { recursive: true, force: true });
    await rmdir(temporaries).catch(() => undefined);
  }
}

/** Makes a folder in a parent that other writers remove when they are done, perhaps just before this one is made. */
async function makeIn(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await mkdir(path);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
      await mkdir(dirname(path)).catch(ignoreExisting);
    }
  }
}

/** Most tries; other writers interfere far less often. */
const ATTEMPTS = 1000;

function ignoreExisting(error: unknown): void {
  if (systemCodeOf(error) !== 'EEXIST') throw error;
}

async function fill(temporary: string, path: string, content: NewContent): Promise<void> {
  const handle = await open(temporary, 'wx');
  try {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of content.open()) {
      const bytes: Uint8Array = chunk;
      hash.update(bytes);
      await writeAll(handle, bytes);
      sizeBytes += bytes.length;
    }
    if (sizeBytes !== content.sizeBytes || hash.digest('hex') !== content.sha256) {
      throw new StoreError('corrupt', `${path} changed while it was being written: its sha256 differs now.`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** One write may take only a part of a chunk. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written)).bytesWritten;
  }
}

/** Renames new content to its final name, if the file there is still the one that the writer knew. */
async function show(temporary: string, target: string, replaced: string | undefined): Promise<void> {
  if ((await etagAt(target)) !== replaced) throw changed(target);
  if (replaced === undefined) return await create(temporary, target);
  // A new time distinguishes the new content from the old, even if both were written in the same tick of the clock.
  const [old, next] = [await stat(target), await stat(temporary)];
  if (next.mtimeMs <= old.mtimeMs) await utimes(temporary, next.atime, old.mtimeMs / 1000 + STEP_SECONDS);
  await rename(temporary, target);
}

const STEP_SECONDS = 0.001;

/** Linking fails if a file exists by now, even one from a program that does not know the lock. */
async function create(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'EEXIST') throw changed(target);
    if (code === undefined || !WITHOUT_LINKS.has(String(code))) throw error;
    await rename(temporary, target);
  }
}

/** Errors of file systems without hard links, such as FAT. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** The etag of the file with this name; undefined if there is nothing. */
async function etagAt(target: string): Promise<string | undefined> {
  try {
    const facts = await stat(target, { bigint: true });
    return facts.isFile() ? etagOf(facts) : 'not a file';
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Linked folders are not listed, so files that are written there would not be seen. */
async function checkNoLinks(root: string, folder: string): Promise<void> {
  const [realRoot, realFolder] = await Promise.all([realpath(root), realpath(folder)]);
  if (realFolder === resolve(realRoot, relative(root, folder))) return;
  throw new StoreError(
    'denied',
    `${folder} is reached through a link, and a model repository does not list linked folders.`,
  );
}

function changed(target: string): StoreError {
  return new StoreError('changed', `${target} was written or removed by another writer.`);
}

function toWriteError(error: unknown, target: string): unknown {
  switch (systemCodeOf(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreError(
        'denied',
        `${target} cannot be written by this process: give it write access.`,
        error,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError('no-space', `No space left to write ${target}.`, error);
    case 'ENOTDIR':
    case 'EEXIST':
      return new StoreError('denied', `${target} cannot be written: a part of its path is a file.`, error);
    case undefined:
      return error;
    default:
      return new StoreError('denied', `${target} cannot be written (${String(systemCodeOf(error))}).`, error);
  }
}
