import { createHash } from 'node:crypto';
import { createDownloader, type Downloader, type Sink } from '../../../shared/models/artifact-download.ts';
import { type FileManifest, MANIFEST_FILE, parseFileManifest } from '../../../shared/models/file-manifest.ts';
import { type ModelStore, type StoredFile, StoreError } from '../../../shared/stores/model-store.ts';

/** A file that is not as it was published. */
export interface Fault {
  /** Relative to the repository. */
  readonly path: string;
  readonly fault: 'differs' | 'missing' | 'unlisted' | 'unreadable' | 'unserved';
  readonly text: string;
}

export interface CheckedVersion {
  readonly files: number;
  readonly sizeBytes: number;
  readonly faults: readonly Fault[];
}

/** Largest `files.json` that servers accept. */
const MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Makes a function that compares the files of a version with its `files.json`.
 *
 * @param passedOver why the store does not list an entry, such as a pipe, by its path
 */
export function createVersionCheck(
  store: ModelStore,
  passedOver: ReadonlyMap<string, string>,
): (folder: string, listed: readonly StoredFile[], manifest: StoredFile) => Promise<CheckedVersion> {
  // A hash needs the bytes in order, so a file is one part. A download resumes where its connection was lost.
  const downloader = createDownloader(store, { partBytes: Number.MAX_SAFE_INTEGER, requests: 4 });
  return async (folder, listed, manifest) => {
    const files = listed.filter((file) => file !== manifest);
    const sizeBytes = listed.reduce((sum, file) => sum + file.sizeBytes, 0);
    const found = await readManifest(downloader, manifest);
    if ('fault' in found) return { files: listed.length, sizeBytes, faults: [found] };
    const expected = new Map(found.files.map((file) => [`${folder}/${file.path}`, file]));
    const paths = new Set(files.map(({ path }) => path));
    const missing = [...expected.keys()].filter((path) => !paths.has(path) && !passedOver.has(path));
    const unread = [...passedOver].filter(([path]) => path.startsWith(`${folder}/`));
    const faults = await Promise.all(
      files.map(async (file): Promise<readonly Fault[]> => {
        const entry = expected.get(file.path);
        if (entry === undefined) return [toFault(file.path, 'unlisted', `is not in ${MANIFEST_FILE}`)];
        return await checkFile(downloader, file, entry);
      }),
    );
    return {
      files: listed.length,
      sizeBytes,
      faults: [
        ...faults.flat(),
        ...unread.map(([path, problem]) =>
          expected.has(path)
            ? toFault(path, 'unreadable', problem)
            : toFault(path, 'unlisted', `is not in ${MANIFEST_FILE}, and ${problem}`),
        ),
        ...missing.map((path) => toFault(path, 'missing', `is in ${MANIFEST_FILE}, but it is missing`)),
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
    };
  };
}

async function readManifest(downloader: Downloader, file: StoredFile): Promise<FileManifest | Fault> {
  if (file.sizeBytes > MANIFEST_LIMIT_BYTES) {
    return toFault(file.path, 'unreadable', `has more than ${MANIFEST_LIMIT_BYTES} bytes`);
  }
  const chunks: Uint8Array[] = [];
  const unread = await readFile(downloader, file, async (bytes) => {
    chunks.push(Buffer.from(bytes));
  });
  if (unread) return unread;
  try {
    return await parseFileManifest(
      Buffer.concat(chunks).toString('utf8'),
      file.path.slice(0, -MANIFEST_FILE.length),
    );
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { path: file.path, fault: 'unreadable', text: error.message };
  }
}

async function checkFile(
  downloader: Downloader,
  file: StoredFile,
  { sizeBytes, sha256 }: FileManifest['files'][number],
): Promise<readonly Fault[]> {
  if (file.sizeBytes !== sizeBytes) {
    const text = `has ${file.sizeBytes} bytes, and ${MANIFEST_FILE} says ${sizeBytes}`;
    return [toFault(file.path, 'differs', text)];
  }
  const hash = createHash('sha256');
  const unread = await readFile(downloader, file, async (bytes) => {
    hash.update(bytes);
  });
  if (unread) return [unread];
  const got = hash.digest('hex');
  if (got === sha256) return [];
  return [toFault(file.path, 'differs', `has sha256 ${got}, and ${MANIFEST_FILE} says ${sha256}`)];
}

/** A file that cannot be read must not keep the others from being checked. */
async function readFile(downloader: Downloader, file: StoredFile, sink: Sink): Promise<Fault | undefined> {
  try {
    await downloader.download(file, sink, new AbortController().signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return { path: file.path, fault: 'unreadable', text: error.message };
  }
}

export function toFault(path: string, fault: Fault['fault'], what: string): Fault {
  return { path, fault, text: `${path} ${what}.` };
}
