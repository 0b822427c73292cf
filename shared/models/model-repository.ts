import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceError } from '../errors.ts';
import type { JsonObject } from '../json/parse-json.ts';
import { type ModelStore, type StoredFile, StoreError } from '../stores/model-store.ts';
import type { ArtifactCache } from './artifact-cache.ts';
import { type ModelConfig, parseModelConfig } from './model-config.ts';
import { parseReference } from './reference.ts';
import { compareVersions } from './versions.ts';

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

/** A model version's files on this machine. */
export interface ModelFolder {
  readonly path: string;
  readonly sizeBytes: number;
  /** What its model.json says; undefined without one. */
  readonly config: ModelConfig | undefined;
  /** A request it is known to answer, from its reference.json; undefined without one. */
  readonly example: JsonObject | undefined;
}

export interface ModelRepository {
  /** All models, by name. */
  list(): Promise<readonly ModelListing[]>;
  /**
   * The version a request means: the one it names, or the live one.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST listing what there is
   */
  resolve(name: string, version?: string): Promise<ModelReference>;
  /**
   * The version an alias of a model stands for.
   * @throws InferenceError RESOURCE_DOES_NOT_EXIST
   */
  resolveAlias(name: string, alias: string): Promise<ModelReference>;
  /**
   * What `model.json` says, without fetching the model; undefined without one.
   * @throws ModelError when the file is not valid
   */
  config(reference: ModelReference): Promise<ModelConfig | undefined>;
  /**
   * Brings a version's files to this machine.
   * @throws ModelError, StoreError
   */
  open(reference: ModelReference): Promise<ModelFolder>;
}

export interface ModelRepositoryOptions {
  readonly store: ModelStore;
  readonly artifacts: ArtifactCache;
  /** How long a listing is used before it is renewed in the background. */
  readonly listingTtlMs?: number;
  readonly now?: () => number;
  /** Told of what does not keep models from being served: a renewal that failed, files that are ignored. */
  readonly onProblem?: (what: string, error?: unknown) => void;
}

export const MODEL_FILE = 'model.onnx';
export const CONFIG_FILE = 'model.json';
export const REFERENCE_FILE = 'reference.json';

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A name that is not in the listing may be new: the store is asked again, but no more often than this. */
const MISS_PAUSE_MS = 2_000;
/** Longest that a request waits for a listing to be renewed. */
const RENEWAL_WAIT_MS = 1_000;

interface Listing {
  readonly models: ReadonlyMap<string, ModelListing>;
  readonly files: readonly StoredFile[];
  /** Model files whose folders cannot be a model and a version. */
  readonly ignored: readonly string[];
  readonly atMs: number;
}

