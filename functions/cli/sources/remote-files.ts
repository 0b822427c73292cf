import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isPlainPath } from '../../../shared/models/file-manifest.ts';
import { type ModelStore, type StoredFile, StoreError } from '../../../shared/stores/model-store.ts';
import { reasonOf, type SourceServer } from './source-server.ts';

/** A file of a source, with what its server says of its content. */
export interface RemoteFile extends StoredFile {
  /** In hex. */
  readonly sha256?: string | undefined;
  /** The name of the content in Git: the SHA-1 of its size and its bytes, in hex. */
  readonly gitSha1?: string | undefined;
}

export interface RemoteFilesOptions {
  readonly server: SourceServer;
  /** Of the folder, for messages and to know it again. */
  readonly url: string;
  readonly files: readonly RemoteFile[];
  readonly urlOf: (path: string) => URL;
}

/** Most files that a source may have, also those that are not downloaded. */
export const MOST_FILES = 10_000;
/** Bytes of a path. Some systems take 1024, of which the folder of downloads needs some. */
const LONGEST_PATH = 600;

/** @throws StoreError for what a server must not list: paths that lead out of the folder, too many files */
export function checkFiles(files: readonly RemoteFile[], title: string): readonly RemoteFile[] {
  if (files.length > MOST_FILES)
    throw new StoreError('corrupt', `${title} has more than ${MOST_FILES} files, which is the limit.`);
  const odd = files.find(({ path }) => !isPlainPath(path) || Buffer.byteLength(path) > LONGEST_PATH);
  if (odd === undefined) return files;
  throw new StoreError(
    'corrupt',
    `${title} has the path ${JSON.stringify(odd.path.slice(0, 100))}; expected a path below its folder, of at most ${LONGEST_PATH} bytes.`,
  );
}

/** What is known of a file that has no hash: an interrupted download must continue with the same content. */
interface Received {
  readonly etag: string | undefined;
  /** The hashes of all bytes up to some positions, the last ones that were passed on. */
  readonly marks: Map<number, Hash>;
}

/** A stream keeps at most 16 chunks that nobody reads if the connection breaks. */
const MOST_MARKS = 32;

/** The files of a source as a store, from which they are downloaded in parts. */
export function openRemoteFiles({ server, url, files, urlOf }: RemoteFilesOptions): ModelStore {
  const received = new Map<string, Received>();

  const changed = ({ path }: StoredFile) =>
    new StoreError(
      'changed',
      `${path} of ${url} has changed while it was downloaded; run the command again.`,
    );

  async function open(file: RemoteFile, start: number, end: number, signal?: AbortSignal) {
    const known = received.get(file.path);
    const isPart = start > 0 || end < file.sizeBytes;
    const etag = known?.etag;
    const response = await server.open(
      urlOf(file.path),
      file.path,
      {
        ...(isPart && { range: `bytes=${start}-${end - 1}` }),
        ...(isPart && isStrong(etag) && { 'if-range': etag }),
      },
      signal,
    );
    const { statusCode, headers } = response;
    const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
    const hasPart = statusCode === 206;
    const length = hasPart ? size : headers['content-length'];
    const isOther =
      (hasPart && Number(from) !== start) ||
      (length !== undefined && Number(length) !== file.sizeBytes) ||
      (isPart && etag !== undefined && headers.etag !== etag);
    if (isOther) {
      response.destroy();
      throw changed(file);
    }
    return { response, skip: hasPart ? 0 : start, etag: headers.etag };
  }

  /** The bytes of an answer. What an answer has before and after the part is not passed on. */
  async function* cut(
    response: Readable,
    skip: number,
    count: number,
    see: (bytes: Buffer) => void = () => undefined,
  ): AsyncGenerator<Buffer> {
    let left = skip;
    let wanted = count;
    try {
      for await (const chunk of response) {
        const bytes: Buffer = chunk;
        if (left > 0) see(bytes.subarray(0, left));
        const part = bytes.subarray(left, left + wanted);
        left = Math.max(0, left - bytes.length);
        wanted -= part.length;
        if (part.length > 0) yield part;
        if (wanted === 0) return;
      }
    } catch (error) {
      throw new StoreError('unreachable', reasonOf(error), error);
    } finally {
      response.destroy();
    }
  }

  /** Of a file without a hash, the bytes that came before say whether it is still the same. */
  async function* readInOrder(
    file: RemoteFile,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const { response, skip, etag } = await open(file, start, end, signal);
    const known = received.get(file.path);
    const { marks } = start > 0 && known ? known : { marks: new Map<number, Hash>() };
    received.set(file.path, { etag, marks });
    const before = createHash('sha256');
    const hash = marks.get(start)?.copy() ?? createHash('sha256');
    const isSame = () => skip === 0 || before.digest('hex') === hash.copy().digest('hex');
    let position = start;
    for await (const bytes of cut(response, skip, end - start, (each) => before.update(each))) {
      if (position === start && !isSame()) throw changed(file);
      position += bytes.length;
      marks.set(position, hash.update(bytes).copy());
      for (const oldest of [...marks.keys()].slice(0, -MOST_MARKS)) marks.delete(oldest);
      yield bytes;
    }
  }

  return {
    url,
    list: async () => [...files],
    read: async (stored, start, end, signal) => {
      const file = files.find(({ path }) => path === stored.path);
      if (file === undefined) throw new StoreError('missing', `${stored.path} does not exist.`);
      if (file.sha256 === undefined && file.gitSha1 === undefined)
        return Readable.from(readInOrder(file, start, end, signal));
      const { response, skip } = await open(file, start, end, signal);
      return Readable.from(cut(response, skip, end - start));
    },
  };
}

function isStrong(etag: string | undefined): etag is string {
  return etag !== undefined && !etag.startsWith('W/');
}
