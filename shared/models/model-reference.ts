import type { VersionPolicy } from './formats/triton-config.ts';

/** A model and the versions of it that are served, lowest first. There is at least one. */
export interface ModelListing {
  readonly name: string;
  readonly versions: readonly string[];
  readonly liveVersion: string;
  /** What its config.pbtxt says of versions; undefined where it says nothing, and all are served. */
  readonly policy?: AppliedPolicy | undefined;
}

/** A version policy, and what comes of it for the versions that are there. */
export interface AppliedPolicy {
  readonly policy: VersionPolicy;
  readonly leftOut: readonly string[];
  /** Versions that it names and that are not there. */
  readonly missing: readonly string[];
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
