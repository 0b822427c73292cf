import { printableLine } from '../../printable.ts';
import { alignColumns, countOf } from '../words.ts';
import type { Load } from './send-load.ts';
import type { Bin, LoadSummary } from './summarise-load.ts';

/** Width of the longest bar of the histogram. */
const BAR = 40;

/** The result in words, with a histogram of the latencies. */
export function describeLoad(what: string, summary: LoadSummary, { problems }: Load): string {
  const { histogram, errors, answers, seconds, throughput } = summary;
  const rows = (['mean', 'median', 'min', 'max', 'deviation', 'p95', 'p99'] as const).map((name) => [
    `  ${name}`,
    formatMs(summary[name]),
  ]);
  return [
    what,
    `  ${countOf(answers, 'answer')} in ${seconds.toFixed(1)} s: ${throughput.toFixed(1)} per second, ${countOf(errors, 'error')}`,
    ...alignColumns(rows, ['left', 'right']),
    '',
    ...describeHistogram(histogram),
    ...[...problems].map(([problem, count]) => `  ${countOf(count, 'error')}: ${printableLine(problem)}`),
  ].join('\n');
}

function describeHistogram(bins: readonly Bin[]): readonly string[] {
  const most = Math.max(...bins.map(({ answers }) => answers));
  const rows = bins.map(({ fromMs, toMs, answers }) => [
    `  ${formatMs(fromMs)}`,
    `– ${formatMs(toMs)}`,
    answers.toLocaleString('en'),
    '█'.repeat(Math.ceil((BAR * answers) / most)),
  ]);
  return alignColumns(rows, ['right', 'right', 'right', 'left']);
}

/** Three digits: `0.123 ms`, `12.3 ms`, `1.23 s`. */
export function formatMs(milliseconds: number): string {
  const isLong = milliseconds >= 999.5;
  const value = isLong ? milliseconds / 1000 : milliseconds;
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : value >= 0.9995 ? 2 : 3;
  return `${value.toFixed(digits)} ${isLong ? 's' : 'ms'}`;
}
