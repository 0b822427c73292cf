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

/** `iris/2`: its folder below the repository, and its key wherever versions are kept. */
export function pathOf({ name, version }: ModelReference): string {
  return `${name}/${version}`;
}
