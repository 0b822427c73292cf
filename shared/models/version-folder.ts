import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { ModelStore } from '../stores/model-store.ts';
import { isPlainPath, MANIFEST_FILE } from './file-manifest.ts';
import type { FormatFolder } from './formats/format-folder.ts';
import { locateModel } from './formats/locate.ts';
import type { ListingOptions } from './listings.ts';
import { type ConfigReader, type ModelConfig, ModelError } from './model-config.ts';
import type { ModelReference } from './model-reference.ts';
import { parseFirstCase } from './reference.ts';
import { type Folders, foldersOf, type Listing, type ModelFiles } from './repository-listing.ts';
import { decodeFile, LIMIT_BYTES, type SmallFiles } from './small-files.ts';

export const CONFIG_FILE = 'model.json';
export const REFERENCE_FILE = 'reference.json';

/** A model version's files on this machine. */
export interface ModelFolder extends FormatFolder {
  readonly path: string;
  /** The file that holds the graph, below the folder. */
  readonly modelFile: string;
  /** Where that file is; a single file may have another name there. */
  readonly modelPath: string;
  readonly sizeBytes: number;
  /** Its model.json; undefined without one. */
  readonly config: ModelConfig | undefined;
  /** A request from its reference.json, which it is known to answer; undefined without that file. */
  readonly example: JsonObject | undefined;
  /**
   * Whether `ternion add` has published exactly these files, and has had an answer to `example` from them. Anyone who
   * can write the repository can also say so of a model that does not answer. Nobody gains by that: it decides only
   * whether the first input of the graph, and of the steps that prepare images, is a made-up one. All that protects the
   * process is checked at each load.
   */
  readonly isTried: boolean;
  /**
   * Resolves once these files, by default all, are known to be what `files.json` says.
   * @throws DamageError
   */
  checked(isWanted?: (path: string) => boolean): Promise<void>;
  /** The bytes of one of its files that may be large, such as a tokenizer; undefined when it does not exist. */
  readLarge(path: string): Promise<Buffer | undefined>;
  /** The caller no longer uses the files; they may be removed to make room. */
  release(): Promise<void>;
}

/** The files of versions, to determine what kind of model each is. */
export interface VersionFolders {
  /** A version, with its small files read from the store. */
  inStore(known: Listing, reference: ModelReference): Promise<FormatFolder>;
  /** The first request of a version's reference.json, read from the store. */
  example(known: Listing, reference: ModelReference): Promise<JsonObject | undefined>;
  /**
   * A version that was fetched to this machine.
   * @throws ModelError when it has no graph, or its files are not valid
   */
  onDisk(
    known: Listing,
    reference: ModelReference,
    begun: Pick<ModelFolder, 'path' | 'checked'>,
  ): Promise<Omit<ModelFolder, 'release'>>;
}

interface VersionFolderOptions {
  readonly store: ModelStore;
  readonly smallFiles: SmallFiles;
  readonly configs: ConfigReader;
  readonly onProblem: ListingOptions['onProblem'];
}

export function createVersionFolders(options: VersionFolderOptions): VersionFolders {
  const { store, smallFiles, configs, onProblem } = options;
  const readText = smallFiles.reader((text) => text);

  async function readStored({ byPath }: ModelFiles, path: string): Promise<string | undefined> {
    const file = byPath.get(path);
    return file && (await readText(file));
  }

  /**
   * The files of a version, read with the given function; files next to the folders of versions are read from the
   * store.
   */
  function openFolder(
    files: ModelFiles,
    { model, version: prefix }: Folders,
    read: FormatFolder['read'],
  ): FormatFolder {
    return {
      files: (files.byVersion.get(prefix) ?? []).map(({ path }) => path.slice(prefix.length + 1)),
      // Some files name other files, and could name any path.
      read: async (path) => (isPlainPath(path) ? await read(path) : undefined),
      readShared: (path) => readStored(files, `${model}/${path}`),
    };
  }

  /** An example alone must not keep a model from being served. */
  async function firstRequest(reference: string, folder: string): Promise<JsonObject | undefined> {
    try {
      return (await parseFirstCase(reference))?.request;
    } catch (error) {
      onProblem?.(`${folder}/${REFERENCE_FILE} is ignored`, error);
      return undefined;
    }
  }

  return {
    inStore: async (known, reference) => {
      const folders = foldersOf(known, reference);
      const files = await known.filesOf(folders.model);
      return openFolder(files, folders, (path) => readStored(files, `${folders.version}/${path}`));
    },
    example: async (known, reference) => {
      const { model, version } = foldersOf(known, reference);
      const text = await readStored(await known.filesOf(model), `${version}/${REFERENCE_FILE}`);
      return text === undefined ? undefined : firstRequest(text, version);
    },
    onDisk: async (known, reference, { path, checked }) => {
      const folders = foldersOf(known, reference);
      const prefix = folders.version;
      const listed = await known.filesOf(folders.model);
      const find = (file: string) => listed.byPath.get(`${prefix}/${file}`);
      // The store does not list links that leave it, so they are not read either.
      const readLarge = async (file: string) => {
        if (!find(file)) return undefined;
        await checked((each) => each === file);
        return await readIfPresent(join(path, file));
      };
      const folder = openFolder(listed, folders, async (file) => {
        checkSize(file, find(file)?.sizeBytes ?? 0);
        const bytes = await readLarge(file);
        return bytes && decodeFile(bytes, file);
      });
      const configText = await folder.read(CONFIG_FILE);
      const config = configText === undefined ? undefined : await configs.parse(configText);
      const modelFile = await locateModel(folder, config);
      const text = (await readLarge(REFERENCE_FILE))?.toString('utf8');
      const example = text === undefined ? undefined : await firstRequest(text, prefix);
      const files = listed.byVersion.get(prefix) ?? [];
      return {
        ...folder,
        path,
        readLarge,
        modelFile,
        modelPath: store.localPath?.(`${prefix}/${modelFile}`) ?? join(path, modelFile),
        sizeBytes: files.reduce((total, file) => total + file.sizeBytes, 0),
        config,
        example,
        isTried: example !== undefined && find(MANIFEST_FILE) !== undefined,
        checked,
      };
    },
  };
}

/** @throws ModelError when the file has more than LIMIT_BYTES */
function checkSize(file: string, sizeBytes: number): void {
  if (sizeBytes <= LIMIT_BYTES) return;
  throw new ModelError(`its ${file} has more than ${LIMIT_BYTES} bytes`);
}

/** The files next to the model are the fetched ones: a published version holds only what its files.json lists. */
async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
