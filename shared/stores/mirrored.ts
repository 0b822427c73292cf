import type { Readable } from 'node:stream';
import { type Loaded, type ModelStore, type PassedOver, type StoredFile, StoreError } from './model-store.ts';

/** How long the first listing of a repository may take before its mirror is asked as well. */
const HEAD_START_MS = 1_000;
/** What the etags of the mirror's files begin with. */
const OF_MIRROR = 'mirror:';

/**
 * A repository whose mirror is read when it is out. Which versions there are is asked of the mirror only as long as the
 * repository has never been listed: a mirror may lack the newest ones, so a server that knows the repository keeps what
 * it knows. A file that cannot be read comes from the mirror if that has one of the same size; `files.json` says whether
 * its bytes are the same.
 *
 * @param onOut is called with why the mirror is read
 */
export function withMirror(
  repository: ModelStore,
  mirror: ModelStore,
  onOut: (problem: string, error: unknown) => void,
): ModelStore {
  let isKnown = false;

  async function list(folder: string, passOver?: PassedOver, onPart?: () => void): Promise<StoredFile[]> {
    const own = repository.list(folder, passOver, onPart).then((files) => {
      isKnown ||= folder === '';
      return files;
    });
    if (folder === '' && isKnown) return await own;
    // It is also waited for below.
    own.catch(() => undefined);
    const first = await Promise.race([outcomeOf(own), after(HEAD_START_MS)]);
    if (first !== undefined && 'made' in first) return first.made;
    onOut('the model repository does not answer, and its mirror is asked', first?.error);
    try {
      return await (first === undefined
        ? Promise.any([own, listMirror(folder, passOver, onPart)])
        : listMirror(folder, passOver, onPart));
    } catch (error) {
      onOut('the mirror of the model repository cannot stand in for it', error);
      return await own;
    }
  }

  /** As for a listing: only as long as the repository is not known. */
  async function load(
    path: string,
    known: string | undefined,
    signal: AbortSignal | undefined,
    stores: { readonly own: Load; readonly mirror: Load },
  ): Promise<Loaded> {
    const own = stores.own(path, known?.startsWith(OF_MIRROR) ? undefined : known, signal).then((loaded) => {
      isKnown = true;
      return loaded;
    });
    if (isKnown) return await own;
    own.catch(() => undefined);
    const first = await Promise.race([outcomeOf(own), after(HEAD_START_MS)]);
    if (first !== undefined && 'made' in first) return first.made;
    onOut('the model repository does not answer, and its mirror is asked', first?.error);
    const other = async (): Promise<Loaded> => {
      const loaded = await stores.mirror(
        path,
        known?.startsWith(OF_MIRROR) ? ownEtag(known) : undefined,
        signal,
      );
      return loaded.is === 'there' ? { ...loaded, file: ofMirror(loaded.file) } : loaded;
    };
    try {
      return await (first === undefined ? Promise.any([own, other()]) : other());
    } catch (error) {
      onOut('the mirror of the model repository cannot stand in for it', error);
      return await own;
    }
  }

  async function listMirror(
    folder: string,
    passOver?: PassedOver,
    onPart?: () => void,
  ): Promise<StoredFile[]> {
    const files = await mirror.list(folder, passOver, onPart);
    // It lacks a version; the repository does not.
    if (folder !== '' && files.length === 0)
      throw new StoreError('missing', `${mirror.url} has nothing in ${folder}.`);
    return files.map(ofMirror);
  }

  async function read(file: StoredFile, start: number, end: number, signal?: AbortSignal): Promise<Readable> {
    if (file.etag.startsWith(OF_MIRROR)) return await mirror.read(ownFile(file), start, end, signal);
    try {
      return await repository.read(file, start, end, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof StoreError) || error.reason === 'changed') throw error;
      const same = await findSame(file);
      if (same === undefined) throw error;
      onOut('a file of the model repository cannot be read, and comes from its mirror', error);
      return await mirror.read(same, start, end, signal);
    }
  }

  async function findSame(file: StoredFile): Promise<StoredFile | undefined> {
    const folder = file.path.slice(0, Math.max(0, file.path.lastIndexOf('/')));
    const files = await mirror.list(folder).catch((): StoredFile[] => []);
    return files.find(({ path, sizeBytes }) => path === file.path && sizeBytes === file.sizeBytes);
  }

  const stores = repository.load && mirror.load ? { own: repository.load, mirror: mirror.load } : undefined;
  return {
    url: repository.url,
    list,
    read,
    ...(stores && { load: (path, known, signal) => load(path, known, signal, stores) }),
  };
}

type Load = NonNullable<ModelStore['load']>;

function ofMirror(file: StoredFile): StoredFile {
  return { ...file, etag: OF_MIRROR + file.etag };
}

function ownFile(file: StoredFile): StoredFile {
  return { ...file, etag: ownEtag(file.etag) };
}

function ownEtag(etag: string): string {
  return etag.slice(OF_MIRROR.length);
}

type Outcome<T> = { readonly made: T } | { readonly error: unknown };

async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { made: await work };
  } catch (error) {
    return { error };
  }
}

function after(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref());
}
