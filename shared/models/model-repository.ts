import type { Budget } from '../budget.ts';
import { memberOf, parseText } from '../json/json-file.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { StoredFile } from '../stores/model-store.ts';
import { createAliases } from './aliases.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { locateModel } from './formats/locate.ts';
import { createListings, type ListingOptions } from './listings.ts';
import type { ConfigReader, ModelConfig } from './model-config.ts';
import { folderOf, type ModelListing, type ModelReference } from './model-reference.ts';
import { createPatience, STORE_SILENCE_MS } from './patience.ts';
import { foldersOf, type Listing, pickVersion } from './repository-listing.ts';
import { readPolicy } from './served-versions.ts';
import { createSmallFiles } from './small-files.ts';
import { CONFIG_FILE, createVersionFolders, type ModelFolder } from './version-folder.ts';

/**
 * The content of a repository. A call waits at most two seconds for a silent store, and no longer than the budget of
 * its request, if one is given; then it throws a StoreError. What arrives later is used by later calls.
 */
export interface ModelRepository {
  /**
   * Resolves once the store has been listed, no matter how long that takes. For callers that need the listing before
   * there are requests.
   * @throws StoreError
   */
  ready(): Promise<void>;
  /**
   * Lists the store now: a writer knows that it has changed.
   * @throws StoreError
   */
  renew(): Promise<void>;
  /** All models that are served, by name: the same list until the store is listed again. */
  list(budget?: Budget): Promise<readonly ModelListing[]>;
  /** What `list` resolves to, without a promise; undefined if the store has to be asked. */
  knownModels(): readonly ModelListing[] | undefined;
  /** What is known of a model without asking the store; undefined when it does not exist, or before the first listing. */
  known(name: string): ModelListing | undefined;
  /** One model of the listing; undefined when it does not exist. */
  versions(name: string, budget?: Budget): Promise<ModelListing | undefined>;
  /**
   * The version that a request refers to: the one it names, by version or alias, or else the live one. If a version and
   * an alias have the same name, the version wins.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST with a list of what exists; MODEL_UNAVAILABLE when it cannot be
   * determined which versions are served
   */
  resolve(name: string, version?: string, budget?: Budget): Promise<ModelReference>;
  /**
   * What `resolve` resolves to, without a promise; undefined if the store has to be asked.
   * @throws InferenceError MODEL_UNAVAILABLE as `resolve` does
   */
  knownVersion(name: string, version?: string): ModelReference | undefined;
  /**
   * The version that an alias of the model's `deployment.json` stands for, for protocols that distinguish the two.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST with a list of the aliases; MODEL_UNAVAILABLE when the file is not
   * valid
   */
  resolveAlias(name: string, alias: string, budget?: Budget): Promise<ModelReference>;
  /**
   * The versions that the aliases of a model stand for, which may not exist; none for an unknown model.
   * @throws InferenceError MODEL_UNAVAILABLE when the model's `deployment.json` is not valid
   */
  aliases(name: string, budget?: Budget): Promise<ReadonlyMap<string, string>>;
  /**
   * The config from `model.json` or other small files, without fetching the model; undefined if only the graph can say
   * it.
   * @throws ModelError when a file is not valid
   */
  config(reference: ModelReference): Promise<ModelConfig | undefined>;
  /** The task that its `model.json` names, which may have mistakes; undefined if no task can be read there. */
  task(reference: ModelReference): Promise<string | undefined>;
  /**
   * A request from the version's `reference.json`, which it is known to answer, without fetching the model; undefined
   * without that file.
   * @throws ModelError when the file is too large; StoreError
   */
  example(reference: ModelReference): Promise<JsonObject | undefined>;
  /**
   * The path of the file with a version's graph, below its folder, without fetching the file.
   * @throws ModelError when there is no such file; StoreError
   */
  locate(reference: ModelReference): Promise<string>;
  /**
   * Fetches a version's files to this machine, where they stay until they are released.
   *
   * @param isEarly whether large files may still be compared with `files.json`; the caller then waits for `checked`
   * @throws ModelError, StoreError
   */
  open(reference: ModelReference, isEarly?: boolean): Promise<ModelFolder>;
}

export interface ModelRepositoryOptions extends ListingOptions {
  readonly artifacts: ArtifactCache;
  readonly configs: ConfigReader;
  /** How long the store may be silent, in ms; Infinity for no limit. */
  readonly silenceMs?: number | undefined;
}

