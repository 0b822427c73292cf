/** What one use of a model took, whether it succeeded or failed. */
export interface ModelUsage {
  readonly reference: {
    readonly name: string;
    readonly version: string;
    /** How the request came to the version; undefined: as to the live one. */
    readonly variant?: string | undefined;
    /** Whether the next request with the same key gets the same; undefined if no key was asked for. */
    readonly sticky?: boolean | undefined;
  };
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
  /** For models that make vectors of texts. */
  readonly embedding?: EmbeddingUsage | undefined;
  /** What the steps of own code counted, by name with labels: `unsure{reason=blurred}`. */
  readonly counts?: ReadonlyMap<string, number> | undefined;
  /** What they measured, by name. */
  readonly observations?: ReadonlyMap<string, Measured> | undefined;
  /** The values of a tabular model; undefined if nobody reads it, or if the request had no rows. */
  readonly quality?: ValueQuality | undefined;
}

/** How a value of a feature can differ from what its model expects. */
export type DeviationKind = 'missing' | 'out_of_range' | 'unseen';

/** How many values differ, by how, the kind with the most first; one without values is left out. */
export interface Deviations extends Readonly<Partial<Record<DeviationKind, number>>> {}

/** The values that a request brought to a tabular model. Values themselves are not in it. */
export interface ValueQuality {
  /** Rows, accepted or refused. Each has a value of every feature, also if it is missing. */
  readonly rows: number;
  /** What differs, by feature, those with the most first; undefined if all values are as expected. */
  readonly features?: ReadonlyMap<string, Deviations> | undefined;
  /** The same for a line of the log. */
  readonly summary?: QualitySummary | undefined;
}

/** How many values differ in all features together, and in those with the most. */
export interface QualitySummary extends Deviations {
  readonly rows: number;
  readonly features: Readonly<Record<string, Deviations>>;
}

/** What a request to a model that makes vectors of texts took and gave; its members are undefined if nobody knows them. */
export interface EmbeddingUsage {
  /** Tokens of all texts, with special tokens and prompts, and without padding. */
  readonly tokens?: number | undefined;
  /** Numbers in a vector. */
  readonly dimensions?: number | undefined;
}

/** What own code counted or measured in a request, under one name. */
export interface Measured {
  readonly count: number;
  readonly sum: number;
  readonly least: number;
  readonly largest: number;
}

export function addMeasured(a: Measured, b: Measured): Measured {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    least: Math.min(a.least, b.least),
    largest: Math.max(a.largest, b.largest),
  };
}
