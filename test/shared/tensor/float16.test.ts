import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float16ToNumber, numberToFloat16 } from '../../../shared/tensor/float16.ts';

const PATTERNS = 65_536;

/** All finite halves from 0 up; neighbours in this list are neighbours as numbers. */
const MAGNITUDES = Array.from({ length: 0x7c00 }, (_, bits) => float16ToNumber(bits));

function isNaNPattern(bits: number): boolean {
  return (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
}

describe('float16ToNumber', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x03ff, 2 ** -14 - 2 ** -24],
    [0x0001, 2 ** -24],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
    [0xfc01, Number.NaN],
  ])('reads the pattern %i as %d', (bits, value) => {
    expect(float16ToNumber(bits)).toBe(value);
  });

  it('grows with the pattern', () => {
    expect(MAGNITUDES.slice(1).every((value, index) => value > (MAGNITUDES[index] ?? 0))).toBe(true);
  });
});

describe('numberToFloat16', () => {
  it('brings back each of the 65,536 patterns', () => {
    for (let bits = 0; bits < PATTERNS; bits++) {
      const back = numberToFloat16(float16ToNumber(bits));
      // All NaN are one: their payload means nothing.
      if (isNaNPattern(bits)) expect(isNaNPattern(back)).toBe(true);
      else if (back !== bits) expect.fail(`${bits} came back as ${back}`);
    }
  });

  it('rounds ties to the even neighbour, between all neighbours', () => {
    for (let bits = 0; bits + 1 < MAGNITUDES.length; bits++) {
      const [low = 0, high = 0] = [MAGNITUDES[bits], MAGNITUDES[bits + 1]];
      const even = bits % 2 === 0 ? bits : bits + 1;
      const tie = numberToFloat16((low + high) / 2);
      if (tie !== even) expect.fail(`the tie above ${bits} became ${tie}`);
      if (numberToFloat16(-(low + high) / 2) !== (even | 0x8000)) expect.fail(`the tie below -${bits}`);
    }
  });

  it.each([
    [65504, 0x7bff],
    [65519.999, 0x7bff],
    [65520, 0x7c00],
    [1e300, 0x7c00],
    [-65520, 0xfc00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [Number.NaN, 0x7e00],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [-1e-300, 0x8000],
    // float32 would round these up to the next power of two before the half is made.
    [1 - 2 ** -30, 0x3c00],
    [2 - 2 ** -10 - 2 ** -40, 0x3fff],
    [2 ** -14 - 2 ** -40, 0x0400],
  ])('writes %d as the pattern %i', (value, bits) => {
    expect(numberToFloat16(value)).toBe(bits);
  });

  it('gives the nearest half of any number', () => {
    const limit = fc.double({ min: -65519, max: 65519, noNaN: true });
    fc.assert(
      fc.property(limit, (value) => {
        const bits = numberToFloat16(value);
        const error = Math.abs(float16ToNumber(bits) - value);
        const magnitude = bits & 0x7fff;
        for (const neighbour of [MAGNITUDES[magnitude - 1], MAGNITUDES[magnitude + 1]]) {
          if (neighbour !== undefined) {
            expect(error).toBeLessThanOrEqual(Math.abs(neighbour - Math.abs(value)));
          }
        }
      }),
    );
  });

  // Node 24 and newer; Node 22 has no Float16Array to compare with.
  if (typeof Float16Array === 'function') {
    it('writes what Float16Array holds, for any number', () => {
      const half = new Float16Array(1);
      const bits = new Uint16Array(half.buffer);
      const anyNumber = fc.oneof(fc.double({ noNaN: true }), fc.float({ noNaN: true, min: -2, max: 2 }));
      fc.assert(
        fc.property(anyNumber, (value) => {
          half[0] = value;
          expect(numberToFloat16(value)).toBe(bits[0]);
        }),
        { numRuns: 2_000 },
      );
    });
  }
});
