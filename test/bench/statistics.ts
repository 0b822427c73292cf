/**
 * The middle value; the mean of the two in the middle for an even number of values.
 *
 * @returns NaN for no values
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * The smallest value that at least this part of all values does not exceed (nearest rank).
 *
 * @param part from 0 to 1
 * @returns NaN for no values
 */
export function percentile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/** A typical value, and the smallest and largest one. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** @returns NaN everywhere for no values */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, least: Number.NaN, most: Number.NaN };
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/**
 * The ratios of two contenders, each taken within one round. Both sides of a round see the same load on the machine, so
 * these ratios vary less than the values. A round that lacks one side does not count.
 */
export function ratioByPairs(ours: readonly number[], limit: readonly number[]): Spread {
  return spreadOf(
    ours.flatMap((value, round) => {
      const other = limit[round];
      return other === undefined || Number.isNaN(value / other) ? [] : [value / other];
    }),
  );
}

/** Latencies in ms as all scenarios report them. */
export interface Latencies {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function latenciesOf(milliseconds: readonly number[]): Latencies {
  return {
    p50: percentile(milliseconds, 0.5),
    p95: percentile(milliseconds, 0.95),
    p99: percentile(milliseconds, 0.99),
  };
}
