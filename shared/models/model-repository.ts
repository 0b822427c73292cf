import type { JsonObject } from '../json/json-value.ts';
import { createAliases } from './aliases.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { locateModel } from './formats/locate.ts';
import { createListings, type ListingOptions } from './listings.ts';
import type { ConfigReader, ModelConfig } from './model-config.ts';
import { type ModelListing, type ModelReference, pathOf } from './model-reference.ts';
import { pickVersion } from './repository-listing.ts';
import { createSmallFiles } from './small-files.ts';
import { CONFIG_FILE, createVersionFolders, type ModelFolder } from './version-folder.ts';

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
   * A request that a version is known to answer, from its `reference.json`, without fetching the model; undefined without one.
   * @throws ModelError when that is too large, StoreError
   */
  example(reference: ModelReference): Promise<JsonObject | undefined>;
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
  readonly configs: ConfigReader;
}

/** The models of a store, in the layout `<name>/<version>/model.onnx`. Other files do not concern it. */
export function createModelRepository(options: ModelRepositoryOptions): ModelRepository {
  const { store, artifacts, onProblem } = options;
  const smallFiles = createSmallFiles(store);
  const folders = createVersionFolders({ store, smallFiles, configs: options.configs, onProblem });
  const readConfig = smallFiles.reader(options.configs.parse);
  const listings = createListings({
    ...options,
    onRenewed: ({ files, models }) => {
      smallFiles.keep(files.values());
      const paths = [...models.values()].flatMap(({ name, versions }) =>
        versions.map((version) => pathOf({ name, version })),
      );
      artifacts
        .removeExcept(new Set(paths))
        .catch((error: unknown) => onProblem?.('models that are gone cannot be removed', error));
    },
  });
  const aliases = createAliases(listings, smallFiles);

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
      const folder = folders.inStore(known, reference);
      const file = known.files.get(`${pathOf(reference)}/${CONFIG_FILE}`);
      if (file) return await readConfig(file);
      // What knows all formats is loaded for models that need it.
      const { recogniseFiles } = await import('./formats/recognise.ts');
      return await recogniseFiles(folder, options.configs);
    },
    example: async (reference) => await folders.example(await listings.current(), reference),
    locate: async (reference) => await locateModel(folders.inStore(await listings.current(), reference)),
    open: async (reference) => {
      const path = await artifacts.fetchFolder(pathOf(reference));
      const release = async () => await artifacts.releaseFolder(path);
      try {
        return { ...(await folders.onDisk(await listings.current(), reference, path)), release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}
