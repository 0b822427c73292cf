import { describe, expect, it } from 'vitest';
import type { Raster } from '../../../../../shared/processing/image/raster.ts';
import { rescaleOptions } from '../../../../../shared/processing/image/steps/options.ts';
import { rescale } from '../../../../../shared/processing/image/steps/rescale.ts';

function row(data: Uint8Array | Float32Array): Raster {
  return { width: data.length, height: 1, channels: 1, layout: 'HWC', data };
}

const allBytes = Uint8Array.from({ length: 256 }, (_, value) => value);

describe('rescale', () => {
  it.each([255, 127.5, 128])('by 1/%d gives the float32 of the quotient, for every byte', (divisor) => {
    const { data } = rescale(row(allBytes), { step: 'rescale', scale: 1 / divisor });
    expect(data).toEqual(Float32Array.from(allBytes, (value) => value / divisor));
  });

  it('adds the offset to the float32 product, in float32', () => {
    const { data } = rescale(row(allBytes), { step: 'rescale', scale: 1 / 127.5, offset: -1 });
    expect(data).toEqual(Float32Array.from(allBytes, (value) => Math.fround(value / 127.5) - 1));
    expect([data[0], data[255]]).toEqual([-1, 1]);
  });

  it('multiplies floats as well', () => {
    const { data } = rescale(row(Float32Array.of(0.5, -1)), { step: 'rescale', scale: 3 });
    expect(data).toEqual(Float32Array.of(1.5, -3));
  });

  it('refuses a missing scale, zero, and negative ones', () => {
    for (const scale of [0, -1, undefined, Number.NaN]) {
      expect(rescaleOptions.safeParse({ step: 'rescale', scale }).success).toBe(false);
    }
  });
});
