import { describe, expect, it } from 'vitest';
import { CHARTS } from '../../../../shared/playground/curves/charts.ts';
import { createHistory, type History } from '../../../../shared/playground/curves/history.ts';
import { readMetrics } from '../../../../shared/scrapes/read-metrics.ts';
import { ONE, TWO } from './scrapes.ts';

/** Adds readings two seconds apart, unless they say when. */
function read(...texts: readonly (string | readonly [atMs: number, text: string])[]): History {
  const history = createHistory();
  texts.forEach((each, index) => {
    const [atMs, text] = typeof each === 'string' ? [index * 2000, each] : each;
    history.add({ atMs, samples: readMetrics(text) }, 1_000_000 + atMs);
  });
  return history;
}

/** The values of the latest point, by chart and line. */
function latest(history: History, version?: string): Readonly<Record<string, Record<string, number>>> {
  const { values = [] } = history.pointsOf(version).at(-1) ?? {};
  return Object.fromEntries(
    CHARTS.map(({ title }, index) => [
      title,
      Object.fromEntries([...(values[index] ?? [])].map(([line, value]) => [line, Number(value.toFixed(9))])),
    ]),
  );
}

describe('a series of readings', () => {
  it('gives the points that follow from it', () => {
    const history = read(ONE, TWO);
    expect(history.pointsOf().map(({ atMs }) => atMs)).toEqual([1_002_000]);
    expect(latest(history)).toEqual({
      Requests: { requests: 6 },
      Errors: { INVALID_PARAMETER_VALUE: 1, MODEL_UNAVAILABLE: 0 },
      Latency: { p50: 0.15, p95: 0.195, p99: 0.199 },
      'Time by step': { decode: 0.001, run: 0.004 },
      'Batch size': { mean: 2.5, p95: 4 },
      'In progress and waiting': { 'in progress': 2, waiting: 4 },
      Memory: { process: 200e6, heap: 50e6 },
      Processor: { processors: 0.75, 'event loop': 0.5 },
      'Loads and cold starts': { loads: 2, 'failed loads': 1, 'cold starts': 1 },
    });
  });

  it('gives the points of each version, without what only the server has', () => {
    const history = read(ONE, TWO);
    expect(history.versions).toEqual(['iris/1', 'iris/2']);
    expect(latest(history, 'iris/2')).toEqual({
      Requests: { requests: 5 },
      Errors: { INVALID_PARAMETER_VALUE: 1 },
      Latency: { p50: 0.15, p95: 0.195, p99: 0.199 },
      'Time by step': { decode: 0.001, run: 0.004 },
      'Batch size': { mean: 2.5, p95: 4 },
      'In progress and waiting': {},
      Memory: {},
      Processor: {},
      'Loads and cold starts': { loads: 1, 'failed loads': 0 },
    });
  });

  it('has no latency while there are no requests', () => {
    const values = latest(read(ONE, TWO, [4000, TWO]));
    expect(values).toMatchObject({ Requests: { requests: 0 }, Latency: {}, 'Time by step': {} });
  });

  it('compares each process with itself, and counts them', () => {
    const other = TWO.replace('process_start_time_seconds 100', 'process_start_time_seconds 200');
    const history = read(ONE, other, TWO, other);
    expect(history.processes).toBe(2);
    expect(history.pointsOf().map(({ atMs }) => atMs)).toEqual([1_004_000, 1_006_000]);
    // The reading before it is four seconds old.
    expect(history.pointsOf()[0]?.values[0]?.get('requests')).toBe(3);
    expect(history.pointsOf()[1]?.values[0]?.get('requests')).toBe(0);
  });

  it('begins again after a pause', () => {
    expect(read(ONE, [10_001, TWO]).pointsOf()).toEqual([]);
    expect(read(ONE, [10_000, TWO]).pointsOf()).toHaveLength(1);
  });

  it('is kept for ten minutes', () => {
    const texts = Array.from({ length: 400 }, (_, index) => [index * 2000, ONE] as const);
    const points = read(...texts).pointsOf();
    expect([points.length, points[0]?.atMs, points.at(-1)?.atMs]).toEqual([301, 1_198_000, 1_798_000]);
  });

  it('shows whether a model has answered', () => {
    expect(read('ternion_requests_total{protocol="catalog",model=""} 3\n').hasAnswered).toBe(false);
    expect(read(ONE).hasAnswered).toBe(true);
  });
});
