import { isVersionFile, VERSION_FILES } from '../../shared/models/formats/locate.ts';
import { isVersion } from '../../shared/models/versions.ts';
import {
  type ModelStore,
  type StoredFile,
  StoreError,
  type WritableStore,
} from '../../shared/stores/model-store.ts';

/** The version of a model whose folder has no folder for it. */
const VERSION = '1';

/** How the paths of a store become paths of a repository, and back. */
interface Layout {
  outward(path: string): string;
  /** Undefined for a path that no file of the store can have. */
  inward(path: string): string | undefined;
}

/**
 * Serves what platforms mount as a repository. They put the files of one model into a folder, with or without a folder
 * for its version; Azure ML leaves the name of the folder that was registered above them. A repository stays as it is.
 *
 * @param name of a model whose folder has no name
 */
export function openMountedModels(store: WritableStore, name: string): WritableStore {
  let layout = AS_IT_IS;
  let isKnown = false;
  const stored = (file: StoredFile): StoredFile => ({ ...file, path: layout.inward(file.path) ?? file.path });
  const list: ModelStore['list'] = async (folder, passOver, onPart) => {
    const passed: [path: string, problem: string][] = [];
    const below = folder === '' ? '' : layout.inward(folder);
    if (below === undefined) return [];
    const files = await store.list(below, (...entry) => passed.push(entry), onPart);
    if (folder === '') {
      layout = layoutOf(files, name);
      isKnown = true;
    }
    const { outward } = layout;
    for (const [path, problem] of passed) passOver?.(outward(path), problem);
    return files.map((file) => ({ ...file, path: outward(file.path) }));
  };
  /** What is mounted for one model is that of the platform. */
  const changing = async () => {
    if (!isKnown) await list('');
    if (layout !== AS_IT_IS)
      throw new StoreError('denied', `${store.url} has the files of single models, and not a repository.`);
    return store;
  };
  const { localPath } = store;
  return {
    url: store.url,
    list,
    read: (file, start, end, signal) => store.read(stored(file), start, end, signal),
    load: async (path, known, signal) => {
      const loaded = await store.load(layout.inward(path) ?? path, known, signal);
      return loaded.is === 'there' ? { ...loaded, file: { ...loaded.file, path } } : loaded;
    },
    write: async (path, content, replaced) => await (await changing()).write(path, content, replaced),
    remove: async (file) => await (await changing()).remove(file),
    ...(localPath && { localPath: (path: string) => localPath(layout.inward(path) ?? path) }),
  };
}

const AS_IT_IS: Layout = { outward: (path) => path, inward: (path) => path };

function layoutOf(files: readonly StoredFile[], name: string): Layout {
  const paths = files.map(({ path }) => path);
  const isRepository = paths.some(isInRepository);
  // A graph with an unusual name does not count beside complete models: somebody left it there.
  const isModel = paths.some(
    (path) => VERSION_FILES.includes(path) || (!isRepository && isVersionFile(path)),
  );
  if (isModel) return within(`${name}/${VERSION}`);
  const folders = new Set(paths.filter((path) => isVersionFile(below(path, 1))).map(firstOf));
  if ([...folders].some(isVersion)) return within(name);
  for (const path of paths) if (isInRepository(path)) folders.delete(firstOf(path));
  return folders.size === 0 ? AS_IT_IS : withVersions(folders);
}

/** Optimum saves graphs in a folder `onnx`, which is not a version. */
function isInRepository(path: string): boolean {
  return path.split('/')[1] !== 'onnx' && isVersionFile(below(path, 2));
}

/** All files are in a folder of the repository. */
function within(folder: string): Layout {
  return {
    outward: (path) => `${folder}/${path}`,
    inward: (path) => {
      if (`${folder}/`.startsWith(`${path}/`)) return '';
      return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
    },
  };
}

/** Some of the folders are models without folders for their versions. */
function withVersions(folders: ReadonlySet<string>): Layout {
  return {
    outward: (path) => {
      const first = firstOf(path);
      return folders.has(first) ? `${first}/${VERSION}/${below(path, 1)}` : path;
    },
    inward: (path) => {
      const [first = '', version, ...others] = path.split('/');
      if (!folders.has(first) || version === undefined) return path;
      return version === VERSION ? [first, ...others].join('/') : undefined;
    },
  };
}

function firstOf(path: string): string {
  return path.split('/', 1)[0] ?? '';
}

/** The rest of a path below its first folders; empty if it has no more parts. */
function below(path: string, folders: number): string {
  return path.split('/').slice(folders).join('/');
}
