import { NAME_PATTERN } from '../config.ts';
import { InferenceError } from '../errors.ts';
import type { ModelStore, StoredFile } from '../stores/model-store.ts';
import { MODEL_FILE, TRITON_FILE } from './formats/format-folder.ts';
import { isVersionFile } from './formats/locate.ts';
import type { AppliedPolicy, ModelListing, ModelReference } from './model-reference.ts';
import { compareVersions } from './versions.ts';

/** Why no version of a model is served, although it has some. */
export type Unserved =
  /** Its policy excludes all of them. */
  | { readonly by: 'policy'; readonly reason: string; readonly policy: AppliedPolicy }
  /** It cannot be determined which versions to serve. */
  | { readonly by: 'unknown'; readonly reason: string; readonly cause: unknown; readonly policy?: undefined };

/** What a store holds at one moment. */
export interface Listing {
  readonly models: ReadonlyMap<string, ModelListing>;
  /** Models without a served version, by name. Models whose policy excludes all versions are not in `models`. */
  readonly unserved: ReadonlyMap<string, Unserved>;
  /** What operators should know about models, by name. */
  readonly notes: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, StoredFile>;
  /** The files of each version, by the path of its folder: `iris/2`. */
  readonly versionFiles: ReadonlyMap<string, readonly StoredFile[]>;
  /** Model files whose folders cannot be the names of a model and a version. */
  readonly ignored: readonly string[];
  /** Why entries that are not files are ignored, by their paths: links out of the repository, pipes, devices. */
  readonly passedOver: ReadonlyMap<string, string>;
  readonly atMs: number;
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
    files: new Map(files.map((file) => [file.path, file])),
    versionFiles: groupByVersion(files),
    ignored,
    passedOver,
    atMs: now(),
  };
}

/** Grouped once for all versions: searching all files again for each version would take quadratic time. */
function groupByVersion(files: readonly StoredFile[]): ReadonlyMap<string, readonly StoredFile[]> {
  const groups = new Map<string, StoredFile[]>();
  for (const file of files) {
    const version = file.path.split('/', 2).join('/');
    const group = groups.get(version);
    if (group) group.push(file);
    else groups.set(version, [file]);
  }
  return groups;
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
