import type { Readable } from 'node:stream';

/** One file of a model repository, as its store lists it. */
export interface StoredFile {
  /** Path below the repository's root, with forward slashes: `iris/2/model.onnx`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Changes when the content changes; the S3 ETag, or size and mtime of a local file. */
  readonly etag: string;
}

/** Bytes on their way into a store. A stream can be read once, so each attempt opens its own. */
export interface NewContent {
  readonly sizeBytes: number;
  /** In hex; content that does not match on arrival is refused. */
  readonly sha256: string;
  open(): Readable;
}

/**
 * Called for each entry that is not listed because it is not a plain file.
 *
 * @param path below the root
 * @param problem completes a sentence about it, such as `is a pipe, not a file`
 */
export type PassedOver = (path: string, problem: string) => void;

/** What a store has of a file. */
export type Loaded =
  | { readonly is: 'there'; readonly file: StoredFile; readonly content: Buffer; readonly storeMs: number }
  | { readonly is: 'unchanged' | 'missing'; readonly storeMs: number };

/** The store of a model repository's bytes. `functions/*` pass the implementations. */
export interface ModelStore {
  /** The repository's URL, for messages and the log. */
  readonly url: string;
  /**
   * All files below a folder (`''` is the whole repository), sorted by path.
   * @param passOver is called for links that are not followed, pipes, devices and the like
   * @param onPart is called for each part of a listing that arrives, so that a slow store is not mistaken for a silent
   * one
   * @throws StoreError `missing` when the repository itself does not exist
   */
  list(folder: string, passOver?: PassedOver, onPart?: () => void): Promise<StoredFile[]>;
  /**
   * Bytes `start` (inclusive) to `end` (exclusive) of a file. The stream may be interrupted; the caller resumes. The
   * memory of a chunk may be used again as soon as the next one is read: who keeps chunks copies them.
   *
   * @param signal ends the request
   * @throws StoreError when the file is missing, access is denied, or its etag is no longer `file.etag`
   */
  read(file: StoredFile, start: number, end: number, signal?: AbortSignal): Promise<Readable>;
  /**
   * A small file as it is now, with its content, in one request; `storeMs` is the time by the store's clock.
   *
   * @param known the etag of a content that the caller has: if it is still the same, it does not come again
   * @param signal ends the request
   * @throws StoreError `missing` when the repository does not exist, `corrupt` when the file has more than 16 MB
   */
  load?(path: string, known?: string, signal?: AbortSignal): Promise<Loaded>;
  /** The path of a file or folder, if the store is on this machine; then nothing is downloaded. */
  localPath?(path: string): string;
}

/**
 * A store whose files can be changed. Each file changes in one step: a reader sees either all of the old content or all
 * of the new. If several writers change the same file at once, one wins, and the others get `changed`.
 */
export interface WritableStore extends ModelStore {
  load(path: string, known?: string, signal?: AbortSignal): Promise<Loaded>;
  /**
   * Writes a new file, or replaces one that is unchanged since it was listed.
   *
   * @param path below the root; its parts are not empty and do not start with a dot
   * @param replaced the etag of the file it replaces; without it there must not be a file yet
   * @returns the file as it is stored now
   * @throws StoreError `changed` when the file already exists, or when the replaced one has changed or is gone. If the
   * network fails, a remote store may also report this for a write of its own whose answer was lost; then the error
   * has `isRepeated`
   */
  write(path: string, content: NewContent, replaced?: string): Promise<StoredFile>;
  /**
   * Removes a file that is unchanged since it was listed.
   *
   * @throws StoreError `changed` when it has changed or is gone
   */
  remove(file: StoredFile): Promise<void>;
}

/**
 * What went wrong with the files of a repository. The reasons are distinguished because each is answered differently.
 * `no-space` and `unwritable` are about this machine's cache folder; the others are about the store.
 */
export type StoreErrorReason =
  | 'missing'
  | 'denied'
  | 'changed'
  | 'unreachable'
  | 'corrupt'
  | 'no-space'
  | 'unwritable';

/** Most bytes of a file that is loaded as a whole. */
export const LARGEST_LOADED_BYTES = 16_000_000;

/** An error of a model store. Its message may name buckets and keys: it is for the log, not for clients. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly reason: StoreErrorReason;
  /** Whether the store has refused a request that was sent again: the first one may have done its work. */
  readonly isRepeated: boolean;

  constructor(reason: StoreErrorReason, message: string, cause?: unknown, isRepeated = false) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.isRepeated = isRepeated;
  }
}
