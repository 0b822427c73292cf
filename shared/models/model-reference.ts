import type { VersionPolicy } from './formats/triton-config.ts';

/** A model and the versions of it that are served, lowest first. There is at least one. */
export interface ModelListing {
  readonly name: string;
  readonly versions: readonly string[];
  readonly liveVersion: string;
  /** The version policy of its config.pbtxt; undefined without one, so that all versions are served. */
  readonly policy?: AppliedPolicy | undefined;
}

/** A version policy, and its effect on the existing versions. */
export interface AppliedPolicy {
  readonly policy: VersionPolicy;
  readonly leftOut: readonly string[];
  /** Versions that it names but that do not exist. */
  readonly missing: readonly string[];
}

/** One version of one model. */
export interface ModelReference {
  readonly name: string;
  readonly version: string;
}

/** `iris/2`: its folder below the repository, and its key in all maps of versions. */
export function pathOf({ name, version }: ModelReference): string {
  return `${name}/${version}`;
}
