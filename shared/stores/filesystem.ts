import type { BigIntStats, Dirent } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { systemCodeOf } from '../errors.ts';
import { etagOf } from './file-facts.ts';
import { isInside, lookAt } from './look-at.ts';
import {
  LARGEST_LOADED_BYTES,
  type Loaded,
  type PassedOver,
  type StoredFile,
  StoreError,
  type WritableStore,
} from './model-store.ts';

/**
 * Larger reads than Node's 64 KiB default: the hash then limits the speed of hashing a model, not the number of reads.
 */
const READ_BYTES = 1024 * 1024;

/**
 * A model repository in a folder of this machine. Names that start with a dot are not part of it. A symbolic link to a
 * file is followed when the file is below the same folder; links to folders are not followed. The folder is created
 * when the first file is written.
 *
 * @param folder a path, or a file:// URL
 */
export function openFilesystemStore(folder: string): WritableStore {
  const root = resolve(folder.startsWith('file://') ? fileURLToPath(folder) : folder);
  return {
    url: pathToFileURL(root).href,
    list: (below, passOver) => listFiles(root, below, passOver),
    read: async (file, start, end, signal) => {
      const content = await readRange(root, file, start, end);
      return signal ? addAbortSignal(signal, content) : content;
    },
    load: async (path, known, signal) => {
      signal?.throwIfAborted();
      return await loadFile(root, path, known);
    },
    write: async (path, content, replaced) =>
      await (await import('./filesystem-writes.ts')).writeFile(root, path, content, replaced),
    remove: async (file) => await (await import('./filesystem-writes.ts')).removeFile(root, file),
    localPath: (path) => locate(root, path),
  };
}

