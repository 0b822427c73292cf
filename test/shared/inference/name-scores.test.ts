import { describe, expect, it } from 'vitest';
import { nameScores } from '../../../shared/inference/name-scores.ts';

describe('nameScores', () => {
  const scores = Float64Array.of(0.1, 0.2, 0.3, 0.4);

  it('gives the later classes of one label their index', () => {
    const labels = ['crane', 'maillot', 'crane', 'crane'];
    expect([...nameScores([2, 0, 3], labels, scores)]).toEqual([
      ['crane (2)', 0.3],
      ['crane', 0.1],
      ['crane (3)', 0.4],
    ]);
  });

  it('keeps the scores of all classes if a label looks like one with an index', () => {
    const all = [0, 1, 2, 3];
    expect([...nameScores(all, ['crane', 'crane (2)', 'crane', 'crane (2) (3)'], scores).keys()]).toEqual([
      'crane',
      'crane (2)',
      'crane (2) (2)',
      'crane (2) (3)',
    ]);
    expect(nameScores(all, ['crane', 'crane', 'crane (1)', 1], scores).size).toBe(4);
  });

  it('writes numbers as text, and takes the index where there is no label', () => {
    expect([...nameScores([1, 3], [-1, 7], scores)]).toEqual([
      ['7', 0.2],
      ['3', 0.4],
    ]);
  });

  it('writes scores with the given function', () => {
    expect([...nameScores([0], ['a'], scores, (score) => `${score}!`)]).toEqual([['a', '0.1!']]);
  });
});
