import { describe, expect, it } from 'vitest';
import { type Changes, compareReadings } from '../../../shared/scrapes/changes.ts';
import { readMetrics } from '../../../shared/scrapes/read-metrics.ts';

function compare(earlier: string, later: string): Changes {
  return compareReadings(
    { atMs: 1000, samples: readMetrics(earlier) },
    { atMs: 3000, samples: readMetrics(later) },
  );
}

/** A histogram with these counts up to 0.1 s, 0.2 s and without an end. */
const histogram = (...counts: readonly number[]) =>
  ['0.1', '0.2', '+Inf'].map((end, index) => `h_bucket{le="${end}"} ${counts[index]}\n`).join('');

describe('the text of metrics', () => {
  it('is read with labels, also with odd ones, and without comments', () => {
    const text = '# HELP a b\n# TYPE a counter\na 1\nb{c="x } y",d="\\"\\\\\\n"} 2.5e-7\nb{c=""} +Inf\n';
    expect([...readMetrics(text)]).toEqual([
      ['a', [{ labels: {}, value: 1 }]],
      [
        'b',
        [
          { labels: { c: 'x } y', d: '"\\\n' }, value: 2.5e-7 },
          { labels: { c: '' }, value: Number.POSITIVE_INFINITY },
        ],
      ],
    ]);
  });

  it('is read with line breaks of other systems in its labels', () => {
    expect(readMetrics('a{b="c\rd\u2028e"} 1\n').get('a')).toEqual([
      { labels: { b: 'c\rd\u2028e' }, value: 1 },
    ]);
  });

  it('is read in a time that grows with its length alone', () => {
    // A search from each of its characters would take a minute.
    const long = 'a'.repeat(1_000_000);
    expect([...readMetrics(`a{${long}} 1\n`)]).toEqual([['a', [{ labels: {}, value: 1 }]]]);
  });
});

describe('the changes between two readings', () => {
  it('are the growth of counters, from 0 for a new series', () => {
    const changes = compare('c{a="1"} 10\n', 'c{a="1"} 14\nc{a="2"} 3\n');
    expect(changes.seconds).toBe(2);
    expect(changes.growth('c')).toBe(7);
    expect(changes.growth('c', ({ a }) => a === '2')).toBe(3);
    expect(changes.growth('other')).toBe(0);
  });

  it('begin at 0 again after a restart', () => {
    expect(compare('c 100\n', 'c 5\n').growth('c')).toBe(5);
  });

  it('have the latest value of a gauge', () => {
    expect(compare('g 1\n', 'g{a="1"} 2\ng{a="2"} 3\n').latest('g')).toBe(5);
    expect(compare('g 1\n', '').latest('g')).toBeUndefined();
  });

  it.each([
    ['in the first bucket', [10, 10, 10], 0.5, 0.05],
    ['in the second one', [0, 10, 10], 0.5, 0.15],
    ['at the end of a bucket', [5, 10, 10], 0.5, 0.1],
    ['without an end', [0, 0, 10], 0.5, 0.2],
    ['over both', [90, 100, 100], 0.95, 0.15],
  ])('have percentiles as Prometheus estimates them: %s', (_, counts, q, expected) => {
    expect(compare('', histogram(...counts)).quantile(q, 'h')).toBeCloseTo(expected, 10);
  });

  it('have percentiles of what came between the readings alone', () => {
    expect(compare(histogram(100, 100, 100), histogram(100, 110, 110)).quantile(0.5, 'h')).toBeCloseTo(
      0.15,
      10,
    );
    expect(compare(histogram(100, 100, 100), histogram(100, 100, 100)).quantile(0.5, 'h')).toBeUndefined();
  });
});
