/** What one use of a model took, whether it succeeded or failed. */
export interface ModelUsage {
  readonly reference: { readonly name: string; readonly version: string };
  /** Milliseconds until the model was ready: almost 0 if it was in memory. */
  readonly loadMs: number;
  /** Runs of the graph; 0 if the request only asked about the model. */
  readonly runs: number;
  /** Milliseconds inside the runtime, all runs together. */
  readonly runMs: number;
  /** Instances that were run; a batch has several. */
  readonly instances: number;
}
