import { type BigIntStats, createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, posix, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { MODEL_FILE } from '../../shared/models/formats/format-folder.ts';
import { graphsIn } from '../../shared/models/formats/locate.ts';
import type { ModelReference } from '../../shared/models/model-reference.ts';
import { etagOf } from '../../shared/stores/file-facts.ts';
import { isInside, lookAt } from '../../shared/stores/look-at.ts';
import type { ModelStore, StoredFile } from '../../shared/stores/model-store.ts';
import { StoreError } from '../../shared/stores/model-store.ts';
import { CommandError } from './console.ts';
import { listOf } from './model-path.ts';
import { dataFilesOf, withoutOtherGraphs } from './other-graphs.ts';
import { placeFiles } from './placed-files.ts';

interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  readonly facts: BigIntStats;
}

/** A search for the files of a folder. */
interface Search {
  readonly folder: string;
  /** Whether a file may belong to the model, by its real path. */
  readonly isAllowed: (target: string) => boolean;
  /** What cannot be part of the model, each with its path and the reason. */
  readonly problems: string[];
}

/** Which part of a folder is the model. */
export interface ModelPlace {
  readonly folder: string;
  /** Name of the model file in it; undefined for the whole folder. */
  readonly file: string | undefined;
  /** The chosen graph of the whole folder, as a path below it. */
  readonly graph?: string | undefined;
}

/**
 * One folder, or one model file, as a repository that holds nothing else, so that a model can be inspected and tried
 * before it is published. For a single file, only the files that belong to it are visible. The author of the folder
 * chose where its links lead, and its files are published. So a link may lead only to files below the folder, or to
 * files of the same model in the cache of Hugging Face, which consists of links. The file that the user named may be
 * anywhere.
 *
 * @param title what the user called it, for messages
 * @param cacheFolder for files that cannot be used in place
 * @throws CommandError that names each link out of the folder, pipe and device, or the graphs if the chosen one is
 * missing
 */
export async function openSingleModelStore(
  { folder, file, graph }: ModelPlace,
  reference: ModelReference,
  title: string,
  cacheFolder: string,
): Promise<ModelStore> {
  const prefix = `${reference.name}/${reference.version}`;
  const search = await openSearch(folder);
  const all = file === undefined ? await findFiles(search) : await findBeside(search, file);
  const found = graph === undefined ? all : chooseGraph(all, folder, graph, title);
  if (search.problems.length > 0) throw refuse(folder, search.problems);
  const sources = new Map(found.map(({ path, facts }) => [outward(path, file), { path, facts }]));
  const listed = [...sources].map(
    ([path, { facts }]): StoredFile => ({
      path: `${prefix}/${path}`,
      sizeBytes: Number(facts.size),
      etag: etagOf(facts),
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

/** @throws CommandError that names the graphs of the folder */
function chooseGraph(
  found: readonly FoundFile[],
  folder: string,
  graph: string,
  title: string,
): readonly FoundFile[] {
  const paths = pathsIn(found);
  const chosen = posix.normalize(graph.split(sep).join('/'));
  if (!graphsIn(paths).includes(chosen)) {
    const graphs = listOf(graphsIn(paths)) || 'none';
    throw new CommandError(
      `--file ${JSON.stringify(graph)} is not a graph in ${JSON.stringify(title)}; its graphs are: ${graphs}.`,
      2,
    );
  }
  const kept = withoutOtherGraphs(paths, chosen, (path) => join(folder, path));
  return found.filter(({ path }) => kept.has(path));
}

/** The real path of each file, by the path in the repository. */
function pathsOf(sources: ReadonlyMap<string, FoundFile>, folder: string): ReadonlyMap<string, string> {
  return new Map([...sources].map(([seen, { path }]) => [seen, join(folder, path)]));
}

function outward(path: string, file: string | undefined): string {
  return path === file ? MODEL_FILE : path;
}

async function openSearch(folder: string): Promise<Search> {
  const real = await realpath(folder);
  const roots = [real, ...blobsOf(real)];
  return { folder, isAllowed: (target) => roots.some((root) => isInside(root, target)), problems: [] };
}

/**
 * Where the links of a snapshot in the cache of Hugging Face lead: from `models--<name>/snapshots/<revision>` to
 * `models--<name>/blobs`. A `blobs` that is itself a link does not count, as targets are compared without links.
 */
function blobsOf(folder: string): readonly string[] {
  const [, model] = /^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/.exec(folder) ?? [];
  return model === undefined ? [] : [join(model, 'blobs')];
}

function refuse(folder: string, problems: readonly string[]): CommandError {
  return new CommandError(
    `The folder ${JSON.stringify(folder)} cannot be used as a model: ${listOf([...problems].sort())}. ` +
      'A model may hold only files, and links to files in its folder. Replace each of these by the file itself, or remove it.',
  );
}

/** All files below a folder, except those whose names begin with a dot. */
async function findFiles(
  search: Search,
  below = '',
  within: readonly string[] = [],
): Promise<readonly FoundFile[]> {
  const real = await realpath(join(search.folder, below));
  // Following a link to a parent folder would never end.
  if (within.includes(real)) return [];
  const names = (await readdir(real)).filter((name) => !name.startsWith('.')).sort();
  const nested = await Promise.all(
    names.map(async (name) => {
      const path = below === '' ? name : `${below}/${name}`;
      const found = await lookAt(join(search.folder, path), search.isAllowed);
      if (found?.kind === 'folder') return await findFiles(search, path, [...within, real]);
      if (found?.kind === 'unusable') search.problems.push(`${path} ${found.problem}`);
      return found?.kind === 'file' ? [{ path, facts: found.facts }] : [];
    }),
  );
  return nested.flat();
}

/**
 * The files that belong to a model file: data files that are named after it, or that its tensors name. A `model.onnx`
 * is the model of its folder, so all files beside it belong to it, except other graphs.
 */
async function findBeside(search: Search, file: string): Promise<readonly FoundFile[]> {
  const { folder } = search;
  const stem = basename(file).replace(/\.onnx$/i, '');
  const belongs = (name: string) =>
    name.startsWith(`${file}.`) ||
    name.startsWith(`${stem}.data`) ||
    (file === MODEL_FILE && !name.startsWith('.') && !/\.onnx(?:[._]|$)/i.test(name));
  const names = new Set([...(await readdir(folder)).filter(belongs), ...dataFilesOf(join(folder, file))]);
  names.delete(file);
  const found: FoundFile[] = [{ path: file, facts: await stat(join(folder, file), { bigint: true }) }];
  for (const name of [...names].sort()) {
    const entry = await lookAt(join(folder, name), search.isAllowed);
    if (entry?.kind === 'file') found.push({ path: name, facts: entry.facts });
    if (entry?.kind === 'unusable') search.problems.push(`${name} ${entry.problem}`);
  }
  return found;
}

/** The runtime reads data files only from the folder of the graph, so they must not be links. */
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
    // A missing file is reported when the model is loaded.
    const real = await realpath(join(folder, path)).catch(() => undefined);
    if (real !== undefined && real !== join(root, path.split('/').join(sep))) return false;
  }
  return true;
}
