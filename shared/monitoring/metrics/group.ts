import type { Labels, Value } from './family.ts';
import { type Histogram, mergeHistograms } from './histogram.ts';
import type { RequestSeries, RunSeries } from './series.ts';

/** Requests that ran a model. */
export interface RanSeries extends RequestSeries {
  readonly runs: RunSeries;
}

/**
 * Requests for an inference, whether they reached the model or not. Other servers count these alone, and not those that
 * ask what a model is like.
 */
export function inferencesIn(requests: readonly RequestSeries[]): readonly RequestSeries[] {
  return requests.filter(
    ({ model, method, runs }) =>
      model !== '' && (runs !== undefined || method === 'POST' || method === 'PUT'),
  );
}

export function succeededIn(requests: readonly RequestSeries[]): readonly RequestSeries[] {
  return requests.filter(({ code }) => code === '');
}

export function failedIn(requests: readonly RequestSeries[]): readonly RequestSeries[] {
  return requests.filter(({ code }) => code !== '');
}

export function ranIn(requests: readonly RequestSeries[]): readonly RanSeries[] {
  return requests.flatMap((each) => (each.runs ? [{ ...each, runs: each.runs }] : []));
}

/** The sum of all values with the same labels. */
export function sumBy<T>(items: readonly T[], toValue: (item: T) => Value): readonly Value[] {
  const sums = new Map<string, { readonly labels: Labels; value: number }>();
  for (const [labels, value] of items.map(toValue)) {
    const key = JSON.stringify(labels);
    const known = sums.get(key);
    if (known) known.value += value;
    else sums.set(key, { labels, value });
  }
  return [...sums.values()].map(({ labels, value }) => [labels, value]);
}

/** The histograms of all items with the same labels, as one. */
export function mergeBy<T>(
  items: readonly T[],
  labelsOf: (item: T) => Labels,
  histogramOf: (item: T) => Histogram,
): readonly (readonly [Labels, Histogram])[] {
  const groups = new Map<string, { readonly labels: Labels; readonly histograms: Histogram[] }>();
  for (const item of items) {
    const labels = labelsOf(item);
    const key = JSON.stringify(labels);
    const group = groups.get(key) ?? { labels, histograms: [] };
    groups.set(key, group);
    group.histograms.push(histogramOf(item));
  }
  return [...groups.values()].flatMap(({ labels, histograms }) => {
    const merged = mergeHistograms(histograms);
    return merged ? [[labels, merged] as const] : [];
  });
}
