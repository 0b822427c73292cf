/** One value of a histogram with the trace that it is from. */
export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** Counts values by their size. */
export interface Histogram {
  /** Upper ends of the buckets, in their order; a value belongs to the first one that is not below it. */
  readonly bounds: readonly number[];
  /** Values in each bucket; the last one, without an end, is at `bounds.length`. */
  readonly counts: number[];
  sum: number;
  /** The latest value of each bucket that belongs to a trace that somebody records. */
  readonly exemplars: (Exemplar | undefined)[];
}

export function createHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Array(bounds.length + 1).fill(0), sum: 0, exemplars: [] };
}

/** @returns the bucket of the value */
export function addValue(histogram: Histogram, value: number): number {
  const { bounds, counts } = histogram;
  let low = 0;
  // Most steps of a small model take less than the first bound.
  let high = value <= (bounds[0] ?? 0) ? 0 : bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((bounds[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  counts[low] = (counts[low] ?? 0) + 1;
  histogram.sum += value;
  return low;
}

/** The sum of histograms with the same bounds; undefined for none. */
export function mergeHistograms(histograms: readonly Histogram[]): Histogram | undefined {
  const [first] = histograms;
  if (!first) return undefined;
  const merged = createHistogram(first.bounds);
  for (const { counts, sum, exemplars } of histograms) {
    for (const [index, count] of counts.entries()) merged.counts[index] = (merged.counts[index] ?? 0) + count;
    merged.sum += sum;
    exemplars.forEach((exemplar, index) => {
      const known = merged.exemplars[index];
      if (exemplar && (!known || known.atMs < exemplar.atMs)) merged.exemplars[index] = exemplar;
    });
  }
  return merged;
}

/** A bucket as Prometheus gives it: with all values below its end. */
export interface Bucket {
  readonly bound: number;
  readonly count: number;
  readonly exemplar: Exemplar | undefined;
}

/**
 * The buckets with some of the bounds of a histogram, and the one without an end.
 *
 * @param bounds some of its bounds; the counts are exact, because no bucket is divided
 */
export function bucketsOf(histogram: Histogram, bounds: readonly number[]): readonly Bucket[] {
  const buckets: Bucket[] = [];
  let index = 0;
  let count = 0;
  for (const bound of [...bounds, Number.POSITIVE_INFINITY]) {
    let exemplar: Exemplar | undefined;
    while (
      index < histogram.counts.length &&
      (histogram.bounds[index] ?? Number.POSITIVE_INFINITY) <= bound
    ) {
      count += histogram.counts[index] ?? 0;
      exemplar = histogram.exemplars[index] ?? exemplar;
      index += 1;
    }
    buckets.push({ bound, count, exemplar });
  }
  return buckets;
}
