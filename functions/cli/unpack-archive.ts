import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { systemCodeOf } from '../../shared/errors.ts';
import { toDiskError } from '../../shared/models/artifact-folder.ts';
import { isPlainPath } from '../../shared/models/file-manifest.ts';
import { CommandError } from './console.ts';
import { formatBytes } from './words.ts';

/** Whether a path is an archive of a model as SageMaker has it, usually called `model.tar.gz`. */
export function isArchive(path: string): boolean {
  return ARCHIVE.test(path);
}

const ARCHIVE = /\.(?:tar\.gz|tgz|tar)$/i;

/** The name of an archive without its ending. */
export function nameOfArchive(path: string): string {
  return path.replace(ARCHIVE, '');
}

/** How much an archive may unpack to. Weights compress little, so a much larger result is meant to fill the disk. */
export interface ArchiveLimits {
  /** Files and folders, also those that only a path names. */
  readonly entries: number;
  readonly bytes: number;
  /** Bytes for each byte of the archive; the first 64 MiB are always allowed. */
  readonly ratio: number;
}

const LIMITS: ArchiveLimits = { entries: 10_000, bytes: 16 * 1024 ** 3, ratio: 100 };
const FREE_BYTES = 64 * 1024 ** 2;
const MOST_LEVELS = 32;
/** Bytes of a path. Some systems take 1024, of which the folder needs some. */
const LONGEST_PATH = 800;
/** Bytes of each part of a path; no usual file system takes more. */
const LONGEST_NAME = 255;

/**
 * Unpacks an archive. Its author chose its paths, so it may hold only files and folders, each once and below the
 * folder. The code that SageMaker would run (`code/`) is left out.
 * Source: "Deploy models" of the SageMaker SDK for Python, and SageMaker's inference toolkit, for `code/`.
 *
 * @param folder where its files go; it is created
 * @param title the archive for messages
 * @returns the files of inference code
 * @throws CommandError that names what the archive must not hold, or says that it is damaged
 * @throws StoreError when the disk is full
 */
export async function unpackArchive(
  path: string,
  folder: string,
  title: string,
  limits = LIMITS,
): Promise<readonly string[]> {
  const shown = JSON.stringify(title);
  const mostBytes = Math.min(limits.bytes, FREE_BYTES + limits.ratio * (await stat(path)).size);
  const check = createCheck(shown, limits, mostBytes);
  // Loaded on demand, because few commands need it.
  const { Parser, ReadEntry: Entry } = await import('tar');
  await makeFolder(folder);
  const stop = new AbortController();
  const { signal } = stop;
  const writes: Promise<void>[] = [];
  let hasEnded = false;
  const parser = new Parser({
    strict: true,
    // Only what is counted here is decompressed.
    brotli: false,
    zstd: false,
    filter: (_, entry) => entry instanceof Entry && check.takes(entry),
    onReadEntry: (entry) => {
      const written = writeEntry(entry, join(folder, placeOf(entry)), signal);
      writes.push(written.catch((error: unknown) => stop.abort(error)));
    },
  });
  parser.on('error', (error) => stop.abort(error));
  parser.on('meta', check.readHeader);
  parser.on('ignoredEntry', check.ignores);
  parser.on('eof', () => {
    hasEnded = true;
  });
  const ended = once(parser, 'end', { signal });
  ended.catch(() => undefined);
  const readAll = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      check.count(chunk);
      check.throwProblem();
      // After the end of an archive, the parser would only collect the rest. It is read, as its bytes have a checksum.
      const isFlowing = hasEnded || parser.write(chunk);
      check.throwProblem();
      signal.throwIfAborted();
      if (!isFlowing) await once(parser, 'drain', { signal });
    }
    parser.end();
    await ended;
    await Promise.all(writes);
    signal.throwIfAborted();
    check.throwProblem();
  };
  try {
    const source = createReadStream(path);
    await ((await isCompressed(path))
      ? pipeline(source, createGunzip(), readAll)
      : pipeline(source, readAll));
  } catch (error) {
    // Only the first reason counts. After it, nothing more is written.
    stop.abort(error);
    await Promise.all(writes);
    throw explain(signal.reason, shown, folder);
  }
  return check.code;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw toDiskError(error, folder);
  });
}

async function writeEntry(entry: ReadEntry, path: string, signal: AbortSignal): Promise<void> {
  await makeFolder(dirname(path));
  signal.throwIfAborted();
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  // A pipeline that is aborted does not wait for a file that is being opened.
  const closed = new Promise<void>((resolve) => file.once('close', () => resolve()));
  await pipeline(entry, file, { signal }).finally(() => closed);
}

/** The path of an entry below the folder; '' for the folder itself, which `tar -C folder .` includes. */
function placeOf({ path }: ReadEntry): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/^\.$|\/+$/g, '');
}

/** Whether a file begins like gzip; some archives are called `.tar.gz` but are not compressed. */
async function isCompressed(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}

