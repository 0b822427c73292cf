import { NAME_PATTERN } from '../config.ts';
import { InferenceError } from '../errors.ts';
import type { ModelStore, StoredFile } from '../stores/model-store.ts';
import { MODEL_FILE, TRITON_FILE } from './formats/format-folder.ts';
import { isVersionFile } from './formats/locate.ts';
import { type AppliedPolicy, folderOf, type ModelListing, type ModelReference } from './model-reference.ts';
import { compareVersions } from './versions.ts';

/** The file at the root of a repository that says which models there are. */
export const INDEX_FILE = 'index.json';

/** Why no version of a model is served, although it has some. */
export type Unserved =
  /** Its policy excludes all of them. */
  | { readonly by: 'policy'; readonly reason: string; readonly policy: AppliedPolicy }
  /** Its newest release leaves none. */
  | { readonly by: 'release'; readonly reason: string; readonly policy?: undefined }
  /** It cannot be determined which versions to serve. */
  | { readonly by: 'unknown'; readonly reason: string; readonly cause: unknown; readonly policy?: undefined };

/** The files of a model. */
export interface ModelFiles {
  /** By their paths: `iris/2/model.onnx`. */
  readonly byPath: ReadonlyMap<string, StoredFile>;
  /** The files of each version, by the path of its folder: `iris/2`. */
  readonly byVersion: ReadonlyMap<string, readonly StoredFile[]>;
}

/** What a store holds at one moment. */
export interface Listing {
  readonly models: ReadonlyMap<string, ModelListing>;
  /** Models without a served version, by name. Models whose policy excludes all versions are not in `models`. */
  readonly unserved: ReadonlyMap<string, Unserved>;
  /** What operators should know about models, by name. */
  readonly notes: ReadonlyMap<string, string>;
  /**
   * The files below the folder of a model.
   * @throws StoreError when they have to be listed and cannot be
   */
  filesOf(folder: string): ModelFiles | Promise<ModelFiles>;
  /** All files that are known. */
  knownFiles(): Iterable<StoredFile>;
  /** The file of the newest release of each model that has any. */
  readonly revisions: ReadonlyMap<string, StoredFile>;
  /** Model files whose folders cannot be the names of a model and a version. */
  readonly ignored: readonly string[];
  /** Why entries that are not files are ignored, by their paths: links out of the repository, pipes, devices. */
  readonly passedOver: ReadonlyMap<string, string>;
  readonly atMs: number;
  /** Whether it was read from an index. */
  readonly isIndexed: boolean;
}

/** Reads a store in the layout `<name>/<version>/...`: a folder with a file that holds or names a graph is a version. */
export async function readListing(
  store: ModelStore,
  now: () => number,
  onPart: () => void,
): Promise<Listing> {
  const passedOver = new Map<string, string>();
  const files = await store.list('', (path, problem) => passedOver.set(path, problem), onPart);
  const versions = new Map<string, Set<string>>();
  const ignored: string[] = [];
  for (const { path } of files) {
    const [name = '', version = '', ...below] = path.split('/');
    const isVersion = isVersionFile(below.join('/'));
    if (isVersion && NAME_PATTERN.test(name) && NAME_PATTERN.test(version)) {
      versions.set(name, (versions.get(name) ?? new Set()).add(version));
    } else if (isVersion || path.endsWith(`/${MODEL_FILE}`)) {
      ignored.push(path);
    }
  }
  const models = new Map<string, ModelListing>();
  for (const name of [...versions.keys()].sort()) {
    const ordered = [...(versions.get(name) ?? [])].sort(compareVersions);
    const liveVersion = ordered.at(-1);
    if (liveVersion !== undefined) models.set(name, { name, versions: ordered, liveVersion });
  }
  return {
    models,
    unserved: new Map(),
    notes: new Map(),
    filesOf: groupByModel(files),
    knownFiles: () => files,
    revisions: findRevisions(files),
    ignored,
    passedOver,
    atMs: now(),
    isIndexed: false,
  };
}

/** Where the changes to all models are, so that no model can have this name. */
export const RELEASES_FOLDER = 'releases';

/** The file of a change to a model: `releases/iris/12.json`. */
export function releasePath(folder: string, revision: number): string {
  return `${RELEASES_FOLDER}/${folder}/${revision}.json`;
}

const RELEASE_FILE = /^releases\/([^/]+)\/([1-9]\d{0,8})\.json$/;

