import { type Family, formatNumber, type Labels, type Sample } from './family.ts';
import type { Exemplar } from './histogram.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Metrics in the text format of Prometheus. Source: Prometheus, exposition formats, version 0.0.4. */
export function writePrometheus(families: readonly Family[]): string {
  return families
    .map((family) => writeFamily(family, family.name + totalOf(family), family.type, () => ''))
    .join('');
}

/**
 * Metrics in OpenMetrics, with exemplars. A counter whose name does not end in `_total` cannot be one there, so its type
 * is `unknown`. Source: OpenMetrics 1.0.0.
 */
export function writeOpenMetrics(families: readonly Family[]): string {
  const written = families.map((family) => {
    const isBare = family.type === 'counter' && totalOf(family) === '';
    return writeFamily(family, family.name, isBare ? 'unknown' : family.type, writeExemplar);
  });
  return `${written.join('')}# EOF\n`;
}

/** The older format names a counter as its samples are named. */
function totalOf({ type, samples }: Family): string {
  return type === 'counter' && samples.every(({ suffix }) => suffix === '_total') ? '_total' : '';
}

function writeFamily(
  { name, help, samples }: Family,
  title: string,
  type: string,
  writeMore: (sample: Sample) => string,
): string {
  if (samples.length === 0) return '';
  const lines = samples.map((sample) => {
    const value = formatNumber(sample.value);
    return `${name}${sample.suffix}${writeLabels(sample.labels)} ${value}${writeMore(sample)}\n`;
  });
  return `# HELP ${title} ${escapeText(help)}\n# TYPE ${title} ${type}\n${lines.join('')}`;
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escapeText(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function writeExemplar({ exemplar }: Sample): string {
  return exemplar === undefined ? '' : ` # ${describe(exemplar)}`;
}

/** The time of an exemplar is in seconds. */
function describe({ traceId, value, atMs }: Exemplar): string {
  return `{trace_id="${traceId}"} ${formatNumber(value)} ${(atMs / 1000).toFixed(3)}`;
}
