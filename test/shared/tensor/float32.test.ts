import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shortestFloat32 } from '../../../shared/tensor/float32.ts';

/** All bit patterns with equal chances, so that tiny and huge numbers are as frequent as ordinary ones. */
const anyFloat32 = fc
  .integer({ min: 0, max: 0xffffffff })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0)
  .filter(Number.isFinite);

function significantDigits(value: number): number {
  const [mantissa = ''] = value.toExponential().replace('.', '').replace('-', '').split('e');
  return mantissa.length;
}

describe('shortestFloat32', () => {
  it.each([
    [0.1, 0.1],
    [0.2, 0.2],
    [1 / 3, 0.33333334],
    [16777216, 16777216],
    [3.4028234663852886e38, 3.4028235e38],
    [1.1754943508222875e-38, 1.1754944e-38],
    [1.401298464324817e-45, 1e-45],
    [-1.5, -1.5],
    [0, 0],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
    [Number.NaN, Number.NaN],
  ])('writes the float32 nearest to %d as %d', (value, shortest) => {
    expect(shortestFloat32(Math.fround(value))).toBe(shortest);
  });

  it('reads back to the same float32', () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        expect(Math.fround(shortestFloat32(value)) === value).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('has no digit too many: rounded to one digit less, it is another float32', () => {
    fc.assert(
      fc.property(anyFloat32, (value) => {
        const digits = significantDigits(shortestFloat32(value));
        if (digits > 1) expect(Math.fround(Number(value.toPrecision(digits - 1)))).not.toBe(value);
      }),
      { numRuns: 5_000 },
    );
  });

  it('has no digit too many for the smallest float32 either', () => {
    for (let steps = 1; steps < 2_000; steps++) {
      const value = steps * 2 ** -149;
      const digits = significantDigits(shortestFloat32(value));
      if (digits > 1) expect(Math.fround(Number(value.toPrecision(digits - 1)))).not.toBe(value);
    }
  });
});
