import { basename } from 'node:path';
import type { ModelReference } from '../../shared/models/model-repository.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import type { ModelStore, StoredFile } from '../../shared/stores/model-store.ts';

/**
 * One folder, or one model file, as a repository that holds nothing else: a model can be looked at and tried before
 * it is published. Of the folder of a single file only what belongs to it is seen: data files named after it.
 *
 * @param folder the folder that holds the files
 * @param file name of the model file in it; undefined for the whole folder
 */
export function openSingleModelStore(
  folder: string,
  file: string | undefined,
  reference: ModelReference,
): ModelStore {
  const store = openFilesystemStore(folder);
  const prefix = `${reference.name}/${reference.version}`;
  const outward = (stored: StoredFile): StoredFile => ({
    ...stored,
    path: `${prefix}/${stored.path === file ? 'model.onnx' : stored.path}`,
  });
  const inward = (stored: StoredFile): StoredFile => {
    const path = stored.path.slice(prefix.length + 1);
    return { ...stored, path: file !== undefined && path === 'model.onnx' ? file : path };
  };
  const belongs = ({ path }: StoredFile): boolean =>
    file === undefined ||
    path === file ||
    path.startsWith(`${file}.`) ||
    path.startsWith(`${stemOf(file)}.data`);
  return {
    url: store.url,
    list: async (below) => {
      const files = (await store.list('')).filter(belongs).map(outward);
      return files.filter(({ path }) => below === '' || path.startsWith(`${below}/`));
    },
    read: (stored, start, end) => store.read(inward(stored), start, end),
    // A file by another name than model.onnx is copied: sessions are made from a folder with that name in it.
    ...(file === undefined && { localFolder: () => store.localFolder?.('') ?? folder }),
  };
}

function stemOf(file: string): string {
  return basename(file).replace(/\.onnx$/i, '');
}
