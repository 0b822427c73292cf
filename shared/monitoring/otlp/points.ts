import { bucketsOf, type Histogram } from '../metrics/histogram.ts';
import type { Attributes } from './any-value.ts';

/** Values by their size. */
export interface Buckets {
  /** Upper ends; the last bucket has none. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A sum that only grows, or a histogram. */
export type Measure = number | Buckets;

export interface Point {
  readonly attributes: Attributes;
  readonly measure: Measure;
}

/** A metric with all its points, since the start of the process. */
export interface Metric {
  readonly name: string;
  /** Source: UCUM, as the semantic conventions write it. */
  readonly unit: string;
  readonly description: string;
  readonly points: readonly Point[];
}

/** Seconds. Source: semantic conventions 1.44, HTTP server and FaaS metrics. */
export const HTTP_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** Prometheus counts in each bucket what is below its end, and OTLP what is in it alone. */
export function measureOf(histogram: Histogram, bounds: readonly number[]): Buckets {
  const below = bucketsOf(histogram, bounds).map(({ count }) => count);
  return {
    bounds,
    counts: below.map((count, index) => count - (below[index - 1] ?? 0)),
    sum: histogram.sum,
  };
}

/** A sum itself, or the number of values in a histogram. */
export function countOf(measure: Measure): number {
  return typeof measure === 'number' ? measure : measure.counts.reduce((sum, count) => sum + count, 0);
}
