import type { Reading, Sample } from './read-metrics.ts';

type Chosen = (labels: Sample['labels']) => boolean;

/** What happened between two readings of a server. */
export interface Changes {
  readonly seconds: number;
  /** The growth of a counter, summed over the chosen series. */
  growth(name: string, isChosen?: Chosen): number;
  /** The latest value of a gauge, summed over the chosen series; undefined if there is none. */
  latest(name: string): number | undefined;
  /** An estimate within a bucket, as `histogram_quantile` of Prometheus makes it; undefined without values. */
  quantile(q: number, histogram: string, isChosen?: Chosen): number | undefined;
  /** The different values of some labels of a series, in the order of the reading. */
  groups(name: string, labels: readonly string[]): readonly (readonly string[])[];
}

const all: Chosen = () => true;

export function compareReadings(earlier: Reading, later: Reading): Changes {
  const samplesOf = (name: string) => later.samples.get(name) ?? [];
  const indexes = new Map<string, ReadonlyMap<string, number>>();

  /** The earlier values of a series by its labels, so that a server with many models needs no search for each. */
  function indexOf(name: string): ReadonlyMap<string, number> {
    const known = indexes.get(name);
    if (known) return known;
    const samples = earlier.samples.get(name) ?? [];
    const index = new Map(samples.map(({ labels, value }) => [keyOf(labels), value]));
    indexes.set(name, index);
    return index;
  }

  /** A counter that fell began again at 0, because the server was started again. */
  function grown(name: string, { labels, value }: Sample): number {
    const before = indexOf(name).get(keyOf(labels)) ?? 0;
    return value >= before ? value - before : value;
  }

  return {
    seconds: (later.atMs - earlier.atMs) / 1000,
    growth: (name, isChosen = all) =>
      samplesOf(name)
        .filter(({ labels }) => isChosen(labels))
        .reduce((sum, sample) => sum + grown(name, sample), 0),
    latest: (name) => {
      const samples = samplesOf(name);
      return samples.length === 0 ? undefined : samples.reduce((sum, { value }) => sum + value, 0);
    },
    quantile: (q, histogram, isChosen = all) => {
      const name = `${histogram}_bucket`;
      const counts = new Map<number, number>();
      for (const sample of samplesOf(name).filter(({ labels }) => isChosen(labels))) {
        const bound = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
        counts.set(bound, (counts.get(bound) ?? 0) + grown(name, sample));
      }
      return quantileOf(
        q,
        [...counts].sort(([a], [b]) => a - b),
      );
    },
    groups: (name, labels) => [
      ...new Map(
        samplesOf(name).map((sample) => {
          const values = labels.map((label) => sample.labels[label] ?? '');
          return [JSON.stringify(values), values] as const;
        }),
      ).values(),
    ],
  };
}

function keyOf(labels: Sample['labels']): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @param buckets upper ends with the number of values up to each, in their order */
function quantileOf(
  q: number,
  buckets: readonly (readonly [end: number, count: number])[],
): number | undefined {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = q * total;
  let [start, before] = [0, 0];
  for (const [end, count] of buckets) {
    if (count >= rank && count > before) {
      return end === Number.POSITIVE_INFINITY
        ? start
        : start + ((end - start) * (rank - before)) / (count - before);
    }
    [start, before] = [end, count];
  }
  return start;
}
