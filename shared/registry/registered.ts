import { NAME_PATTERN } from '../config.ts';
import { InferenceError } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import { isVersionFile } from '../models/formats/locate.ts';
import { listFiles } from '../models/publish-files.ts';
import { INDEX_FILE, RELEASES_FOLDER } from '../models/repository-listing.ts';
import type { Serving } from '../models/serving.ts';
import { compareVersions } from '../models/versions.ts';
import { EMPTY_VERSION, type Known, liveVersionOf } from '../releases/changes.ts';
import type { Changed, Current, ReleaseLog } from '../releases/release-log.ts';
import type { Card, VersionCard } from '../releases/state.ts';
import { readIndex } from '../releases/update-index.ts';
import type { WritableStore } from '../stores/model-store.ts';
import { isFolderName, madeFolder } from './names.ts';
import { memberAt } from './search/search.ts';

export type VersionStatus = 'READY' | 'PENDING_REGISTRATION' | 'FAILED_REGISTRATION';

/** A version as the registry knows it. It may have no files. */
export interface RegisteredVersion {
  readonly version: string;
  readonly card: VersionCard;
  readonly status: VersionStatus;
  /** Why it has no files. */
  readonly statusMessage: string | undefined;
  readonly aliases: readonly string[];
}

export interface RegisteredModel {
  /** Where its versions are in the repository. */
  readonly folder: string;
  /** Its name in the registry. */
  readonly name: string;
  readonly current: Current;
  /** All that were not deleted, the lowest first. */
  readonly versions: readonly RegisteredVersion[];
  /** Names of all whose files are there, also of deleted ones. */
  readonly stored: readonly string[];
  /** Names of all versions that were ever there, also of deleted ones. */
  readonly taken: readonly string[];
}

/** A registration takes seconds: one that began so long ago was interrupted. */
const LONGEST_REGISTRATION_MS = 3_600_000;

/** How many states are read at once. */
const READERS = 16;

export interface RegisteredModels {
  /** @throws StoreError */
  list(): Promise<readonly RegisteredModel[]>;
  /** @throws InferenceError RESOURCE_DOES_NOT_EXIST, StoreError */
  get(name: string): Promise<RegisteredModel>;
  find(name: string): Promise<RegisteredModel | undefined>;
  /** The same, also for a model that was deleted, and by the name of its folder, at which models with other names are served. */
  getAny(name: string): Promise<RegisteredModel>;
  /** A folder that no model has, for a model with this name. */
  freeFolder(name: string): Promise<string>;
  /** A model as it is in a state. */
  describe(folder: string, current: Current): Promise<RegisteredModel>;
}

/** Reads the models of a repository with what the log of releases has about them. */
export function createRegisteredModels(store: WritableStore, log: ReleaseLog): RegisteredModels {
  async function load(folder: string): Promise<RegisteredModel> {
    const [current, stored] = await Promise.all([log.read(folder), storedVersions(folder)]);
    return describeModel(folder, current, stored);
  }

  async function storedVersions(folder: string): Promise<readonly string[]> {
    return (await readFolders(store, folder)).get(folder) ?? [];
  }

  async function listAll(): Promise<readonly RegisteredModel[]> {
    const limit = createLimiter(READERS);
    const folders = [...(await readFolders(store, ''))];
    return await Promise.all(
      folders.map(([folder, stored]) =>
        limit(async () => describeModel(folder, await log.read(folder), stored)),
      ),
    );
  }

  const list = async () => (await listAll()).filter(isRegistered);

  async function find(name: string): Promise<RegisteredModel | undefined> {
    // Most models have the names of their folders, or those that were made for them.
    for (const folder of foldersFor(name)) {
      const model = await load(folder);
      if (isRegistered(model) && model.name === name) return model;
    }
    return (await list()).find((model) => model.name === name);
  }

  return {
    list,
    find,
    get: async (name) => (await find(name)) ?? unknownModel(name),
    getAny: async (name) => {
      const found = await find(name);
      if (found) return found;
      const known = (await listAll()).filter(({ current }) => current.revision > 0);
      return (
        known.find((model) => model.name === name) ??
        known.find((model) => model.folder === name) ??
        unknownModel(name)
      );
    },
    freeFolder: async (name) => {
      for (const folder of foldersFor(name)) if (!isRegistered(await load(folder))) return folder;
      throw new InferenceError(
        'RESOURCE_ALREADY_EXISTS',
        `The folders for a model ${JSON.stringify(name.slice(0, 100))} are those of models that were renamed.`,
      );
    },
    describe: async (folder, current) => describeModel(folder, current, await storedVersions(folder)),
  };
}

function unknownModel(name: string): never {
  throw new InferenceError(
    'RESOURCE_DOES_NOT_EXIST',
    `There is no registered model ${JSON.stringify(name.slice(0, 100))}.`,
  );
}