/** Checks each entry before it is written. */
function createCheck(shown: string, limits: ArchiveLimits, mostBytes: number) {
  const files = new Set<string>();
  const folders = new Set<string>();
  const code: string[] = [];
  const tooMuch = `unpacks to more than ${formatBytes(mostBytes)}; the limit is ${formatBytes(limits.bytes)}, and ${limits.ratio} times the size of the archive`;
  const tooMany = `has more than ${limits.entries} files and folders, which is the limit`;
  // An entry takes more than its content: its headers, and the padding of its last block.
  const mostRead = mostBytes + limits.entries * 4096;
  let [bytes, read, entries] = [0, 0, 0];
  let magic = Buffer.alloc(0);
  let problem: string | undefined;

  /** What is wrong with an entry; undefined if nothing is. */
  function findProblem({ type, path, linkpath, size }: ReadEntry, place: string): string | undefined {
    const name = quote(path);
    if (!isPlainPath(place)) return `has the path ${name}; expected a path below its folder`;
    const option = LINKS[type];
    if (option !== undefined) {
      return `has the link ${name} to ${quote(linkpath ?? '')}; a model must not have links: pack it again with tar ${option}`;
    }
    const isFolder = FOLDERS.includes(type);
    if (!isFolder && !FILES.includes(type)) return notFile(name, type);
    return findLongPath(place, name) ?? findClash(place, name, isFolder) ?? findExcess(isFolder ? 0 : size);
  }

  /** Notes a path and the folders it is in. Names that differ only in case or in their encoding are one on some disks. */
  function findClash(place: string, name: string, isFolder: boolean): string | undefined {
    const parts = place.normalize('NFC').toLowerCase().split('/');
    const parents = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const own = parents.pop() ?? '';
    for (const folder of isFolder ? [...parents, own] : parents) {
      if (files.has(folder)) return `has a file and a folder with one name: ${name}`;
      if (folders.size !== folders.add(folder).size && folder !== own) entries++;
    }
    entries++;
    if (isFolder) return undefined;
    if (folders.has(own)) return `has a file and a folder with one name: ${name}`;
    return files.size === files.add(own).size ? `has the file ${name} twice` : undefined;
  }

  function findExcess(size: number): string | undefined {
    if (entries > limits.entries) return tooMany;
    bytes += size;
    return bytes > mostBytes ? tooMuch : undefined;
  }

  return {
    code,
    /** Counts bytes of the archive, because anything after its last entry is decompressed, too. */
    count: (chunk: Buffer): void => {
      read += chunk.length;
      if (read > mostRead) problem ??= tooMuch;
      if (magic.length < GZIP.length) magic = Buffer.concat([magic, chunk]).subarray(0, GZIP.length);
      if (magic.equals(GZIP)) problem ??= 'is compressed twice; decompress it once with gunzip';
    },
    /** Whether to write an entry. Folders are created for their files. */
    takes: (entry: ReadEntry): boolean => {
      if (problem !== undefined) return false;
      const place = placeOf(entry);
      if (place === '') return false;
      problem = findProblem(entry, place);
      if (problem !== undefined || FOLDERS.includes(entry.type)) return false;
      if (!place.startsWith(CODE)) return true;
      code.push(place);
      return false;
    },
    /** Notes an entry that the parser does not read. */
    ignores: ({ type, path, meta, size }: ReadEntry): void => {
      if (meta) problem ??= `has a header of ${formatBytes(size)}, which is more than the format needs`;
      else if (type === 'SparseFile') problem ??= isSparse(quote(path));
      else if (!UNPACKED.includes(type)) problem ??= notFile(quote(path), type);
    },
    /** Looks for sparse files in the header of an entry. Source: "Storing Sparse Files" of the manual of GNU tar. */
    readHeader: (text: string): void => {
      if (!text.includes('GNU.sparse.')) return;
      const [, name] = /GNU\.sparse\.name=(.*)/.exec(text) ?? /\bpath=(.*)/.exec(text) ?? [];
      problem ??= isSparse(name === undefined ? '' : quote(name));
    },
    throwProblem: (): void => {
      if (problem !== undefined) throw new CommandError(`${shown} ${problem}.`);
    },
  };
}

function quote(path: string): string {
  return JSON.stringify(path.slice(0, 100));
}

function notFile(name: string, type: string): string {
  return `has ${name}, which is neither a file nor a folder (${type}); pack the archive again without it`;
}

function isSparse(name: string): string {
  return `has ${name === '' ? 'a sparse file' : `the sparse file ${name}`}, which Ternion does not unpack; pack it again without --sparse`;
}

function findLongPath(place: string, name: string): string | undefined {
  const parts = place.split('/');
  if (parts.length > MOST_LEVELS)
    return `has a path of ${parts.length} levels (${name}); the limit is ${MOST_LEVELS}`;
  const longest = Math.max(...parts.map((part) => Buffer.byteLength(part)));
  if (longest > LONGEST_NAME) return `has a name of ${longest} bytes (${name}); the limit is ${LONGEST_NAME}`;
  const length = Buffer.byteLength(place);
  return length > LONGEST_PATH
    ? `has a path of ${length} bytes (${name}); the limit is ${LONGEST_PATH}`
    : undefined;
}

const GZIP = Buffer.from([0x1f, 0x8b]);

/** Where SageMaker's containers look for code that loads and runs a model. */
export const CODE = 'code/';

/** Links by their type, with the option of tar that packs what they refer to. */
const LINKS: Readonly<Record<string, string>> = {
  SymbolicLink: '--dereference',
  Link: '--hard-dereference',
};
const FILES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];
/** The second one is a folder of an incremental archive. Its content is a list of names. */
const FOLDERS: readonly string[] = ['Directory', 'GNUDumpDir'];
/** Types that lose nothing: access rights and the name of the whole archive are not part of a model. */
const UNPACKED: readonly string[] = [...FILES, ...FOLDERS, 'SolarisACL', 'TapeVolumeHeader'];

function explain(error: unknown, shown: string, folder: string): unknown {
  if (error instanceof CommandError || !(error instanceof Error)) return error;
  const code = String(systemCodeOf(error) ?? '');
  if (code === 'ENAMETOOLONG') {
    return new CommandError(
      `${shown} has a path that is too long for the disk; set MODEL_CACHE_FOLDER to a folder with a shorter path.`,
    );
  }
  if (!code.startsWith('Z_') && !code.startsWith('TAR_')) return toDiskError(error, folder);
  return new CommandError(
    `${shown} is not a tar archive, or is damaged: ${error.message.replace(/^TAR_\w+: /, '')}.`,
  );
}
