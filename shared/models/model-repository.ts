import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import type { JsonObject } from '../json/parse-json.ts';
import { createAliases } from './aliases.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { isPlainPath } from './file-manifest.ts';
import type { FormatFolder } from './formats/format-folder.ts';
import { locateModel, recogniseFiles } from './formats/recognise.ts';
import { createListings, type ListingOptions } from './listings.ts';
import { type ModelConfig, ModelError, parseModelConfig } from './model-config.ts';
import { parseReference } from './reference.ts';
import { type Listing, pickVersion } from './repository-listing.ts';
import { createSmallFiles, LIMIT_BYTES } from './small-files.ts';

/** A model and the versions the repository holds of it, lowest first. There is at least one. */
export interface ModelListing {
  readonly name: string;
  readonly versions: readonly string[];
  readonly liveVersion: string;
}

/** One version of one model. */
export interface ModelReference {
  readonly name: string;
  readonly version: string;
}

/** `iris/2`: its folder below the repository, and its key wherever versions are kept. */
export function pathOf({ name, version }: ModelReference): string {
  return `${name}/${version}`;
}

/** A model version's files on this machine. */
export interface ModelFolder extends FormatFolder {
  readonly path: string;
  /** The file that holds the graph, below the folder. */
  readonly modelFile: string;
  /** Where that file is; a single file may be called otherwise there. */
  readonly modelPath: string;
  readonly sizeBytes: number;
  /** What its model.json says; undefined without one. */
  readonly config: ModelConfig | undefined;
  /** A request it is known to answer, from its reference.json; undefined without one. */
  readonly example: JsonObject | undefined;
  /** The bytes of one of its files that may be large, such as a tokenizer; undefined when it is not there. */
  readLarge(path: string): Promise<Buffer | undefined>;
  /** The files are not used any more, and may make room for others. */
  release(): Promise<void>;
}

export interface ModelRepository {
  /** All models, by name. */
  list(): Promise<readonly ModelListing[]>;
  /** What the listing has of one model; undefined when it is not there. */
  versions(name: string): Promise<ModelListing | undefined>;
  /**
   * The version a request means: the one it names, by its own name or by an alias, or the live one. Where both are
   * called the same it is the version.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing what there is
   */
  resolve(name: string, version?: string): Promise<ModelReference>;
  /**
   * The version that an alias of the model's `deployment.json` stands for, for protocols that keep both apart.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing the aliases, MODEL_UNAVAILABLE when the file is not valid
   */
  resolveAlias(name: string, alias: string): Promise<ModelReference>;
  /**
   * What `model.json` says, or other small files, without fetching the model; undefined when only its graph says it.
   * @throws ModelError when a file is not valid
   */
  config(reference: ModelReference): Promise<ModelConfig | undefined>;
  /**
   * The file that holds a version's graph, below its folder, without fetching it.
   * @throws ModelError when there is none, StoreError
   */
  locate(reference: ModelReference): Promise<string>;
  /**
   * Brings a version's files to this machine, where they stay until they are released.
   * @throws ModelError, StoreError
   */
  open(reference: ModelReference): Promise<ModelFolder>;
}

export interface ModelRepositoryOptions extends ListingOptions {
  readonly artifacts: ArtifactCache;
}

export const CONFIG_FILE = 'model.json';
export const REFERENCE_FILE = 'reference.json';

