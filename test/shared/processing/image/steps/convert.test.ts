import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import { convert } from '../../../../../shared/processing/image/steps/convert.ts';
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

function bytesOf(image: PixelRaster): number[] {
  return [...image.data];
}

describe('convert to grey', () => {
  it('gives the luma of Pillow 13, rounded as there', () => {
    // Image.convert('L') of these twelve colours.
    const colours = [
      [0, 0, 0],
      [255, 255, 255],
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [1, 2, 3],
      [12, 200, 99],
      [254, 255, 255],
      [255, 254, 255],
      [10, 10, 10],
      [123, 45, 67],
      [77, 178, 211],
    ];
    const grey = finish(convert(pixels(3, ...colours.flat()), { step: 'convert', mode: 'grey' }));
    expect(bytesOf(grey)).toEqual([0, 255, 76, 150, 29, 2, 132, 255, 254, 10, 71, 152]);
    expect([grey.width, grey.height, grey.channels]).toEqual([12, 1, 1]);
  });

  it('keeps each grey as it is', () => {
    for (let value = 0; value < 256; value++) {
      expect(
        bytesOf(finish(convert(pixels(3, value, value, value), { step: 'convert', mode: 'grey' }))),
      ).toEqual([value]);
    }
  });

  it('drops alpha, as Pillow does, and does not blend with it', () => {
    const rgba = () => pixels(4, 10, 20, 30, 0, 200, 100, 50, 128);
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'grey' })))).toEqual([18, 124]);
    const greyAlpha = () => pixels(2, 10, 0, 200, 128);
    expect(bytesOf(finish(convert(greyAlpha(), { step: 'convert', mode: 'grey' })))).toEqual([10, 200]);
  });
});

describe('convert to colour', () => {
  it.each([
    ['RGB', [1, 2, 3, 4, 5, 6]],
    ['BGR', [3, 2, 1, 6, 5, 4]],
  ] as const)('orders the channels as %s', (mode, expected) => {
    expect(bytesOf(finish(convert(pixels(3, 1, 2, 3, 4, 5, 6), { step: 'convert', mode })))).toEqual(
      expected,
    );
  });

  it('drops alpha, as Pillow does, and does not blend with it', () => {
    const rgba = () => pixels(4, 10, 20, 30, 0, 200, 100, 50, 128);
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'RGB' })))).toEqual([
      10, 20, 30, 200, 100, 50,
    ]);
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'BGR' })))).toEqual([
      30, 20, 10, 50, 100, 200,
    ]);
  });

  it('repeats grey three times', () => {
    for (const mode of ['RGB', 'BGR'] as const) {
      const colour = finish(convert(pixels(1, 7, 9), { step: 'convert', mode }));
      expect(bytesOf(colour)).toEqual([7, 7, 7, 9, 9, 9]);
      expect(colour.channels).toBe(3);
      expect(bytesOf(finish(convert(pixels(2, 10, 0, 200, 128), { step: 'convert', mode })))).toEqual([
        10, 10, 10, 200, 200, 200,
      ]);
    }
  });
});

describe('convert with a background', () => {
  const rgba = () => pixels(4, 100, 200, 0, 0, 100, 200, 0, 255, 100, 200, 0, 51);

  it('puts transparent images on it, as red, green and blue', () => {
    const background: [number, number, number] = [10, 20, 30];
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'RGB', background })))).toEqual([
      10, 20, 30, 100, 200, 0, 28, 56, 24,
    ]);
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'BGR', background })))).toEqual([
      30, 20, 10, 0, 200, 100, 24, 56, 28,
    ]);
    // The luma of the mixed colours.
    expect(bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'grey', background })))).toEqual([
      18, 147, 44,
    ]);
  });

  it('takes one number for all colours, and does nothing to opaque images', () => {
    expect(
      bytesOf(finish(convert(rgba(), { step: 'convert', mode: 'RGB', background: 255 }))).slice(0, 3),
    ).toEqual([255, 255, 255]);
    const opaque = pixels(3, 1, 2, 3);
    expect(finish(convert(opaque, { step: 'convert', mode: 'RGB', background: 255 }))).toBe(opaque);
  });
});
