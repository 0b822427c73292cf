import { bucketsOf, type Exemplar, type Histogram } from './histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** One number of a metric. */
export interface Sample {
  /** What its name has after that of the metric: `_total`, `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
  readonly exemplar?: Exemplar | undefined;
}

/** A metric with all its numbers. Source: OpenMetrics 1.0, MetricFamily. */
export interface Family {
  /** Without the `_total` of a counter, unless the counter that it stands for has none at all. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export type Value = readonly [labels: Labels, value: number];

/** A counter whose samples end in `_total`. */
export function counter(name: string, help: string, values: readonly Value[]): Family {
  return { name, type: 'counter', help, samples: samplesOf(values, '_total') };
}

/** A counter of another server, whose name is fixed and does not end in `_total`. */
export function bareCounter(name: string, help: string, values: readonly Value[]): Family {
  return { name, type: 'counter', help, samples: samplesOf(values) };
}

export function gauge(name: string, help: string, values: readonly Value[]): Family {
  return { name, type: 'gauge', help, samples: samplesOf(values) };
}

function samplesOf(values: readonly Value[], suffix = ''): readonly Sample[] {
  return values.map(([labels, value]) => ({ suffix, labels, value }));
}

/**
 * @param bounds some of the bounds of the histograms, in their unit
 * @param scale what values are multiplied with: 1000 for milliseconds of seconds
 */
export function histogram(
  name: string,
  help: string,
  values: readonly (readonly [labels: Labels, histogram: Histogram])[],
  bounds: readonly number[],
  scale = 1,
): Family {
  const samples = values.flatMap(([labels, each]): Sample[] => {
    const buckets = bucketsOf(each, bounds);
    const count = buckets.at(-1)?.count ?? 0;
    return [
      ...buckets.map((bucket) => ({
        suffix: '_bucket',
        labels: { ...labels, le: formatNumber(rounded(bucket.bound * scale)) },
        value: bucket.count,
        exemplar: bucket.exemplar && { ...bucket.exemplar, value: bucket.exemplar.value * scale },
      })),
      { suffix: '_sum', labels, value: each.sum * scale },
      { suffix: '_count', labels, value: count },
    ];
  });
  return { name, type: 'histogram', help, samples };
}

/** A product of decimal numbers has digits that nobody wrote: 0.07 x 100. */
export function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(12)) : value;
}

/** A number as both formats write it. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
