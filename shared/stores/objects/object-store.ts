import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  LARGEST_LOADED_BYTES,
  type Loaded,
  type NewContent,
  type StoredFile,
  StoreError,
  type WritableStore,
} from '../model-store.ts';
import { checkWritePath } from '../write-path.ts';
import {
  createObjectRequests,
  describe,
  type ObjectStoreOptions,
  type Purpose,
  RefusedError,
} from './object-requests.ts';
import type { ObjectProtocol } from './protocol.ts';

/** Where the files of a repository are among the objects of a bucket or container. */
export interface ObjectLocation {
  /** Without a slash at the end. */
  readonly url: string;
  /** What comes before each key in messages: `s3://bucket/`. */
  readonly root: string;
  /** What comes before the path of each file in its key: empty, or with a slash at the end. */
  readonly prefix: string;
}

/** A model repository in a store for objects, as `WritableStore` describes it. */
export function createObjectStore(
  protocol: ObjectProtocol,
  { url, root, prefix }: ObjectLocation,
  options: ObjectStoreOptions,
): WritableStore {
  const requests = createObjectRequests(protocol, options);
  const placeOf = (key: string) => root + key;

  async function list(folder: string, onPart?: () => void): Promise<StoredFile[]> {
    const below = folder.replace(/\/+$/, '');
    const keys = prefix + (below && `${below}/`);
    const purpose = { action: 'list', place: placeOf(keys) } as const;
    const files: StoredFile[] = [];
    let start: string | undefined;
    do {
      const { text } = await requests.send(() => protocol.list(keys, start), purpose);
      const page = protocol.readPage(text);
      onPart?.();
      for (const { key, ...facts } of page.objects) {
        const path = key.slice(prefix.length);
        // Folder markers end in a slash, so their last part is empty.
        if (path.split('/').every((part) => part !== '' && !part.startsWith('.')))
          files.push({ path, ...facts });
      }
      start = page.next;
    } while (start !== undefined);
    return files.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async function read(file: StoredFile, start: number, end: number, signal?: AbortSignal): Promise<Readable> {
    // There are no empty ranges; a file of 0 bytes is read whole.
    if (start >= end && file.sizeBytes > 0) return Readable.from([]);
    const key = prefix + file.path;
    const range = file.sizeBytes > 0 ? { range: { start, end } } : {};
    const purpose = { action: 'read', place: placeOf(key), signal } as const;
    const answer = await requests.open(() => protocol.get(key, { etag: file.etag, ...range }), purpose);
    const { body, headers } = answer;
    // Some servers ignore conditions or ranges.
    if (protocol.etagOf(answer) !== file.etag) {
      body.destroy();
      throw new StoreError('changed', describe(protocol, 'changed', 'read', purpose.place));
    }
    if (headers['content-length'] !== String(end - start)) {
      body.destroy();
      throw new StoreError(
        'unreachable',
        `${protocol.title} sent ${headers['content-length']} bytes of ${purpose.place}; bytes ${start} to ${end} were requested.`,
      );
    }
    return body;
  }

  async function load(path: string, known?: string, signal?: AbortSignal): Promise<Loaded> {
    const key = prefix + path;
    const purpose = { action: 'read', place: placeOf(key), signal } as const;
    try {
      const answer = await requests.open(() => protocol.get(key, { known }), purpose);
      const storeMs = timeOf(answer.headers);
      const { body, headers, status } = answer;
      const etag = protocol.etagOf(answer) ?? '';
      // A server that ignores conditions sends the same content again.
      if (status === 304 || etag === known) {
        body.destroy();
        return { is: 'unchanged', storeMs };
      }
      const content = await collect(body, Number(headers['content-length']), purpose.place);
      return { is: 'there', file: { path, sizeBytes: content.length, etag }, content, storeMs };
    } catch (error) {
      if (!isMissing(error)) throw error;
      return { is: 'missing', storeMs: Date.now() };
    }
  }

  async function collect(body: Readable, sizeBytes: number, place: string): Promise<Buffer> {
    if (sizeBytes > LARGEST_LOADED_BYTES) {
      body.destroy();
      throw new StoreError('corrupt', `${place} has more than ${LARGEST_LOADED_BYTES} bytes.`);
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of body) chunks.push(Buffer.from(chunk));
    } catch (error) {
      throw new StoreError('unreachable', `Reading ${place} was interrupted.`, error);
    }
    const content = Buffer.concat(chunks);
    if (content.length === sizeBytes) return content;
    throw new StoreError(
      'unreachable',
      `${protocol.title} sent ${content.length} of ${sizeBytes} bytes of ${place}.`,
    );
  }

  async function write(path: string, content: NewContent, replaced?: string): Promise<StoredFile> {
    checkWritePath(path);
    const { bytes, text } = protocol.largest;
    if (content.sizeBytes > bytes)
      throw new StoreError(
        'no-space',
        `${path} has more than ${text}, the most that ${protocol.title} accepts at once.`,
      );
    const key = prefix + path;
    const watched = watch(content, path);
    const hashed = { ...watched.content, md5: protocol.needsMd5 ? await md5Of(content, path) : undefined };
    const purpose = { action: 'write', place: placeOf(key) } as const;
    const answer = await change(purpose, () =>
      requests
        .send(() => protocol.put(key, hashed, replaced), purpose)
        .catch((error: unknown) => {
          throw watched.broken() ?? error;
        }),
    );
    const etag = protocol.etagOf(answer, answer.text);
    if (etag === undefined)
      throw new StoreError('unreachable', `${protocol.title} returned no ETag for ${path}.`);
    return { path, sizeBytes: content.sizeBytes, etag };
  }

  async function remove({ path, etag }: StoredFile): Promise<void> {
    checkWritePath(path);
    const key = prefix + path;
    const purpose = { action: 'remove', place: placeOf(key) } as const;
    await change(purpose, () => requests.send(() => protocol.remove(key, etag), purpose));
  }

  /** An object that no longer exists counts as changed; a bucket that does not exist is a different error. */
  async function change<T>({ action, place }: Purpose, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof RefusedError && (isMissing(error) || error.reason === 'changed'))) throw error;
      throw new StoreError('changed', describe(protocol, 'changed', action, place), error, error.isRepeated);
    }
  }

  return {
    url,
    list: async (folder, _, onPart) => await list(folder, onPart),
    read,
    load,
    write,
    remove,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof RefusedError && error.reason === 'missing' && error.refusal.isContainer !== true;
}

/** The time by the store's clock. */
function timeOf(headers: Readonly<Record<string, string>>): number {
  const ms = Date.parse(headers.date ?? '');
  return Number.isNaN(ms) ? Date.now() : ms;
}

/** Content that remembers why it cannot be read. */
function watch(content: NewContent, path: string): { content: NewContent; broken(): StoreError | undefined } {
  let broken: StoreError | undefined;
  return {
    content: {
      ...content,
      open: () => {
        const stream = content.open();
        stream.once('error', (error) => {
          broken = unreadable(path, error);
        });
        return stream;
      },
    },
    broken: () => broken,
  };
}

/** @throws StoreError for content that is not what it should be */
async function md5Of(content: NewContent, path: string): Promise<string> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  try {
    for await (const chunk of content.open()) {
      md5.update(chunk);
      sha256.update(chunk);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (sha256.digest('hex') === content.sha256) return md5.digest('base64');
  throw new StoreError('corrupt', `${path} changed while it was being written: its sha256 differs now.`);
}

function unreadable(path: string, error: unknown): StoreError {
  const said = error instanceof Error ? error.message : String(error);
  return new StoreError('corrupt', `The content for ${path} cannot be read: ${said}.`, error);
}
