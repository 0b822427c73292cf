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

/** An archive of a model as SageMaker has it, usually called `model.tar.gz`. */
export function isArchive(path: string): boolean {
  return ARCHIVE.test(path);
}

const ARCHIVE = /\.(?:tar\.gz|tgz|tar)$/i;

/** The name of an archive without its ending. */
export function nameOfArchive(path: string): string {
  return path.replace(ARCHIVE, '');
}

/** What an archive may unpack to. Weights hardly get smaller when they are packed, so that more is made to fill a disk. */
export interface ArchiveLimits {
  /** Files and folders. */
  readonly entries: number;
  readonly bytes: number;
  /** Bytes for each byte of the archive; the first 64 MiB are free. */
  readonly ratio: number;
}

const LIMITS: ArchiveLimits = { entries: 10_000, bytes: 16 * 1024 ** 3, ratio: 100 };
const FREE_BYTES = 64 * 1024 ** 2;

/**
 * Unpacks an archive. Whoever made it chose its paths, so that it may hold nothing but files and folders, each once and
 * below the folder. What SageMaker would run (`code/`) is left out.
 * Source: "Deploy models" of the SageMaker SDK for Python, and SageMaker's inference toolkit, for `code/`.
 *
 * @param folder where its files go; it is made
 * @param title the archive for messages
 * @returns the files of inference code
 * @throws CommandError naming what the archive must not hold, or saying that it is not whole
 * @throws StoreError where the disk is full
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
  // Few commands need it.
  const { Parser, ReadEntry: Entry } = await import('tar');
  await makeFolder(folder);
  const stop = new AbortController();
  const { signal } = stop;
  const writes: Promise<void>[] = [];
  const parser = new Parser({
    strict: true,
    filter: (_, entry) => entry instanceof Entry && check.takes(entry),
    onReadEntry: (entry) => {
      const written = writeEntry(entry, join(folder, placeOf(entry)), signal);
      writes.push(written.catch((error: unknown) => stop.abort(error)));
    },
  });
  parser.on('error', (error) => stop.abort(error));
  const ended = once(parser, 'end', { signal });
  ended.catch(() => undefined);
  const readAll = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      check.count(chunk.length);
      const isFlowing = parser.write(chunk);
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
    // The first reason counts. Nothing is written any more when this is told.
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
  // A pipeline that is stopped does not wait for a file that is being opened.
  const closed = new Promise<void>((resolve) => file.once('close', () => resolve()));
  await pipeline(entry, file, { signal }).finally(() => closed);
}

/** Where an entry belongs below the folder; '' for the folder itself, which `tar -C folder .` packs as well. */
function placeOf({ path }: ReadEntry): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/^\.$|\/+$/g, '');
}

/** Whether a file begins as gzip does; some archives are called `.tar.gz` and are not packed. */
async function isCompressed(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await file.close();
  }
}

/** Looks at each entry before it is written. */
function createCheck(shown: string, limits: ArchiveLimits, mostBytes: number) {
  const seen = new Set<string>();
  const code: string[] = [];
  const tooMuch = `unpacks to more than ${formatBytes(mostBytes)}; the limit is ${formatBytes(limits.bytes)}, and ${limits.ratio} times the size of the archive`;
  // An entry takes more than its content: its headers, and what fills its last block.
  const mostRead = mostBytes + limits.entries * 4096;
  let [bytes, read, entries] = [0, 0, 0];
  let problem: string | undefined;

  /** What is wrong with an entry; undefined for nothing. */
  function findProblem({ type, path, linkpath, size }: ReadEntry, place: string): string | undefined {
    const name = JSON.stringify(path.slice(0, 100));
    if (!isPlainPath(place)) return `has the path ${name}; expected a path below its folder`;
    if (LINKS.includes(type)) {
      const target = JSON.stringify((linkpath ?? '').slice(0, 100));
      return `has the link ${name} to ${target}; a model is made of files: pack it again with tar --dereference`;
    }
    if (++entries > limits.entries)
      return `has more than ${limits.entries} files and folders, which is the limit`;
    if (type === 'Directory') return undefined;
    if (!FILES.includes(type)) return `has ${name}, which is neither a file nor a folder (${type})`;
    if (seen.size === seen.add(place.toLowerCase()).size) return `has the file ${name} twice`;
    bytes += size;
    return bytes > mostBytes ? tooMuch : undefined;
  }

  return {
    code,
    /** Counts bytes of the archive: what follows its last entry has to be unpacked as well. */
    count: (length: number): void => {
      read += length;
      if (read > mostRead) problem ??= tooMuch;
    },
    /** Whether an entry is to be written. Folders are made for their files. */
    takes: (entry: ReadEntry): boolean => {
      if (problem !== undefined) return false;
      const place = placeOf(entry);
      if (place === '') return false;
      problem = findProblem(entry, place);
      if (problem !== undefined || entry.type === 'Directory') return false;
      if (!place.startsWith(CODE)) return true;
      code.push(place);
      return false;
    },
    throwProblem: (): void => {
      if (problem !== undefined) throw new CommandError(`${shown} ${problem}.`);
    },
  };
}

/** Where SageMaker's containers look for code that loads a model and runs it. */
export const CODE = 'code/';

const LINKS: readonly string[] = ['SymbolicLink', 'Link'];
const FILES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];

function explain(error: unknown, shown: string, folder: string): unknown {
  if (error instanceof CommandError || !(error instanceof Error)) return error;
  const code = String(systemCodeOf(error) ?? '');
  if (!code.startsWith('Z_') && !code.startsWith('TAR_')) return toDiskError(error, folder);
  return new CommandError(
    `${shown} is not a tar archive, or it is not whole: ${error.message.replace(/^TAR_\w+: /, '')}.`,
  );
}
