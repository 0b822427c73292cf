import type { Readable } from 'node:stream';

/** One file of a model repository, as its store lists it. */
export interface StoredFile {
  /** Path below the repository's root, with forward slashes: `iris/2/model.onnx`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Changes when the content changes; the S3 ETag, or size and mtime of a local file. */
  readonly etag: string;
}

/** Where the bytes of a model repository live. Implementations are handed in by `functions/*`. */
export interface ModelStore {
  /** The repository's URL, for messages and the log. */
  readonly url: string;
  /**
   * All files below a folder (`''` is the whole repository), sorted by path.
   * @throws StoreError `missing` when the repository itself does not exist
   */
  list(folder: string): Promise<StoredFile[]>;
  /**
   * Bytes `start` (inclusive) to `end` (exclusive) of a file. The stream may break off; the caller resumes.
   * @throws StoreError when the file is missing, access is denied, or its etag is no longer `file.etag`
   */
  read(file: StoredFile, start: number, end: number): Promise<Readable>;
  /** The folder on this machine that already holds the files, when there is one; nothing is downloaded then. */
  localFolder?(folder: string): string;
}

/**
 * What went wrong with the files of a repository, told apart because each is answered differently. `no-space` and
 * `unwritable` are about this machine's cache folder; the others are about the store.
 */
export type StoreErrorReason =
  | 'missing'
  | 'denied'
  | 'changed'
  | 'unreachable'
  | 'corrupt'
  | 'no-space'
  | 'unwritable';

/** An error of a model store. Its message may name buckets and keys: it is for the log, not for clients. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}
