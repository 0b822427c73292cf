import { createReadStream, type Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, posix, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { isPlainPath } from '../../shared/models/file-manifest.ts';
import { MODEL_FILE } from '../../shared/models/formats/format-folder.ts';
import type { ModelReference } from '../../shared/models/model-reference.ts';
import { readExternalLocations } from '../../shared/onnx/external-data.ts';
import { ProtobufError, withFileSource } from '../../shared/onnx/protobuf.ts';
import type { ModelStore, StoredFile } from '../../shared/stores/model-store.ts';
import { StoreError } from '../../shared/stores/model-store.ts';
import { placeFiles } from './placed-files.ts';

interface FoundFile {
  /** Below the folder, with forward slashes. */
  readonly path: string;
  readonly facts: Stats;
}

/**
 * One folder, or one model file, as a repository that holds nothing else: a model can be looked at and tried before
 * it is published. Of the folder of a single file only what belongs to it is seen. Other than in a repository, links are
 * followed wherever they lead, as the caches of Hugging Face and of MLflow are made of them.
 *
 * @param folder the folder that holds the files
 * @param file name of the model file in it; undefined for the whole folder
 * @param cacheFolder where files are placed that cannot be used where they are
 */
export async function openSingleModelStore(
  folder: string,
  file: string | undefined,
  reference: ModelReference,
  cacheFolder: string,
): Promise<ModelStore> {
  const prefix = `${reference.name}/${reference.version}`;
  const found = file === undefined ? await findFiles(folder) : await findBeside(folder, file);
  const sources = new Map(found.map(({ path, facts }) => [outward(path, file), { path, facts }]));
  const listed = [...sources].map(
    ([path, { facts }]): StoredFile => ({
      path: `${prefix}/${path}`,
      sizeBytes: facts.size,
      etag: `"${facts.size.toString(16)}-${facts.mtimeMs.toString(16)}"`,
    }),
  );
  const isUsable = await hasPlainFiles(folder, file === undefined ? pathsIn(found) : partsOf(folder, file));
  const placed = isUsable ? undefined : await placeFiles(cacheFolder, pathsOf(sources, folder));
  return {
    url: pathToFileURL(folder).href,
    list: async (below) => listed.filter(({ path }) => below === '' || path.startsWith(`${below}/`)),
    read: async (stored, start, end) => {
      const source = sources.get(stored.path.slice(prefix.length + 1));
      if (!source) throw new StoreError('missing', `${stored.path} does not exist.`);
      if (start >= end) return Readable.from([]);
      return createReadStream(join(folder, source.path), { start, end: end - 1, highWaterMark: READ_BYTES });
    },
    localPath: (path) => {
      const below = path.slice(prefix.length + 1);
      return placed === undefined ? join(folder, sources.get(below)?.path ?? below) : join(placed, below);
    },
  };
}

const READ_BYTES = 1024 * 1024;

/** Where each file really is, by the path that is seen. */
function pathsOf(sources: ReadonlyMap<string, FoundFile>, folder: string): ReadonlyMap<string, string> {
  return new Map([...sources].map(([seen, { path }]) => [seen, join(folder, path)]));
}

function outward(path: string, file: string | undefined): string {
  return path === file ? MODEL_FILE : path;
}

/** All files below a folder but those whose names begin with a dot. */
async function findFiles(
  folder: string,
  below = '',
  within: readonly string[] = [],
): Promise<readonly FoundFile[]> {
  const real = await realpath(join(folder, below));
  // A link to a folder that this one is in would never end.
  if (within.includes(real)) return [];
  const names = (await readdir(real)).filter((name) => !name.startsWith('.')).sort();
  const nested = await Promise.all(
    names.map(async (name) => {
      const path = below === '' ? name : `${below}/${name}`;
      const facts = await stat(join(folder, path)).catch(() => undefined);
      if (facts?.isDirectory()) return await findFiles(folder, path, [...within, real]);
      return facts?.isFile() ? [{ path, facts }] : [];
    }),
  );
  return nested.flat();
}

/**
 * What belongs to a model file: data files that are named after it, or that its tensors name. A `model.onnx` is what its
 * folder is about, so all files beside it belong to it but other graphs.
 */
async function findBeside(folder: string, file: string): Promise<readonly FoundFile[]> {
  const stem = basename(file).replace(/\.onnx$/i, '');
  const belongs = (name: string) =>
    name === file ||
    name.startsWith(`${file}.`) ||
    name.startsWith(`${stem}.data`) ||
    (file === MODEL_FILE && !name.startsWith('.') && !/\.onnx(?:[._]|$)/i.test(name));
  const names = new Set([...(await readdir(folder)).filter(belongs), ...dataFilesOf(join(folder, file))]);
  const found: FoundFile[] = [];
  for (const name of [...names].sort()) {
    const facts = await stat(join(folder, name)).catch(() => undefined);
    if (facts?.isFile()) found.push({ path: name, facts });
  }
  return found;
}

/** Paths of a graph's data files below its folder; the runtime takes no others. */
function dataFilesOf(path: string): readonly string[] {
  try {
    const locations = [...withFileSource(path, readExternalLocations)].map((each) => posix.normalize(each));
    return locations.filter((each) => isPlainPath(each));
  } catch (error) {
    // What is wrong with it is told when it is loaded.
    if (error instanceof ProtobufError) return [];
    throw error;
  }
}

/** The runtime takes data files from the folder of a graph alone, so they must not be links. */
function partsOf(folder: string, file: string): readonly string[] {
  const data = dataFilesOf(join(folder, file));
  return data.length > 0 ? [file, ...data] : [];
}

function pathsIn(found: readonly FoundFile[]): readonly string[] {
  return found.map(({ path }) => path);
}

async function hasPlainFiles(folder: string, paths: readonly string[]): Promise<boolean> {
  const root = await realpath(folder);
  for (const path of paths) {
    // What is not there is missed when the model is loaded.
    const real = await realpath(join(folder, path)).catch(() => undefined);
    if (real !== undefined && real !== join(root, path.split('/').join(sep))) return false;
  }
  return true;
}
