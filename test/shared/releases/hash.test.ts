import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { partOf } from '../../../shared/releases/hash.ts';
import { partByGrowthBook } from '../../fixtures/growthbook/reference.ts';
import { PROJECT } from '../../support/project.ts';

const VECTORS: readonly (readonly [seed: string, value: string, part: number])[] = JSON.parse(
  readFileSync(join(PROJECT, 'test/fixtures/growthbook/hash.json'), 'utf8'),
);

it('gives the parts that GrowthBook has recorded, also for halves of characters and long texts', () => {
  expect(VECTORS.length).toBeGreaterThan(400);
  expect(VECTORS.map(([seed, value]) => [seed, value, partOf(seed, value)])).toEqual(VECTORS);
});

it('gives the parts of the installed SDK of GrowthBook for any text', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 });
  fc.assert(
    fc.property(text, text, (seed, value) => {
      expect(partOf(seed, value)).toBe(partByGrowthBook(seed, value));
    }),
    { numRuns: 2000 },
  );
});

// Rows of the public conformance cases of GrowthBook's SDKs, for version 2 of the hash.
it.each([
  ['seed', 'a', 505],
  ['seed', 'b', 2696],
  ['foo', 'ab', 2575],
  ['foo', 'def', 2019],
  ['89123klj', '8952klfjas09ujkasdf', 1240],
  ['90850943850283058242805', '123', 7516],
  ['()**(%$##$%#$#', '___)((*":&', 128],
])('puts %j with %j where other SDKs put it', (seed, value, part) => {
  expect(partOf(seed, value)).toBe(part);
});

it('divides people evenly, and differently for another seed', () => {
  const people = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
  const inTenth = people.filter((each) => partOf('a', each) < 1000);
  // Four standard deviations of a binomial distribution.
  expect(Math.abs(inTenth.length - 10_000)).toBeLessThan(380);
  const inBoth = inTenth.filter((each) => partOf('b', each) < 1000);
  expect(Math.abs(inBoth.length - 1000)).toBeLessThan(120);
});
