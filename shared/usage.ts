/** What one use of a model took, whether it succeeded or failed. */
export interface ModelUsage {
  readonly reference: { readonly name: string; readonly version: string };
  /** When the request asked for the model, on the clock of `performance.now()`. */
  readonly askedMs: number;
  /** Milliseconds until the model was ready: almost 0 if it was in memory. */
  readonly loadMs: number;
  /** Runs of the graph; 0 if the request only asked about the model. */
  readonly runs: number;
  /** Milliseconds inside the runtime, all runs together. */
  readonly runMs: number;
  /** Milliseconds that its input took before the first run, without the wait for a turn. */
  readonly inputMs: number;
  /** Milliseconds that runs waited for their turn. */
  readonly queueMs: number;
  /** Instances that were run; a batch has several. */
  readonly instances: number;
  /** What the steps of own code counted, by name with labels: `unsure{reason=blurred}`. */
  readonly counts?: ReadonlyMap<string, number> | undefined;
  /** What they measured, by name. */
  readonly observations?: ReadonlyMap<string, Measured> | undefined;
}

/** What own code counted or measured in a request, under one name. */
export interface Measured {
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly largest: number;
}
