import type { MetricsName } from '../../config.ts';
import type { Objective } from '../../models/model-config.ts';
import type { DeviationKind, Measured } from '../../usage.ts';
import type { ModelLoad } from '../model-load.ts';
import type { RequestRecord, Step } from '../request-record.ts';
import type { ShadowRun } from '../shadow-run.ts';
import type { Family } from './family.ts';
import type { Histogram } from './histogram.ts';

/** The numbers of all requests of one method to one route and version of a model that had one outcome. */
export interface RequestSeries {
  readonly protocol: string;
  readonly method: string;
  /** '' if no route matched. */
  readonly route: string;
  /** '' if the request used no model. */
  readonly model: string;
  readonly version: string;
  readonly status: number;
  /** Code of the error; '' if there was none. */
  readonly code: string;
  /** Requests. */
  count: number;
  /** Seconds. */
  readonly duration: Histogram;
  /** Of those that ran the model; undefined if there are none. */
  runs: RunSeries | undefined;
  /** Tokens of a request, as far as they are known; undefined for models that do not make vectors of texts. */
  tokens: Histogram | undefined;
  bytesIn: number;
  bytesOut: number;
}

/** The numbers of requests that ran a model. */
export interface RunSeries {
  /** Seconds. */
  readonly steps: Readonly<Record<Step | 'queue', Histogram>>;
  /** Instances of a request. */
  readonly batch: Histogram;
  /** Runs of the graph. */
  count: number;
  /** The request that ended last. */
  latest: RunTimes;
}

/** Where the time of one request went, in milliseconds. */
export type RunTimes = Pick<RequestRecord, 'startedMs' | 'steps' | 'queueMs'>;

/** What own code counted and measured for a version of a model, by name with labels. */
export interface OwnSeries {
  readonly model: string;
  readonly version: string;
  /** All names in both. */
  readonly names: Set<string>;
  readonly counts: Map<string, number>;
  readonly observations: Map<string, Measured>;
}

/** The loads of a version of a model. */
export interface LoadSeries {
  readonly model: string;
  readonly version: string;
  /** Seconds, of loads that succeeded. */
  readonly duration: Histogram;
  /** Seconds of the last one that succeeded; undefined if there is none. */
  latest: number | undefined;
  failures: number;
  /** Those of them by which a release was held back. */
  releaseFailures: number;
}

/** The copies of requests that a version got without a say in any answer. */
export interface ShadowSeries {
  readonly model: string;
  readonly version: string;
  readonly counts: Record<ShadowRun['outcome'], number>;
  /** Seconds, of those that were run. */
  readonly duration: Histogram;
}

/** What callers of a version of a model can rely on, and how often that was not so. */
export interface ObjectiveSeries {
  readonly model: string;
  readonly version: string;
  readonly objective: Objective;
  /** Requests that ran the model and succeeded, but took longer than the objective allows. */
  slow: number;
}

/** The values that a version of a tabular model got. */
export interface QualitySeries {
  readonly model: string;
  readonly version: string;
  /** Rows, accepted or refused. */
  rows: number;
  /** By the name under which the feature is counted. */
  readonly features: ReadonlyMap<string, FeatureSeries>;
}

/** One feature, or all that are counted together. */
export interface FeatureSeries extends Record<DeviationKind, number> {
  /** Values in a row. */
  perRow: number;
}

/** All numbers of a process since it started. Names and formats are made of them when somebody asks. */
export interface Collector {
  request(record: RequestRecord): void;
  load(load: ModelLoad): void;
  shadow(run: ShadowRun): void;
  readonly requests: readonly RequestSeries[];
  readonly own: readonly OwnSeries[];
  readonly loads: readonly LoadSeries[];
  readonly shadows: readonly ShadowSeries[];
  readonly objectives: readonly ObjectiveSeries[];
  readonly quality: readonly QualitySeries[];
  readonly coldStarts: number;
  /** The names under which the numbers are given. */
  readonly names: readonly MetricNames[];
}

/** Seconds. The ends are those of Prometheus' clients, with two below them for small models. */
export const DURATION_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export const BATCH_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;

/** Seconds. */
export const LOAD_BOUNDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Tokens of a request. Source: semantic conventions for generative AI 1.37, metrics. */
export const TOKEN_BOUNDS = exponential(1, 4, 14);

/** A server at the moment in which somebody asks for its metrics. */
export interface ServerState {
  readonly collector: Collector;
  /** Requests that have begun and not ended. */
  readonly inProgress: number;
  /** Models in memory. */
  readonly sessions: { readonly count: number; readonly bytes: number };
  /** Runs that wait for their turn. */
  readonly waiting: number;
  /** Version of Ternion. */
  readonly version: string;
}

/** The names under which a kind of server gives its metrics. */
export interface MetricNames {
  readonly server: MetricsName;
  /** Ends of buckets that its histograms of durations need, in seconds. */
  readonly durationBounds?: readonly number[];
  /** Ends of buckets that its histograms of batches need. */
  readonly batchBounds?: readonly number[];
  readonly families: (state: ServerState) => readonly Family[];
}

/**
 * Bounds that grow by a factor.
 *
 * @param digits to which each is rounded
 */
export function exponential(first: number, factor: number, count: number, digits = 12): readonly number[] {
  return Array.from({ length: count }, (_, index) => Number((first * factor ** index).toPrecision(digits)));
}
