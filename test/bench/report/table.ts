import { METRICS, type ScenarioResult } from '../results.ts';
import { median, ratioByPairs, type Spread } from '../statistics.ts';
import { formatNumber } from './format.ts';

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * One row for each metric under each condition: the median of each contender, and the ratio of ours to each limit with
 * the range of the rounds. Contenders without any value have no column, nor have
 * pairs that are never measured together.
 */
export function tableOf({ contenders, measurements }: ScenarioResult): Table {
  const present = contenders.filter(({ name }) => measurements.some(({ values }) => values[name]));
  const limits = present.filter(({ role }) => role === 'limit');
  const pairs = present
    .filter(({ role }) => role === 'ours')
    .flatMap((ours) => limits.map((limit) => ({ ours: ours.name, limit: limit.name })))
    .filter(({ ours, limit }) => measurements.some(({ values }) => values[ours] && values[limit]));
  return {
    header: [
      'Condition',
      'Measured',
      ...present.map(({ name }) => name),
      ...pairs.map(({ ours, limit }) => `${ours} ÷ ${limit}`),
    ],
    rows: measurements.map(({ condition, metric, values }) => [
      condition,
      METRICS[metric].name,
      ...present.map(({ name }) => formatNumber(median(values[name] ?? []))),
      ...pairs.map(({ ours, limit }) => formatRatio(ratioByPairs(values[ours] ?? [], values[limit] ?? []))),
    ]),
  };
}

/** `0.35 (0.33–0.36)` */
export function formatRatio({ median: middle, least, most }: Spread): string {
  if (Number.isNaN(middle)) return '–';
  return `${middle.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

/** Columns of the same width, for a terminal. */
export function toText({ header, rows }: Table): string {
  const widths = header.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line).join('\n');
}

/** A table of Markdown, with the numbers on the right. */
export function toMarkdown({ header, rows }: Table, textColumns = 2): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = header.map((_, column) => (column < textColumns ? '---' : '---:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}
