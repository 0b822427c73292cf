import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PARTS, type Range } from '../../../shared/models/serving.ts';
import { reallocate } from '../../../shared/releases/ranges.ts';

const shares = (wanted: Readonly<Record<string, number>>) => new Map(Object.entries(wanted));

/** The target that has a part; '' is the champion. */
function ownerOf(ranges: readonly Range[], part: number): string {
  return ranges.find(({ start, end }) => start <= part && part < end)?.target ?? '';
}

/** The parts that each has together; the champion has those that no range covers. */
function countEach(ranges: readonly Range[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let free = PARTS;
  for (const { target, start, end } of ranges) {
    counts.set(target, (counts.get(target) ?? 0) + end - start);
    free -= end - start;
  }
  return free > 0 ? counts.set('', free) : counts;
}

/** The same of shares in parts: those without any are left out, and the champion has the rest. */
function countsOf(wanted: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const rest = PARTS - [...wanted.values()].reduce((sum, parts) => sum + parts, 0);
  return new Map([...wanted, ['', rest] as const].filter(([, parts]) => parts > 0));
}

describe('reallocate', () => {
  it('gives the first canary the parts from 0 on, and lets it grow at its end', () => {
    const five = reallocate([], shares({ canary: 5 }));
    expect(five).toEqual([{ target: 'canary', start: 0, end: 500 }]);
    expect(reallocate(five, shares({ canary: 25 }))).toEqual([{ target: 'canary', start: 0, end: 2500 }]);
    expect(reallocate(five, shares({ canary: 0.01 }))).toEqual([{ target: 'canary', start: 0, end: 1 }]);
    expect(reallocate(five, shares({}))).toEqual([]);
    expect(reallocate(five, shares({ canary: 100 }))).toEqual([{ target: 'canary', start: 0, end: PARTS }]);
  });

  it('puts a second target after the first, and lets the first grow beyond it', () => {
    const two = reallocate([], shares({ a: 10, b: 10 }));
    expect(two).toEqual([
      { target: 'a', start: 0, end: 1000 },
      { target: 'b', start: 1000, end: 2000 },
    ]);
    expect(reallocate(two, shares({ a: 20, b: 10 }))).toEqual([
      { target: 'a', start: 0, end: 1000 },
      { target: 'b', start: 1000, end: 2000 },
      { target: 'a', start: 2000, end: 3000 },
    ]);
  });

  it('lets one shrink before another grows, if both change at once', () => {
    const full = reallocate([], shares({ a: 60, b: 40 }));
    expect(reallocate(full, shares({ b: 60, a: 40 }))).toEqual([
      { target: 'a', start: 0, end: 4000 },
      { target: 'b', start: 4000, end: 10_000 },
    ]);
  });

  it.each([
    [{ a: 60, b: 40.01 }, 'The shares are 100.01 % together; expected at most 100.'],
    [{ a: -1 }, 'The share of "a" is -1 %; expected 0 to 100 with at most two decimals.'],
    [{ a: 100.5 }, 'The share of "a" is 100.5 %; expected 0 to 100 with at most two decimals.'],
    [{ a: 0.005 }, 'The share of "a" is 0.005 %; expected 0 to 100 with at most two decimals.'],
    [{ a: Number.NaN }, 'The share of "a" is NaN %; expected 0 to 100 with at most two decimals.'],
  ])('refuses %j', (wanted, message) => {
    expect(() => reallocate([], shares(wanted))).toThrow(new RangeError(message));
  });

  /** Shares in hundredths of a percent that are at most 100 % together, for some of four targets. */
  const division = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', '3'), { maxLength: 4 }).chain((targets) =>
    fc.array(fc.nat({ max: PARTS }), { minLength: targets.length, maxLength: targets.length }).map((cuts) => {
      const ends = cuts.toSorted((a, b) => a - b);
      return new Map(targets.map((target, index) => [target, (ends[index] ?? 0) - (ends[index - 1] ?? 0)]));
    }),
  );

  it('gives exact shares, moves people only as far as shares change, and is repeatable', () => {
    fc.assert(
      fc.property(fc.array(division, { minLength: 1, maxLength: 6 }), (divisions) => {
        let ranges: readonly Range[] = [];
        let before = ranges;
        for (const wanted of divisions) {
          const percents = new Map([...wanted].map(([target, parts]) => [target, parts / 100]));
          const next = reallocate(ranges, percents);
          const had = countEach(ranges);
          const has = countEach(next);
          expect(has).toEqual(countsOf(wanted));
          const growth = [...wanted].reduce(
            (sum, [target, parts]) => sum + Math.max(0, parts - (had.get(target) ?? 0)),
            0,
          );
          const moves = new Set<string>();
          for (const { start, end } of [...ranges, ...next]) {
            // Owners change only where a range begins or ends.
            for (const part of [start, end].filter((each) => each < PARTS)) {
              const [from, to] = [ownerOf(ranges, part), ownerOf(next, part)];
              if (from !== to) moves.add(`${from}>${to}`);
            }
          }
          const wrong = [...moves].filter((move) => {
            const [from = '', to = ''] = move.split('>');
            // A target that shrinks loses parts, and one that grows gains some: never the other way around.
            const isLost = from === '' || (has.get(from) ?? 0) < (had.get(from) ?? 0);
            const isGained = to === '' || (has.get(to) ?? 0) > (had.get(to) ?? 0);
            const hadTooLittle = growth > (had.get('') ?? 0);
            return !(isLost && isGained && (from === '' || to === '' || hadTooLittle));
          });
          expect(wrong).toEqual([]);
          before = ranges;
          ranges = next;
        }
        const last = new Map([...(divisions.at(-1) ?? [])].map(([target, parts]) => [target, parts / 100]));
        expect(reallocate(structuredClone(before), last)).toEqual(ranges);
      }),
      { numRuns: 1000 },
    );
  });

  it('brings those back first who came last, so that a share that returns has the same people', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5000 }), fc.nat({ max: 5000 }), (first, second) => {
        const start = reallocate([], shares({ a: first / 100, b: 10 }));
        const there = reallocate(start, shares({ a: second / 100, b: 10 }));
        const back = reallocate(there, shares({ a: first / 100, b: 10 }));
        // What shrank and grew again takes the lowest parts that are free, which are those that it gave up.
        if (second <= first) expect(back).toEqual(start);
        else expect(countEach(back)).toEqual(countEach(start));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps ranges in ascending order and joins those that meet', () => {
    fc.assert(
      fc.property(fc.array(division, { minLength: 1, maxLength: 5 }), (divisions) => {
        const ranges = divisions.reduce<readonly Range[]>(
          (known, wanted) =>
            reallocate(known, new Map([...wanted].map(([target, parts]) => [target, parts / 100]))),
          [],
        );
        for (const [index, { target, start, end }] of ranges.entries()) {
          const before = ranges[index - 1];
          expect(start).toBeLessThan(end);
          expect(start).toBeGreaterThanOrEqual(before?.end ?? 0);
          if (before?.target === target) expect(start).toBeGreaterThan(before.end);
        }
      }),
      { numRuns: 500 },
    );
  });
});
