/** A copy of a request that a version got without a say in the answer. */
export interface ShadowRun {
  readonly reference: { readonly name: string; readonly version: string };
  /** `dropped`: it was not run, because other requests came. */
  readonly outcome: 'agreed' | 'differed' | 'failed' | 'dropped';
  /** Undefined if it was not run. */
  readonly durationMs: number | undefined;
}
