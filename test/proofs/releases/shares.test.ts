import { expect, it } from 'vitest';
import { findWrongShares, type Phase, tailOf } from './shares.ts';

function phaseOf(counts: Readonly<Record<string, number>>): Phase {
  const ranges = [{ target: 'canary', start: 0, end: 2_500 }];
  const traffic = { seed: 's', ranges, rules: [], shadows: [] };
  return {
    revision: 7,
    state: { versions: ['1', '2'], liveVersion: '1', serving: { aliases: {}, archived: [], traffic } },
    counts: new Map(Object.entries(counts)),
  };
}

it('has the tails of the binomial distribution', () => {
  expect(tailOf(10, 0.5, 0)).toBeCloseTo(1 / 1024, 12);
  expect(tailOf(10, 0.5, 8)).toBeCloseTo(56 / 1024, 12);
  expect(tailOf(4, 0.25, 1)).toBeCloseTo((3 ** 4 + 4 * 3 ** 3) / 4 ** 4, 12);
  expect([tailOf(5, 1, 5), tailOf(5, 1, 4), tailOf(5, 0, 0), tailOf(5, 0, 1)]).toEqual([1, 0, 1, 0]);
});

it('finds shares that chance does not explain', () => {
  expect(findWrongShares([phaseOf({ canary: 100, live: 300 })])).toEqual([]);
  // 4.6 standard deviations.
  expect(findWrongShares([phaseOf({ canary: 140, live: 260 })])).toEqual([
    'revision 7: canary got 140 of 400 requests; its share is 25 %',
    'revision 7: live got 260 of 400 requests; its share is 75 %',
  ]);
  // A variant without an answer counts, too.
  expect(findWrongShares([phaseOf({ live: 100 })])).toHaveLength(2);
  // What is odd once is not odd among 100 counts.
  const odd = phaseOf({ canary: 133, live: 267 });
  expect(findWrongShares([odd])).toHaveLength(2);
  expect(
    findWrongShares([odd, ...Array.from({ length: 50 }, () => phaseOf({ canary: 100, live: 300 }))]),
  ).toEqual([]);
});
