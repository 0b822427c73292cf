/** What one use of a model took, whether it went well or not. */
export interface ModelUsage {
  readonly reference: { readonly name: string; readonly version: string };
  /** Milliseconds until the model could be used: next to nothing when it was in memory. */
  readonly loadMs: number;
  /** Runs of the graph; 0 where the request only asked about the model. */
  readonly runs: number;
  /** Milliseconds inside the runtime, all runs together. */
  readonly runMs: number;
  /** Instances that were run, which a batch has several of. */
  readonly instances: number;
}