/** The models of a store, in the layout `<name>/<version>/model.onnx`. Other files are ignored. */
export function createModelRepository(options: ModelRepositoryOptions): ModelRepository {
  const { store, artifacts, onProblem } = options;
  const smallFiles = createSmallFiles(store);
  const folders = createVersionFolders({ store, smallFiles, configs: options.configs, onProblem });
  const readConfig = smallFiles.reader(options.configs.parse);
  const readTask = smallFiles.reader(taskIn);
  const listings = createListings({
    ...options,
    readPolicy: smallFiles.reader(readPolicy),
    readServing: smallFiles.reader(async (text) =>
      (await import('./released-versions.ts')).parseServing(text),
    ),
    onRenewed: ({ knownFiles, models }) => {
      smallFiles.keep(knownFiles());
      const paths = [...models.values()].flatMap((model) =>
        model.versions.map((version) => folderOf(model, version)),
      );
      artifacts
        .removeExcept(new Set(paths))
        .catch((error: unknown) =>
          onProblem?.('models that are no longer in the repository cannot be removed', error),
        );
    },
  });
  const aliases = createAliases(listings, smallFiles);
  const { silenceMs = STORE_SILENCE_MS } = options;
  const patienceOf = (budget?: Budget) =>
    createPatience({ url: store.url, silenceMs, heardMs: listings.heardMs }, budget);

  async function findConfig(known: Listing, reference: ModelReference): Promise<StoredFile | undefined> {
    const { model, version } = foldersOf(known, reference);
    return (await known.filesOf(model)).byPath.get(`${version}/${CONFIG_FILE}`);
  }

  /** The config in its own `model.json`; undefined without one. */
  async function ownConfig(known: Listing, reference: ModelReference): Promise<ModelConfig | undefined> {
    const file = await findConfig(known, reference);
    return file && (await readConfig(file));
  }

  async function findVersion(
    name: string,
    version: string | undefined,
    budget: Budget | undefined,
  ): Promise<ModelReference> {
    const patience = patienceOf(budget);
    const found = await listings.find((known) => {
      const picked = pickVersion(known, name, version);
      if (picked || version === undefined) return picked;
      return patience.wait(aliases.pick(known, name, version));
    }, patience);
    if (found) return found;
    const listing = await listings.current(patience);
    throw await patience.wait(aliases.unknownVersion(listing, name, version));
  }

  function knownModels(): readonly ModelListing[] | undefined {
    const fresh = listings.fresh();
    return fresh && modelsOf(fresh);
  }

  function knownVersion(name: string, version?: string): ModelReference | undefined {
    const fresh = listings.fresh();
    return fresh && pickVersion(fresh, name, version);
  }

  return {
    ready: listings.ready,
    renew: async () => {
      await listings.renew();
    },
    list: async (budget) => knownModels() ?? modelsOf(await listings.current(patienceOf(budget))),
    knownModels,
    known: (name) => listings.latest()?.models.get(name),
    versions: async (name, budget) => (await listings.current(patienceOf(budget))).models.get(name),
    resolve: async (name, version, budget) =>
      knownVersion(name, version) ?? (await findVersion(name, version, budget)),
    knownVersion,
    resolveAlias: async (name, alias, budget) => {
      const patience = patienceOf(budget);
      const found = await listings.find((known) => patience.wait(aliases.pick(known, name, alias)), patience);
      if (found) return found;
      throw await patience.wait(aliases.unknown(await listings.current(patience), name, alias));
    },
    aliases: async (name, budget) => {
      const patience = patienceOf(budget);
      return await patience.wait(aliases.of(await listings.current(patience), name));
    },
    config: async (reference) => {
      const patience = patienceOf();
      const known = await listings.current(patience);
      const config = await patience.wait(ownConfig(known, reference));
      if (config) return config;
      // The code for all formats is loaded only for models that need it.
      const { recogniseFiles } = await import('./formats/recognise.ts');
      const folder = await patience.wait(folders.inStore(known, reference));
      return await patience.wait(recogniseFiles(folder, options.configs));
    },
    task: async (reference) => {
      const patience = patienceOf();
      const known = await listings.current(patience);
      const file = await patience.wait(findConfig(known, reference));
      return file && (await patience.wait(readTask(file)));
    },
    example: async (reference) => {
      const patience = patienceOf();
      return await patience.wait(folders.example(await listings.current(patience), reference));
    },
    locate: async (reference) => {
      const patience = patienceOf();
      const known = await listings.current(patience);
      const config = await patience.wait(ownConfig(known, reference));
      const folder = await patience.wait(folders.inStore(known, reference));
      return await patience.wait(locateModel(folder, config));
    },
    open: async (reference, isEarly = false) => {
      const known = await listings.current(patienceOf());
      // A listing of the whole repository may be older than the files of a version that was published again.
      const { model, version: folder } = foldersOf(known, reference);
      const listed = known.isIndexed ? await known.filesOf(model) : undefined;
      const { path, checked } = await artifacts.beginFolder(folder, listed?.byVersion.get(folder));
      const release = async () => await artifacts.releaseFolder(path);
      try {
        if (!isEarly) await checked();
        return { ...(await folders.onDisk(known, reference, { path, checked })), release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}

function taskIn(text: string): string | undefined {
  const parsed = parseText(text);
  const task = parsed.success ? memberOf(parsed.data, 'task') : undefined;
  return typeof task === 'string' ? task : undefined;
}

const modelsByListing = new WeakMap<Listing['models'], readonly ModelListing[]>();

function modelsOf({ models }: Listing): readonly ModelListing[] {
  const known = modelsByListing.get(models) ?? [...models.values()];
  modelsByListing.set(models, known);
  return known;
}
