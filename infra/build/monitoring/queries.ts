import type { Query, Variable } from './panels.ts';

/** What all panels are limited to. */
export const JOB = 'job=~"$job",instance=~"$instance"';
export const MODEL = `${JOB},model=~"$model"`;

const variable = (name: string, label: string, query: string): Variable => ({
  kind: 'labels',
  name,
  label,
  query,
});

export const VARIABLES: readonly Variable[] = [
  { kind: 'datasource', name: 'datasource', label: 'Data source' },
  variable('job', 'Job', 'label_values(ternion_info, job)'),
  variable('instance', 'Instance', 'label_values(ternion_info{job=~"$job"}, instance)'),
  variable('model', 'Model', 'label_values(ternion_requests_total{job=~"$job"}, model)'),
];

/** Requests for predictions that a server could answer: not the mistakes of clients, and not 501. */
const VALID = `${MODEL},method="POST",status!~"4..|501"`;
const FAILED = `${MODEL},method="POST",status=~"5..",status!="501"`;

/** The requests for predictions per second. */
export function asked(by: string): string {
  return perSecond('ternion_requests_total', by, VALID);
}

/** The share of them that failed by a fault of the server: 0 if none ever did. */
export function failedShare(by: string): string {
  return `(${perSecond('ternion_requests_total', by, FAILED)} or 0 * ${asked(by)}) / ${asked(by)}`;
}

/** The sum of a counter per second. */
export function perSecond(counter: string, by: string, matchers: string = MODEL): string {
  return `sum${by === '' ? '' : ` by (${by})`} (rate(${counter}{${matchers}}[$__rate_interval]))`;
}

/** The mean of a histogram or summary. */
export function mean(name: string, by: string, matchers: string = MODEL): string {
  return `${perSecond(`${name}_sum`, by, matchers)} / ${perSecond(`${name}_count`, by, matchers)}`;
}

export function quantile(q: number, histogram: string, by: string, matchers: string = MODEL): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, ${perSecond(`${histogram}_bucket`, labels, matchers)})`;
}

/** p50, p95 and p99. */
export function quantiles(histogram: string, matchers: string = MODEL): readonly Query[] {
  return [0.5, 0.95, 0.99].map((q) => ({
    expr: quantile(q, histogram, '', matchers),
    legend: `p${q * 100}`,
    exemplars: true,
  }));
}
