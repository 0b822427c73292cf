import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from '../../../shared/models/versions.ts';

/** Versions of all kinds, mixed. */
const anyVersion = fc.oneof(
  fc.nat(20).map(String),
  fc
    .tuple(
      fc.constantFrom('', 'v'),
      fc.nat(3),
      fc.nat(12),
      fc.constantFrom('', '-rc.1', '-rc.2', '-alpha', '+b1'),
    )
    .map(([v, major, minor, suffix]) => `${v}${major}.${minor}.0${suffix}`),
  fc.constantFrom(
    '2024-01-05',
    '2024-11-30',
    'champion',
    '1a',
    '1-a.1',
    '1--a',
    'prod-9',
    'prod-10',
    '01',
    'v1',
    '1.0',
    '',
  ),
);

describe('compareVersions', () => {
  it.each([
    // Numbers by value.
    ['1', '2'],
    ['2', '10'],
    ['99999999999999999998', '99999999999999999999'],
    ['v2', 'v10'],
    // Semantic versions by precedence; the pre-releases are those of semver.org, item 11.
    ['1.2.3', '1.10.0'],
    ['1.0.0-alpha', '1.0.0-alpha.1'],
    ['1.0.0-alpha.1', '1.0.0-alpha.beta'],
    ['1.0.0-alpha.beta', '1.0.0-beta'],
    ['1.0.0-beta', '1.0.0-beta.2'],
    ['1.0.0-beta.2', '1.0.0-beta.11'],
    ['1.0.0-beta.11', '1.0.0-rc.1'],
    ['1.0.0-rc.1', '1.0.0'],
    ['1.0.0-rc.1', 'v1.0.0'],
    ['1', '1.0.1'],
    // Dates as versions, words as text.
    ['2024-01-05', '2024-11-30'],
    ['20240105', '20241130'],
    ['prod-9', 'prod-10'],
    // Folders that only look like versions never become live if there is a real one.
    ['champion', '10'],
    ['2.bak', '1'],
    ['latest', '1'],
    ['2-bak', '2'],
    ['alpha', 'beta'],
    ['1a', '2'],
    ['1-1', '1--a'],
  ])('orders %s before %s', (lower, higher) => {
    expect(compareVersions(lower, higher)).toBeLessThan(0);
    expect(compareVersions(higher, lower)).toBeGreaterThan(0);
  });

  it.each([
    ['1', '1'],
    ['1.0.0+build1', '1.0.0+build2'],
    ['v1', '1'],
    ['01', '1'],
  ])('takes %s and %s for equal', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(compareVersions(b, a)).toBe(0);
  });

  it('is an order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        expect(compareVersions(a, a)).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
