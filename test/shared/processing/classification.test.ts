import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argmax, scoreRows, sigmoid, softmax, topK } from '../../../shared/processing/classification.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';

const manyScores = fc.float64Array({ noNaN: true, minLength: 1, maxLength: 30 });
/** Few different values, so that there are many equals. */
const scoresWithTies = fc
  .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 20 })
  .map((values) => Float64Array.from(values));
const finiteScores = fc.float64Array({ noNaN: true, noDefaultInfinity: true, minLength: 1, maxLength: 30 });

describe('softmax', () => {
  it('gives exp(x) / sum', () => {
    const [a = 0, b = 0, c = 0] = softmax(Float64Array.of(1, 2, 3));
    // scipy.special.softmax([1, 2, 3])
    expect(a).toBeCloseTo(0.09003057317038046, 15);
    expect(b).toBeCloseTo(0.24472847105479764, 15);
    expect(c).toBeCloseTo(0.6652409557748218, 15);
  });

  it('takes scores whose exponentials are beyond all numbers', () => {
    expect([...softmax(Float64Array.of(1e308, 1e308))]).toEqual([0.5, 0.5]);
    expect([...softmax(Float64Array.of(1000, 0))]).toEqual([1, 0]);
    expect([...softmax(Float64Array.of(-1e308, -1e308, -1e308, -1e308))]).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect([...softmax(Float64Array.of(0, Number.NEGATIVE_INFINITY))]).toEqual([1, 0]);
  });

  it('adds up to 1 and keeps the order, for any scores', () => {
    fc.assert(
      fc.property(finiteScores, (scores) => {
        const probabilities = softmax(scores);
        expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
        for (const [i, p] of probabilities.entries()) {
          for (const [j, q] of probabilities.entries()) {
            if ((scores[i] ?? 0) > (scores[j] ?? 0)) expect(p).toBeGreaterThanOrEqual(q);
          }
        }
      }),
    );
  });

  it('gives NaN for NaN, as NumPy does, and does not change its argument', () => {
    const scores = Float64Array.of(1, Number.NaN);
    expect([...softmax(scores)]).toEqual([Number.NaN, Number.NaN]);
    expect([...scores]).toEqual([1, Number.NaN]);
  });
});

describe('sigmoid', () => {
  it('gives 1 / (1 + exp(-x)) of each score by itself', () => {
    // scipy.special.expit([-2, 0, 3])
    const [a = 0, b = 0, c = 0] = sigmoid(Float64Array.of(-2, 0, 3));
    expect(a).toBeCloseTo(0.11920292202211755, 15);
    expect(b).toBe(0.5);
    expect(c).toBeCloseTo(0.9525741268224334, 15);
    expect([...sigmoid(Float64Array.of(1e308, -1e308))]).toEqual([1, 0]);
  });
});

describe('argmax', () => {
  it.each([
    [[0.1, 0.7, 0.2], 1],
    [[0.5, 0.5], 0],
    [[1, 2, 2, 1], 1],
    [[-5, -3, -4], 1],
    [[Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], 0],
    [[1, Number.NaN, 5], 1],
    [[Number.POSITIVE_INFINITY, Number.NaN, Number.NaN], 1],
    [[3], 0],
  ])('of %j is %i', (scores, index) => {
    expect(argmax(Float64Array.from(scores))).toBe(index);
  });
});

describe('topK', () => {
  it('gives what sorting all scores gives', () => {
    fc.assert(
      fc.property(fc.oneof(manyScores, scoresWithTies), fc.nat(12), (scores, k) => {
        const sorted = [...scores.keys()].sort((a, b) => {
          const [x = 0, y = 0] = [scores[a], scores[b]];
          return x > y ? -1 : x < y ? 1 : a - b;
        });
        expect(topK(scores, k)).toEqual(sorted.slice(0, k));
      }),
    );
  });

  it('gives as many as are asked for, of any number', () => {
    const scores = Float64Array.from({ length: 200 }, (_, index) => (index * 37) % 100);
    const all = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    for (const k of [0, 1, 64, 65, 199, 200, 500]) expect(topK(scores, k)).toEqual(all.slice(0, k));
  });

  it('puts NaN first, wherever it stands', () => {
    const scores = Float64Array.of(1, Number.NaN, 3, Number.NaN, 2);
    expect(topK(scores, 5)).toEqual([1, 3, 2, 4, 0]);
    expect(topK(scores, 2)).toEqual([1, 3]);
    expect(topK(scores, 100)).toEqual([1, 3, 2, 4, 0]);
  });

  it('begins with the argmax', () => {
    fc.assert(
      fc.property(fc.oneof(fc.float64Array({ minLength: 1 }), scoresWithTies), (scores) => {
        expect(topK(scores, 3)[0]).toBe(argmax(scores));
      }),
    );
  });
});

describe('scoreRows', () => {
  it('gives the scores of each row', () => {
    const rows = scoreRows(createTensor('FP32', [2, 3], [1, 0, 0, 0.1, 0.2, 0.7]), []);
    // Float32 numbers with their own digits, not 0.10000000149011612.
    expect(rows.map((row) => [...row])).toEqual([
      [1, 0, 0],
      [0.1, 0.2, 0.7],
    ]);
  });

  it('takes all axes but the first for the classes', () => {
    const rows = scoreRows(createTensor('FP16', [2, 2, 1, 1], [1, 2, 3, 4]), []);
    expect(rows.map((row) => [...row])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('runs the steps on each row by itself', () => {
    const [first, second] = scoreRows(createTensor('FP32', [2, 2], [0, 0, 1000, 0]), [{ step: 'softmax' }]);
    expect([...(first ?? [])]).toEqual([0.5, 0.5]);
    expect([...(second ?? [])]).toEqual([1, 0]);
  });

  it('gives no rows for a batch of none', () => {
    expect(scoreRows(createTensor('FP32', [0, 3], []), [])).toEqual([]);
  });
});
