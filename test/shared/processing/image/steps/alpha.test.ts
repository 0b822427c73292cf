import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import {
  flatten,
  over255,
  premultiply,
  unpremultiply,
} from '../../../../../shared/processing/image/steps/alpha.ts';
import { finish } from '../../../../../shared/processing/work.ts';

function pixels(channels: number, ...values: readonly number[]): PixelRaster {
  return {
    width: values.length / channels,
    height: 1,
    channels,
    layout: 'HWC',
    data: Uint8Array.from(values),
  };
}

describe('over255', () => {
  it('is the nearest whole number to a quotient by 255, for every product of two bytes', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = a; b < 256; b++) expect(over255(a * b)).toBe(Math.round((a * b) / 255));
    }
  });
});

describe('premultiply', () => {
  it('weighs colours by alpha and leaves alpha', () => {
    const { data, channels } = pixels(4, 100, 200, 255, 128, 10, 20, 30, 255, 10, 20, 30, 0);
    premultiply(data, channels);
    expect([...data]).toEqual([50, 100, 128, 128, 10, 20, 30, 255, 0, 0, 0, 0]);
  });

  it('is undone by its opposite, as far as bytes can', () => {
    // Image.convert('RGBA') of these RGBa pixels, Pillow 13.
    const image = finish(unpremultiply(pixels(4, 50, 100, 128, 128, 10, 20, 30, 0, 9, 9, 9, 4)));
    expect([...image.data]).toEqual([99, 199, 255, 128, 10, 20, 30, 0, 255, 255, 255, 4]);
  });
});

describe('flatten', () => {
  it('puts pixels on a background and drops alpha', () => {
    const image = finish(flatten(pixels(4, 100, 200, 0, 0, 100, 200, 0, 255, 100, 200, 0, 51), [10, 20, 30]));
    expect([image.channels, ...image.data]).toEqual([3, 10, 20, 30, 100, 200, 0, 28, 56, 24]);
    expect([...finish(flatten(pixels(2, 100, 51), [10])).data]).toEqual([28]);
  });

  it('leaves images without alpha as they are', () => {
    const image = pixels(3, 1, 2, 3);
    expect(finish(flatten(image, [0, 0, 0]))).toBe(image);
  });
});
