import { alignColumns, countOf } from '../words.ts';
import type { Difference } from './compare-outputs.ts';

/** Two models on the same rows. */
export interface Comparison {
  readonly compared: readonly (Difference & {
    /** Its number, or its path in a folder. */
    readonly row: number | string;
  })[];
  /** How many rows one of the models does not take, and why it refuses the first; undefined if there are none. */
  readonly bad: { readonly rows: number; readonly first: string } | undefined;
}

/** Wide enough for any time, so that the columns of two comparisons are alike. */
const MS_WIDTH = 11;
/** Most rows with different labels that are listed one by one. */
const SHOWN = 10;

/** The result of a comparison, with the members that `--json` prints. */
export type Summary = ReturnType<typeof summarise>;

/** @param sides the name of each model, and the milliseconds that it took for each row */
export function summarise(
  { compared, bad }: Comparison,
  sides: readonly { readonly title: string; readonly runMs: readonly number[] }[],
) {
  const labelled = compared.some(({ labels }) => labels !== undefined);
  const changed = compared.filter(({ labels }) => labels && labels[0] !== labels[1]);
  const [first] = compared;
  const largest = compared.reduce((worst, each) => (each.difference > worst.difference ? each : worst), {
    row: first?.row ?? 0,
    difference: first?.difference ?? 0,
  });
  return {
    rows: compared.length,
    bad: bad?.rows ?? 0,
    first_bad: bad?.first,
    labels_differ: labelled ? changed.length : undefined,
    first_differing: changed
      .slice(0, SHOWN)
      .map(({ row, labels }) => ({ row, a: labels?.[0], b: labels?.[1] })),
    // JSON has no infinity.
    largest_difference: {
      value: Number.isFinite(largest.difference) ? largest.difference : String(largest.difference),
      row: largest.row,
    },
    latency: sides.map(({ title, runMs }) => ({
      model: title,
      mean_ms: inMs(runMs.reduce((total, each) => total + each, 0) / Math.max(1, runMs.length)),
      p50_ms: inMs(quantile(runMs, 0.5)),
      p95_ms: inMs(quantile(runMs, 0.95)),
    })),
  };
}

export function describeComparison(summary: Summary): string {
  const { rows, bad, first_bad, labels_differ, first_differing, largest_difference, latency } = summary;
  const { value, row } = largest_difference;
  const share = ((100 * (labels_differ ?? 0)) / rows).toFixed(2);
  return [
    `${countOf(rows, 'row')} compared${bad > 0 ? `, ${bad} not accepted by both models; the first: ${first_bad}` : ''}`,
    ...(labels_differ === undefined ? [] : [`labels differ in ${labels_differ} (${share} %)`]),
    ...first_differing.map((each) => `  row ${each.row}: ${each.a} / ${each.b}`),
    ...((labels_differ ?? 0) > first_differing.length
      ? [`  and ${(labels_differ ?? 0) - first_differing.length} more`]
      : []),
    value === 0
      ? 'all numbers are the same'
      : `largest difference ${typeof value === 'number' ? value.toPrecision(3) : 'infinite'} in row ${row}`,
    '',
    ...alignColumns(
      [
        ['time per row', 'mean', 'p50', 'p95'],
        ...latency.map(({ model, mean_ms, p50_ms, p95_ms }) => [
          model,
          ...[mean_ms, p50_ms, p95_ms].map((ms) => `${ms.toFixed(3)} ms`.padStart(MS_WIDTH)),
        ]),
      ],
      ['left', 'right', 'right', 'right'],
    ),
  ].join('\n');
}

/** Rounded to the microsecond, which is the precision of the measurement. */
function inMs(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