/** The models of a store, in the layout `<name>/<version>/model.onnx`. Other files are no concern of it. */
export function createModelRepository(options: ModelRepositoryOptions): ModelRepository {
  const { store, artifacts, listingTtlMs = 30_000, now = () => performance.now(), onProblem } = options;
  let current: Listing | undefined;
  let renewal: Promise<Listing> | undefined;
  let retryAtMs = 0;
  // By path and etag: a request that names no model looks at the configs of all.
  const configs = new Map<string, Promise<ModelConfig>>();

  function readConfig(file: StoredFile): Promise<ModelConfig> {
    const key = configKey(file);
    const known = configs.get(key);
    if (known) return known;
    const config = readText(store, file).then(parseModelConfig);
    configs.set(key, config);
    config.catch(() => configs.delete(key));
    return config;
  }

  function renew(): Promise<Listing> {
    renewal ??= readListing(store, now).then(
      (listing) => {
        for (const path of listing.ignored) {
          if (!current?.ignored.includes(path)) onProblem?.(`${path} is ignored: its folders are not names`);
        }
        current = listing;
        renewal = undefined;
        const kept = new Set(listing.files.map(configKey));
        for (const key of configs.keys()) if (!kept.has(key)) configs.delete(key);
        return listing;
      },
      (error: unknown) => {
        renewal = undefined;
        retryAtMs = now() + listingTtlMs;
        if (current) onProblem?.('the model repository cannot be listed', error);
        throw error;
      },
    );
    return renewal;
  }

  /**
   * An old listing is used while it is renewed in the background. A very old one is waited for: hosts that freeze
   * between requests would never finish a renewal that nobody waits for. Failures leave the listing as it is.
   */
  async function listing(): Promise<Listing> {
    if (!current) return await renew();
    const ageMs = now() - current.atMs;
    if (ageMs <= listingTtlMs || now() < retryAtMs) return current;
    const renewed = renew().catch(() => undefined);
    if (ageMs > 2 * listingTtlMs) await Promise.race([renewed, pause(RENEWAL_WAIT_MS)]);
    return current;
  }

  async function find(name: string, version: string | undefined): Promise<ModelReference | undefined> {
    const known = await listing();
    const found = pick(known, name, version);
    if (found || now() - known.atMs < MISS_PAUSE_MS || now() < retryAtMs) return found;
    return pick(await renew().catch(() => known), name, version);
  }

  /** What only serves as an example must not keep a model from being served. */
  function firstRequest(reference: string, folder: string): JsonObject | undefined {
    try {
      return parseReference(reference)[0]?.request;
    } catch (error) {
      onProblem?.(`${folder}/${REFERENCE_FILE} is ignored`, error);
      return undefined;
    }
  }

  async function resolve(name: string, version?: string): Promise<ModelReference> {
    const found = await find(name, version);
    if (found) return found;
    throw unknownModel(await listing(), name, version);
  }

  return {
    list: async () => [...(await listing()).models.values()],
    resolve,
    resolveAlias: async (name, alias) => {
      const { name: known } = await resolve(name);
      const shown = JSON.stringify(alias.slice(0, 100));
      throw new InferenceError('RESOURCE_DOES_NOT_EXIST', `Model "${known}" has no alias ${shown}.`);
    },
    config: async ({ name, version }) => {
      const path = `${name}/${version}/${CONFIG_FILE}`;
      const file = (await listing()).files.find((candidate) => candidate.path === path);
      return file && (await readConfig(file));
    },
    open: async ({ name, version }) => {
      const prefix = `${name}/${version}`;
      const path = await artifacts.fetchFolder(prefix);
      const files = (await listing()).files.filter((file) => file.path.startsWith(`${prefix}/`));
      const read = (name: string) => readIfPresent(join(path, name));
      const config = await read(CONFIG_FILE);
      const reference = await read(REFERENCE_FILE);
      return {
        path,
        sizeBytes: files.reduce((total, file) => total + file.sizeBytes, 0),
        config: config === undefined ? undefined : parseModelConfig(config),
        example: reference === undefined ? undefined : firstRequest(reference, prefix),
      };
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

function configKey({ path, etag }: StoredFile): string {
  return `${path} ${etag}`;
}

async function readListing(store: ModelStore, now: () => number): Promise<Listing> {
  const files = await store.list('');
  const versions = new Map<string, string[]>();
  const ignored: string[] = [];
  for (const { path } of files) {
    const [name, version, file, ...deeper] = path.split('/');
    if (!path.endsWith(`/${MODEL_FILE}`)) continue;
    const isPlaced = name && version && file === MODEL_FILE && deeper.length === 0;
    if (!isPlaced || !NAME_PATTERN.test(name) || !NAME_PATTERN.test(version)) {
      ignored.push(path);
      continue;
    }
    versions.set(name, [...(versions.get(name) ?? []), version]);
  }
  const models = new Map<string, ModelListing>();
  for (const name of [...versions.keys()].sort()) {
    const ordered = (versions.get(name) ?? []).sort(compareVersions);
    const liveVersion = ordered.at(-1);
    if (liveVersion !== undefined) models.set(name, { name, versions: ordered, liveVersion });
  }
  return { models, files, ignored, atMs: now() };
}

function pick(listing: Listing, name: string, version: string | undefined): ModelReference | undefined {
  const model = listing.models.get(name);
  if (!model || (version !== undefined && !model.versions.includes(version))) return undefined;
  return { name, version: version ?? model.liveVersion };
}

function unknownModel(listing: Listing, name: string, version: string | undefined): InferenceError {
  const model = listing.models.get(name);
  const shown = JSON.stringify(name.slice(0, 100));
  if (model) {
    const asked = JSON.stringify((version ?? '').slice(0, 100));
    return new InferenceError(
      'RESOURCE_DOES_NOT_EXIST',
      `Model ${shown} has no version ${asked}; its versions are ${model.versions.join(', ')}.`,
    );
  }
  const names = [...listing.models.keys()].join(', ') || 'none';
  return new InferenceError(
    'RESOURCE_DOES_NOT_EXIST',
    `There is no model ${shown}; the models are: ${names}.`,
  );
}

async function readText(store: ModelStore, file: StoredFile): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of await store.read(file, 0, file.sizeBytes)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('unreachable', `reading ${file.path} of ${store.url} broke off`, error);
  }
}

/** What is beside the model is what was fetched: a published version holds only what its files.json lists. */
async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
