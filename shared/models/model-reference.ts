import type { VersionPolicy } from './formats/triton-config.ts';
import type { Serving } from './serving.ts';

/** A model and the versions of it that are served, lowest first. There is at least one. */
export interface ModelListing {
  readonly name: string;
  /** Its folder in the repository, if it was given another name since it was published. */
  readonly folder?: string | undefined;
  readonly versions: readonly string[];
  /** The version that answers requests which name none, apart from those that a split sends to others. */
  readonly liveVersion: string;
  /** The version policy of its config.pbtxt; undefined without one, so that all versions are served. */
  readonly policy?: AppliedPolicy | undefined;
  /** What was released; undefined without any release, so that the highest version is live. */
  readonly serving?: Serving | undefined;
}

/** A version policy, and its effect on the existing versions. */
export interface AppliedPolicy {
  readonly policy: VersionPolicy;
  readonly leftOut: readonly string[];
  /** Versions that it names but that do not exist. */
  readonly missing: readonly string[];
}

/** The variant of a request that no rule and no range of a division covers. */
export const LIVE = 'live';
/** The variant of a request that names a version or an alias. */
export const NAMED = 'named';

/** One version of one model. */
export interface ModelReference {
  readonly name: string;
  readonly version: string;
  /**
   * How a request came to it: `live`, `named` if the request named the version or an alias, or the name that a division
   * of the requests has for its share; undefined: `live`.
   */
  readonly variant?: string | undefined;
  /** Whether the next request with the same key gets the same; undefined if no key was asked for. */
  readonly sticky?: boolean | undefined;
}

/** `iris/2`: how people see a version, and its key in maps of versions. */
export function pathOf({ name, version }: ModelReference): string {
  return `${name}/${version}`;
}

/** The folder of a version below the repository: its path, unless the model was given another name since. */
export function folderOf(
  { name, folder = name }: Pick<ModelListing, 'name' | 'folder'>,
  version: string,
): string {
  return `${folder}/${version}`;
}
