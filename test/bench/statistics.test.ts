import { describe, expect, it } from 'vitest';
import { latenciesOf, median, percentile, ratioByPairs, spreadOf } from './statistics.ts';

describe('the median', () => {
  it.each([
    [[3], 3],
    [[30, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[-1, 10, -20], -1],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('of nothing is NaN', () => {
    expect(median([])).toBeNaN();
  });

  it('leaves the order of the values as it was', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it.each([
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('of 1 to 100 at %d is %d', (part, expected) => {
    expect(percentile(hundred, part)).toBe(expected);
  });

  it('compares numbers, not their texts', () => {
    expect(percentile([9, 10, 100], 0.5)).toBe(10);
  });

  it('of a few values is the largest at 99 %', () => {
    expect(latenciesOf([5, 1, 3])).toEqual({ p50: 3, p95: 5, p99: 5 });
  });

  it('of nothing is NaN', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('a spread', () => {
  it('has the median, the least and the most', () => {
    expect(spreadOf([4, 1, 9])).toEqual({ median: 4, least: 1, most: 9 });
  });

  it('of nothing is NaN, not infinity', () => {
    expect(spreadOf([])).toEqual({ median: Number.NaN, least: Number.NaN, most: Number.NaN });
  });
});

describe('the ratio of two contenders', () => {
  it('is taken within each round: a machine that slows down changes both sides', () => {
    expect(ratioByPairs([10, 5, 1], [20, 10, 2])).toEqual({ median: 0.5, least: 0.5, most: 0.5 });
  });

  it('is not the ratio of the medians', () => {
    const [ours, limit] = [
      [1, 10, 3],
      [10, 1, 2],
    ] as const;
    expect(median(ours) / median(limit)).toBe(1.5);
    expect(ratioByPairs(ours, limit)).toEqual({ median: 1.5, least: 0.1, most: 10 });
    expect(ratioByPairs([8, 1, 9], [2, 4, 3]).median).toBe(3);
  });

  it('ignores rounds that lack one side', () => {
    expect(ratioByPairs([6, 8], [2])).toEqual({ median: 3, least: 3, most: 3 });
    expect(ratioByPairs([], [1]).median).toBeNaN();
    expect(ratioByPairs([0, 4], [0, 2])).toEqual({ median: 2, least: 2, most: 2 });
  });
});
