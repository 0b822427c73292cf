import type { Load } from './send-load.ts';

/** Latencies in milliseconds. */
export interface LoadSummary {
  readonly answers: number;
  readonly seconds: number;
  /** Right answers per second. */
  readonly throughput: number;
  readonly errors: number;
  readonly mean: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Standard deviation of the population. */
  readonly deviation: number;
  readonly p95: number;
  readonly p99: number;
  /** Classes of equal width on a scale of logarithms, from the shortest to the longest latency. */
  readonly histogram: readonly Bin[];
}

export type Bin = Readonly<Record<'fromMs' | 'toMs' | 'answers', number>>;

/** Numbers of the right answers; undefined without any. */
export function summariseLoad({ latenciesMs, problems, seconds }: Load): LoadSummary | undefined {
  const answers = latenciesMs.length;
  const [min = 0, max = 0] = [latenciesMs[0], latenciesMs.at(-1)];
  if (answers === 0) return undefined;
  const mean = latenciesMs.reduce((sum, each) => sum + each, 0) / answers;
  const variance = latenciesMs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / answers;
  const at = (part: number) => percentile(latenciesMs, part);
  return {
    answers,
    seconds,
    throughput: answers / seconds,
    errors: [...problems.values()].reduce((sum, count) => sum + count, 0),
    mean,
    median: at(0.5),
    min,
    max,
    deviation: Math.sqrt(variance),
    p95: at(0.95),
    p99: at(0.99),
    histogram: binsOf(latenciesMs, min, max),
  };
}

/** The smallest value that is at least as large as a part of all: the nearest-rank method. */
function percentile(sorted: Float64Array, part: number): number {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
}

const BINS = 10;

/** A few answers take many times as long as most, so bins of equal width would put nearly all into the first. */
function binsOf(sorted: Float64Array, min: number, max: number): readonly Bin[] {
  if (max <= min) return [{ fromMs: min, toMs: max, answers: sorted.length }];
  const factor = (max / min) ** (1 / BINS);
  let start = 0;
  return Array.from({ length: BINS }, (_, index) => {
    const toMs = index === BINS - 1 ? max : min * factor ** (index + 1);
    let end = start;
    while (end < sorted.length && (index === BINS - 1 || (sorted[end] ?? 0) < toMs)) end++;
    const answers = end - start;
    start = end;
    return { fromMs: min * factor ** index, toMs, answers };
  });
}
