import { isUtf8 } from 'node:buffer';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';
import { ModelError } from './model-config.ts';

/** Largest file that is read into memory for what it says about a model. */
export const LIMIT_BYTES = 4 * 1024 * 1024;

/**
 * The content of a file, read and parsed once as long as its etag stays the same. The value is shared: do not change
 * it.
 *
 * @throws StoreError, ModelError for files that are too large, or what parsing throws
 */
export type SmallFileReader<T> = (file: StoredFile) => Promise<T>;

export interface SmallFiles {
  /** A reader of files of one kind. */
  reader<T>(parse: (text: string) => T | Promise<T>): SmallFileReader<T>;
  /** Forgets all files except these. */
  keep(files: Iterable<StoredFile>): void;
}

/** A file is not text in UTF-8. */
export class EncodingError extends ModelError {
  /** What the file says if it is UTF-16. */
  readonly text: string;

  constructor(message: string, text: string) {
    super(message);
    this.text = text;
  }
}

/**
 * The text of a small file, without a byte order mark. Windows PowerShell writes UTF-16, in which every other byte of
 * English text is zero. In files that can have comments, a byte that is not UTF-8 may be part of one, and then it says
 * nothing.
 *
 * @param path of which the last part is in the error
 * @throws EncodingError
 */
export function decodeFile(bytes: Buffer, path: string): string {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const isDamaged = !/\.(?:ya?ml|pbtxt)$|MLmodel$/.test(path) && !isUtf8(bytes);
  if (!isDamaged && !text.includes('\0')) return text;
  throw new EncodingError(
    `its ${path.split('/').at(-1)} is not UTF-8; save it as UTF-8`,
    text.replace(/[\0\ufffd]/g, ''),
  );
}

/** Reads the small files of a store: a request that names no model looks at the configs of all models. */
export function createSmallFiles(store: ModelStore): SmallFiles {
  const texts = new Map<string, Promise<string>>();
  const caches: Map<string, Promise<unknown>>[] = [texts];

  function readOnce(file: StoredFile): Promise<string> {
    const key = keyOf(file);
    const known = texts.get(key);
    if (known !== undefined) return known;
    const text = readText(store, file);
    texts.set(key, text);
    text.catch(() => forget(key));
    return text;
  }

  /** Keeps errors of parsing, which stay the same, but not errors of reading, which may be gone the next time. */
  function forget(key: string): void {
    for (const cache of caches) cache.delete(key);
  }

  return {
    reader: <T>(parse: (text: string) => T | Promise<T>) => {
      const values = new Map<string, Promise<T>>();
      caches.push(values);
      return (file) => {
        const key = keyOf(file);
        const known = values.get(key);
        if (known !== undefined) return known;
        const value = readOnce(file).then(parse);
        values.set(key, value);
        return value;
      };
    },
    keep: (files) => {
      const kept = new Set(Array.from(files, keyOf));
      for (const cache of caches) for (const key of cache.keys()) if (!kept.has(key)) cache.delete(key);
    },
  };
}

function keyOf({ path, etag }: StoredFile): string {
  return `${path} ${etag}`;
}

async function readText(store: ModelStore, file: StoredFile): Promise<string> {
  if (file.sizeBytes > LIMIT_BYTES) {
    const name = file.path.split('/').at(-1);
    throw new ModelError(`its ${name} has more than ${LIMIT_BYTES} bytes`);
  }
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await store.read(file, 0, file.sizeBytes)) chunks.push(Buffer.from(chunk));
    return decodeFile(Buffer.concat(chunks), file.path);
  } catch (error) {
    if (error instanceof StoreError || error instanceof ModelError) throw error;
    throw new StoreError('unreachable', `reading ${file.path} of ${store.url} was interrupted`, error);
  }
}