async function listFiles(
  root: string,
  below: string,
  passOver: PassedOver = () => {},
  onPart: () => void = () => {},
): Promise<StoredFile[]> {
  const start = locate(root, below);
  const realRoot = await resolveRoot(root);
  const realStart = await realpath(start).catch(ignoreMissing);
  // The resolved path differs if it contains a link: the full listing would not show these files either.
  if (realStart !== resolve(realRoot, relative(root, start)) || hasHiddenPart(realRoot, realStart)) return [];
  const files = await walk({ realRoot, passOver, onPart }, realStart).catch((error: unknown) => {
    throw toStoreError(error, start);
  });
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function resolveRoot(root: string): Promise<string> {
  try {
    const real = await realpath(root);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    throw toStoreError(error, root);
  }
  throw new StoreError('missing', `The model repository ${root} is not a folder.`);
}

interface Walk {
  readonly realRoot: string;
  readonly passOver: PassedOver;
  readonly onPart: () => void;
}

/** An unreadable folder below the root hides only its own content. */
async function walk(walked: Walk, folder: string): Promise<StoredFile[]> {
  const skip = folder === walked.realRoot ? ignoreMissing : ignoreUnreadable;
  const entries = await readdir(folder, { withFileTypes: true }).catch(skip);
  walked.onPart();
  const visible = (entries ?? []).filter(({ name }) => !name.startsWith('.'));
  const nested = await Promise.all(visible.map((entry) => describeEntry(walked, folder, entry)));
  return nested.flat();
}

async function describeEntry(walked: Walk, folder: string, entry: Dirent): Promise<StoredFile[]> {
  const { realRoot, passOver } = walked;
  const path = join(folder, entry.name);
  const storePath = relative(realRoot, path).split(sep).join('/');
  if (entry.isDirectory()) {
    if (NAME_OF_FILE.test(entry.name)) passOver(storePath, 'is a folder, not a file');
    return await walk(walked, path);
  }
  if (entry.isFile()) {
    const facts = await stat(path, { bigint: true }).catch(ignoreMissing);
    return facts?.isFile() ? [toStoredFile(storePath, facts)] : [];
  }
  const found = await lookAt(path, (target) => isInside(realRoot, target));
  if (found?.kind === 'file') return [toStoredFile(storePath, found.facts)];
  if (found) passOver(storePath, found.kind === 'folder' ? 'is a link to a folder' : found.problem);
  return [];
}

/** Names that only model files have. */
const NAME_OF_FILE = /\.(?:onnx|json|txt|pbtxt)$/i;

function toStoredFile(path: string, facts: BigIntStats): StoredFile {
  return { path, sizeBytes: Number(facts.size), etag: etagOf(facts) };
}

async function readRange(root: string, file: StoredFile, start: number, end: number): Promise<Readable> {
  const path = locate(root, file.path);
  let handle: FileHandle | undefined;
  try {
    handle = await openInside(root, file.path, path);
    if (etagOf(await handle.stat({ bigint: true })) !== file.etag) {
      throw new StoreError(
        'changed',
        `${path} changed since it was listed. Published versions are immutable: publish a new one instead.`,
      );
    }
  } catch (error) {
    await handle?.close();
    throw toStoreError(error, path);
  }
  if (start < end) return handle.createReadStream({ start, end: end - 1, highWaterMark: READ_BYTES });
  await handle.close();
  return Readable.from([]);
}

async function loadFile(root: string, name: string, known: string | undefined): Promise<Loaded> {
  const path = locate(root, name);
  // A repository that is not there is an error.
  const realRoot = await resolveRoot(root);
  let handle: FileHandle | undefined;
  try {
    // To open a pipe would wait for its writer.
    const found = hasHiddenPart(root, path)
      ? undefined
      : await lookAt(path, (target) => isInside(realRoot, target));
    if (found?.kind !== 'file') return { is: 'missing', storeMs: Date.now() };
    handle = await openInside(root, name, path);
    const facts = await handle.stat({ bigint: true });
    const etag = etagOf(facts);
    if (etag === known) return { is: 'unchanged', storeMs: Date.now() };
    if (facts.size > LARGEST_LOADED_BYTES)
      throw new StoreError('corrupt', `${path} has more than ${LARGEST_LOADED_BYTES} bytes.`);
    const content = await handle.readFile();
    return {
      is: 'there',
      file: { path: name, sizeBytes: content.length, etag },
      content,
      storeMs: Date.now(),
    };
  } catch (error) {
    const reason = toStoreError(error, path);
    if (reason instanceof StoreError && reason.reason === 'missing')
      return { is: 'missing', storeMs: Date.now() };
    throw reason;
  } finally {
    await handle?.close();
  }
}

async function openInside(root: string, name: string, path: string): Promise<FileHandle> {
  const [realRoot, target] = await Promise.all([realpath(root), realpath(path)]);
  if (!isInside(realRoot, target)) throw escapes(name);
  return await open(target, 'r');
}

/** The absolute path of a file or folder in the repository. */
function locate(root: string, path: string): string {
  const full = resolve(root, path);
  if (!isInside(root, full)) throw escapes(path);
  return full;
}

function hasHiddenPart(root: string, path: string): boolean {
  return relative(root, path)
    .split(sep)
    .some((name) => name.startsWith('.'));
}

function escapes(path: string): StoreError {
  return new StoreError('denied', `The path ${JSON.stringify(path)} is outside the model repository.`);
}

/** A file that disappears while its folder is listed counts as missing. */
function ignoreMissing(error: unknown): undefined {
  const code = systemCodeOf(error);
  if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
}

function ignoreUnreadable(error: unknown): undefined {
  const code = systemCodeOf(error);
  if (code !== 'EACCES' && code !== 'EPERM') ignoreMissing(error);
}

function toStoreError(error: unknown, path: string): unknown {
  switch (systemCodeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
      return new StoreError('missing', `${path} does not exist.`, error);
    case 'EACCES':
    case 'EPERM':
      return new StoreError('denied', `${path} cannot be read by this process: give it read access.`, error);
    default:
      return error;
  }
}
