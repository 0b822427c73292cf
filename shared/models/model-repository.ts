import type { Budget } from '../budget.ts';
import type { JsonObject } from '../json/json-value.ts';
import { createAliases } from './aliases.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { locateModel } from './formats/locate.ts';
import { createListings, type ListingOptions } from './listings.ts';
import type { ConfigReader, ModelConfig } from './model-config.ts';
import { type ModelListing, type ModelReference, pathOf } from './model-reference.ts';
import { createPatience, STORE_SILENCE_MS } from './patience.ts';
import { type Listing, pickVersion } from './repository-listing.ts';
import { readPolicy } from './served-versions.ts';
import { createSmallFiles } from './small-files.ts';
import { CONFIG_FILE, createVersionFolders, type ModelFolder } from './version-folder.ts';

/**
 * What a repository holds. A call waits for a store that says nothing for two seconds at most, and no longer than the
 * budget of its request lasts, where it is given; then it throws a StoreError. What the store says later serves later calls.
 */
export interface ModelRepository {
  /**
   * Resolves once the store has been listed, however long that takes: for what needs it before there are requests.
   * @throws StoreError
   */
  ready(): Promise<void>;
  /** All models that are served, by name. */
  list(budget?: Budget): Promise<readonly ModelListing[]>;
  /** What the listing has of one model; undefined when it is not there. */
  versions(name: string, budget?: Budget): Promise<ModelListing | undefined>;
  /**
   * The version a request means: the one it names, by its own name or by an alias, or the live one. Where both are
   * called the same it is the version.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing what there is, MODEL_UNAVAILABLE when it cannot be known which versions are served
   */
  resolve(name: string, version?: string, budget?: Budget): Promise<ModelReference>;
  /**
   * The version that an alias of the model's `deployment.json` stands for, for protocols that keep both apart.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing the aliases, MODEL_UNAVAILABLE when the file is not valid
   */
  resolveAlias(name: string, alias: string, budget?: Budget): Promise<ModelReference>;
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
  /** How long the store may say nothing, in ms; Infinity for as long as it takes. */
  readonly silenceMs?: number | undefined;
}

/** The models of a store, in the layout `<name>/<version>/model.onnx`. Other files do not concern it. */
export function createModelRepository(options: ModelRepositoryOptions): ModelRepository {
  const { store, artifacts, onProblem } = options;
  const smallFiles = createSmallFiles(store);
  const folders = createVersionFolders({ store, smallFiles, configs: options.configs, onProblem });
  const readConfig = smallFiles.reader(options.configs.parse);
  const listings = createListings({
    ...options,
    readPolicy: smallFiles.reader(readPolicy),
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
  const { silenceMs = STORE_SILENCE_MS } = options;
  const patienceOf = (budget?: Budget) =>
    createPatience({ url: store.url, silenceMs, heardMs: listings.heardMs }, budget);

  /** What its own `model.json` says; undefined without one. */
  async function ownConfig(known: Listing, reference: ModelReference): Promise<ModelConfig | undefined> {
    const file = known.files.get(`${pathOf(reference)}/${CONFIG_FILE}`);
    return file && (await readConfig(file));
  }

  return {
    ready: listings.ready,
    list: async (budget) => [...(await listings.current(patienceOf(budget))).models.values()],
    versions: async (name, budget) => (await listings.current(patienceOf(budget))).models.get(name),
    resolve: async (name, version, budget) => {
      const patience = patienceOf(budget);
      const found = await listings.find((known) => {
        const picked = pickVersion(known, name, version);
        if (picked || version === undefined) return picked;
        return patience.wait(aliases.pick(known, name, version));
      }, patience);
      if (found) return found;
      const known = await listings.current(patience);
      throw await patience.wait(aliases.unknownVersion(known, name, version));
    },
    resolveAlias: async (name, alias, budget) => {
      const patience = patienceOf(budget);
      const found = await listings.find((known) => patience.wait(aliases.pick(known, name, alias)), patience);
      if (found) return found;
      throw await patience.wait(aliases.unknown(await listings.current(patience), name, alias));
    },
    config: async (reference) => {
      const patience = patienceOf();
      const known = await listings.current(patience);
      const folder = folders.inStore(known, reference);
      const config = await patience.wait(ownConfig(known, reference));
      if (config) return config;
      // What knows all formats is loaded for models that need it.
      const { recogniseFiles } = await import('./formats/recognise.ts');
      return await patience.wait(recogniseFiles(folder, options.configs));
    },
    example: async (reference) => {
      const patience = patienceOf();
      return await patience.wait(folders.example(await listings.current(patience), reference));
    },
    locate: async (reference) => {
      const patience = patienceOf();
      const known = await listings.current(patience);
      const config = await patience.wait(ownConfig(known, reference));
      return await patience.wait(locateModel(folders.inStore(known, reference), config));
    },
    open: async (reference) => {
      const path = await artifacts.fetchFolder(pathOf(reference));
      const release = async () => await artifacts.releaseFolder(path);
      try {
        return { ...(await folders.onDisk(await listings.current(patienceOf()), reference, path)), release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}