/** The change that a file holds; undefined for other files. */
export function revisionOf(path: string): { readonly folder: string; readonly revision: number } | undefined {
  const [, folder, digits] = RELEASE_FILE.exec(path) ?? [];
  return folder === undefined ? undefined : { folder, revision: Number(digits) };
}

/** The file of the newest change of each model. */
export function findRevisions(files: readonly StoredFile[]): ReadonlyMap<string, StoredFile> {
  const newest = new Map<string, { readonly revision: number; readonly file: StoredFile }>();
  for (const file of files) {
    const found = revisionOf(file.path);
    if (found && found.revision > (newest.get(found.folder)?.revision ?? 0))
      newest.set(found.folder, { revision: found.revision, file });
  }
  return new Map([...newest].map(([folder, { file }]) => [folder, file]));
}

/** Grouped once for all models: searching all files again for each of them would take quadratic time. */
function groupByModel(files: readonly StoredFile[]): (folder: string) => ModelFiles {
  const groups = new Map<string, StoredFile[]>();
  for (const file of files) {
    const folder = file.path.slice(0, Math.max(0, file.path.indexOf('/')));
    const group = groups.get(folder);
    if (group) group.push(file);
    else groups.set(folder, [file]);
  }
  const made = new Map<string, ModelFiles>();
  return (folder) => {
    const known = made.get(folder) ?? groupByVersion(groups.get(folder) ?? []);
    made.set(folder, known);
    return known;
  };
}

/** @param files of one model */
export function groupByVersion(files: readonly StoredFile[]): ModelFiles {
  const byVersion = new Map<string, StoredFile[]>();
  for (const file of files) {
    const version = file.path.split('/', 2).join('/');
    const group = byVersion.get(version);
    if (group) group.push(file);
    else byVersion.set(version, [file]);
  }
  return { byPath: new Map(files.map((file) => [file.path, file])), byVersion };
}

/** Where the files of a version are, below the repository. */
export interface Folders {
  /** The folder of its model. */
  readonly model: string;
  /** Its own folder. */
  readonly version: string;
}

export function foldersOf({ models }: Listing, { name, version }: ModelReference): Folders {
  const { folder = name } = models.get(name) ?? {};
  return { model: folder, version: folderOf({ name, folder }, version) };
}

/**
 * The version with this name, or the live one without a name; undefined when it does not exist or is not served.
 *
 * @throws InferenceError MODEL_UNAVAILABLE when it cannot be determined which versions are served
 */
export function pickVersion(
  listing: Listing,
  name: string,
  version: string | undefined,
): ModelReference | undefined {
  const model = listing.models.get(name);
  const unserved = listing.unserved.get(name);
  if (unserved?.by === 'unknown') {
    throw new InferenceError(
      'MODEL_UNAVAILABLE',
      [`Model "${name}"`, `cannot be served: ${unserved.reason}.`],
      { cause: unserved.cause },
    );
  }
  if (!model || (version !== undefined && !model.versions.includes(version))) return undefined;
  return { name, version: version ?? model.liveVersion };
}

/** The error for a missing model or version. It lists what exists. */
export function unknownVersion(
  listing: Listing,
  name: string,
  version: string | undefined,
  aliases: readonly string[] = [],
): InferenceError {
  const model = listing.models.get(name);
  const shown = JSON.stringify(name.slice(0, 100));
  const unserved = listing.unserved.get(name);
  if (unserved) {
    return new InferenceError(
      'RESOURCE_DOES_NOT_EXIST',
      `Model ${shown} has no version that is served: ${unserved.reason}.`,
    );
  }
  if (model) {
    const asked = JSON.stringify((version ?? '').slice(0, 100));
    const others = aliases.length > 0 ? `; its aliases are ${aliases.join(', ')}` : '';
    const isLeftOut = version !== undefined && model.policy?.leftOut.includes(version);
    const problem = isLeftOut
      ? `does not serve version ${asked}: the version_policy in its ${TRITON_FILE} excludes it; the served versions`
      : `has no version ${asked}; its versions`;
    return new InferenceError(
      'RESOURCE_DOES_NOT_EXIST',
      `Model ${shown} ${problem} are ${model.versions.join(', ')}${others}.`,
    );
  }
  const names = [...listing.models.keys()].join(', ') || 'none';
  return new InferenceError(
    'RESOURCE_DOES_NOT_EXIST',
    `There is no model ${shown}; the models are: ${names}.`,
  );
}