/** The models of a store, in the layout `<name>/<version>/model.onnx`. Other files are no concern of it. */
export function createModelRepository(options: ModelRepositoryOptions): ModelRepository {
  const { store, artifacts, onProblem } = options;
  const smallFiles = createSmallFiles(store);
  const readText = smallFiles.reader((text) => text);
  const readConfig = smallFiles.reader(parseModelConfig);
  const listings = createListings({
    ...options,
    onRenewed: ({ files, models }) => {
      smallFiles.keep(files.values());
      const folders = [...models.values()].flatMap(({ name, versions }) =>
        versions.map((version) => pathOf({ name, version })),
      );
      artifacts
        .removeExcept(new Set(folders))
        .catch((error: unknown) => onProblem?.('models that are gone cannot be removed', error));
    },
  });
  const aliases = createAliases(listings, smallFiles);

  /** What only serves as an example must not keep a model from being served. */
  function firstRequest(reference: string, folder: string): JsonObject | undefined {
    try {
      return parseReference(reference)[0]?.request;
    } catch (error) {
      onProblem?.(`${folder}/${REFERENCE_FILE} is ignored`, error);
      return undefined;
    }
  }

  /** The files of a version, read by a given way; those beside its versions are read from the store. */
  function formatFolder(
    known: Listing,
    reference: ModelReference,
    read?: FormatFolder['read'],
  ): FormatFolder {
    const prefix = pathOf(reference);
    const readStored = async (path: string) => {
      const file = known.files.get(path);
      return file && (await readText(file));
    };
    const readOwn = read ?? ((path: string) => readStored(`${prefix}/${path}`));
    return {
      files: (known.versionFiles.get(prefix) ?? []).map(({ path }) => path.slice(prefix.length + 1)),
      // Some files name others, and could name any.
      read: async (path) => (isPlainPath(path) ? await readOwn(path) : undefined),
      readShared: (path) => readStored(`${reference.name}/${path}`),
    };
  }

  async function readFolder(reference: ModelReference, path: string): Promise<Omit<ModelFolder, 'release'>> {
    const prefix = pathOf(reference);
    const known = await listings.current();
    const find = (file: string) => known.files.get(`${prefix}/${file}`);
    // The store lists no links that leave it, so neither are they read.
    const readLarge = async (file: string) =>
      find(file) ? await readIfPresent(join(path, file)) : undefined;
    const folder = formatFolder(known, reference, async (file) => {
      checkSize(file, find(file)?.sizeBytes ?? 0);
      return (await readLarge(file))?.toString('utf8');
    });
    const modelFile = await locateModel(folder);
    const config = await folder.read(CONFIG_FILE);
    const example = (await readLarge(REFERENCE_FILE))?.toString('utf8');
    return {
      ...folder,
      path,
      readLarge,
      modelFile,
      modelPath: store.localPath?.(`${prefix}/${modelFile}`) ?? join(path, modelFile),
      sizeBytes: (known.versionFiles.get(prefix) ?? []).reduce((total, file) => total + file.sizeBytes, 0),
      config: config === undefined ? undefined : parseModelConfig(config),
      example: example === undefined ? undefined : firstRequest(example, prefix),
    };
  }

  return {
    list: async () => [...(await listings.current()).models.values()],
    versions: async (name) => (await listings.current()).models.get(name),
    resolve: async (name, version) => {
      const found = await listings.find(
        (known) =>
          pickVersion(known, name, version) ??
          (version === undefined ? undefined : aliases.pick(known, name, version)),
      );
      if (found) return found;
      throw await aliases.unknownVersion(await listings.current(), name, version);
    },
    resolveAlias: async (name, alias) => {
      const found = await listings.find((known) => aliases.pick(known, name, alias));
      if (found) return found;
      throw await aliases.unknown(await listings.current(), name, alias);
    },
    config: async (reference) => {
      const known = await listings.current();
      const folder = formatFolder(known, reference);
      const file = known.files.get(`${pathOf(reference)}/${CONFIG_FILE}`);
      return file ? await readConfig(file) : await recogniseFiles(folder);
    },
    locate: async (reference) => await locateModel(formatFolder(await listings.current(), reference)),
    open: async (reference) => {
      const path = await artifacts.fetchFolder(pathOf(reference));
      const release = async () => await artifacts.releaseFolder(path);
      try {
        return { ...(await readFolder(reference, path)), release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}

/** @throws ModelError when a file has more bytes than one that says something of a model needs */
function checkSize(file: string, sizeBytes: number): void {
  if (sizeBytes <= LIMIT_BYTES) return;
  throw new ModelError(`its ${file} has more than ${LIMIT_BYTES} bytes`);
}

/** What is beside the model is what was fetched: a published version holds only what its files.json lists. */
async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