function foldersFor(name: string): readonly string[] {
  return [...(isFolderName(name) ? [name] : []), madeFolder(name)];
}

/** The folders of models below a folder of the repository, or of all, with the versions whose files are there. */
async function readFolders(
  store: WritableStore,
  below: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const indexed = below === '' && !store.localPath ? await readIndexed(store) : undefined;
  if (indexed) return indexed;
  const files = await listFiles(store, below);
  const logged = below === '' ? files.filter(({ path }) => path.startsWith(`${RELEASES_FOLDER}/`)) : [];
  const folders = new Map<string, Set<string>>();
  for (const { path } of logged) {
    const [, folder = ''] = path.split('/', 2);
    if (NAME_PATTERN.test(folder)) folders.set(folder, new Set());
  }
  for (const { path } of files) {
    const [folder = '', version = '', ...rest] = path.split('/');
    if (!isFolderName(folder) || !NAME_PATTERN.test(version) || !isVersionFile(rest.join('/'))) continue;
    const versions = folders.get(folder) ?? new Set();
    folders.set(folder, versions.add(version));
  }
  return new Map([...folders].map(([folder, versions]) => [folder, [...versions].sort(compareVersions)]));
}

/** What the index of a remote repository says; undefined without one. It spares the listing of all files. */
async function readIndexed(
  store: WritableStore,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const loaded = await store.load(INDEX_FILE);
  if (loaded.is !== 'there') return undefined;
  const index = await readIndex(loaded.content);
  return (
    index && new Map([...index].map(([folder, { versions }]) => [folder, versions.toSorted(compareVersions)]))
  );
}

/** Whether a model is there: it has versions, or was registered and not deleted since. */
export function isRegistered({ versions, current }: RegisteredModel): boolean {
  return versions.length > 0 || (current.card.createdMs !== undefined && current.card.deleted !== true);
}

function describeModel(folder: string, current: Current, stored: readonly string[]): RegisteredModel {
  const { card, serving } = current;
  const known = [...new Set([...stored, ...Object.keys(card.versions)])].sort(compareVersions);
  const taken = [...new Set([...known, ...serving.archived])];
  const versions = known
    .filter((version) => memberAt(card.versions, version)?.deletedMs === undefined)
    .map((version) => describeVersion(version, card, serving, stored.includes(version)));
  return { folder, name: card.name ?? folder, current, versions, stored, taken };
}

function describeVersion(
  version: string,
  { versions }: Card,
  { aliases }: Serving,
  isStored: boolean,
): RegisteredVersion {
  const card = memberAt(versions, version) ?? EMPTY_VERSION;
  const isLate = (card.createdMs ?? 0) < Date.now() - LONGEST_REGISTRATION_MS;
  const failure = card.failure ?? (isLate ? 'The registration was interrupted.' : undefined);
  const status = isStored ? 'READY' : failure === undefined ? 'PENDING_REGISTRATION' : 'FAILED_REGISTRATION';
  return {
    version,
    card,
    status,
    statusMessage: isStored ? undefined : failure,
    aliases: Object.keys(aliases).filter((alias) => aliases[alias] === version),
  };
}

/** @throws InferenceError RESOURCE_DOES_NOT_EXIST */
export function versionOf({ name, versions }: RegisteredModel, version: string): RegisteredVersion {
  const found = versions.find((each) => each.version === version);
  if (found) return found;
  throw new InferenceError(
    'RESOURCE_DOES_NOT_EXIST',
    `Registered model ${JSON.stringify(name)} has no version ${JSON.stringify(version.slice(0, 60))}.`,
  );
}

/** The model as the rules for changes know it. The commands that their messages name take the folder. */
export function knownOf({ folder, stored }: RegisteredModel): Known {
  return { model: folder, versions: stored };
}

/** The version that answers requests which name none; undefined if none does. */
export function liveOf(model: RegisteredModel): string | undefined {
  return liveVersionOf(model.current, knownOf(model));
}

/**
 * The state of a model that has another name. Its predictions are at that name, if addresses can have it, and otherwise
 * at the name of its folder.
 */
export function servedAs(serving: Serving, folder: string, name: string): Serving {
  return { ...serving, name: name !== folder && isFolderName(name) ? name : undefined };
}

/** The card with other facts about a version. */
export function withVersion(card: Card, version: string, facts: Partial<VersionCard>): Card {
  const before = memberAt(card.versions, version) ?? EMPTY_VERSION;
  return { ...card, versions: { ...card.versions, [version]: { ...before, ...facts } } };
}

/** What a change makes of a model as it is at that moment. */
export type Changing = (model: RegisteredModel) => Changed | Promise<Changed>;
