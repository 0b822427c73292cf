import { describe, expect, it } from 'vitest';
import { restoreColours } from '../../../../../shared/processing/image/decode/gif.ts';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import { finish } from '../../../../../shared/processing/work.ts';

interface Gif {
  readonly transparent?: number;
  readonly frame?: readonly [left: number, top: number, width: number, height: number];
  readonly localPalette?: readonly number[];
}

/** A GIF of 3x1 pixels with the palette (1, 2, 3), (4, 5, 6), up to where the first frame's pixels begin. */
function gif({ transparent, frame = [0, 0, 3, 1], localPalette = [] }: Gif): Uint8Array {
  const comment = [0x21, 0xfe, 2, 0x2c, 0x2c, 0];
  const control = transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, transparent, 0];
  const place = frame.flatMap((value) => [value, 0]);
  const flags = localPalette.length > 0 ? 0x80 : 0;
  return Uint8Array.from([
    ...Buffer.from('GIF89a'),
    ...[3, 0, 1, 0, 0x80, 0, 0],
    ...[1, 2, 3, 4, 5, 6],
    ...comment,
    ...control,
    ...[0x2c, ...place, flags, ...localPalette],
  ]);
}

function decoded(channels: number, ...data: readonly number[]): PixelRaster {
  return { width: 3, height: 1, channels, layout: 'HWC', data: Uint8Array.from(data) };
}

describe('restoreColours', () => {
  it('gives transparent pixels the colour that they have in the file', () => {
    const image = decoded(4, 9, 9, 9, 255, 0, 0, 0, 0, 9, 9, 9, 255);
    expect([...finish(restoreColours(image, gif({ transparent: 1 }))).data]).toEqual([
      9, 9, 9, 255, 4, 5, 6, 0, 9, 9, 9, 255,
    ]);
  });

  it('takes the palette of the frame where it has one', () => {
    const image = decoded(4, 0, 0, 0, 0, 9, 9, 9, 255, 9, 9, 9, 255);
    const file = gif({ transparent: 0, localPalette: [70, 80, 90, 0, 0, 0] });
    expect([...finish(restoreColours(image, file)).data.subarray(0, 4)]).toEqual([70, 80, 90, 0]);
  });

  it('fills the area outside a small frame with the first colour, or with the transparent one', () => {
    const image = decoded(3, 0, 0, 0, 9, 9, 9, 0, 0, 0);
    const file = gif({ frame: [1, 0, 1, 1] });
    expect([...finish(restoreColours(image, file)).data]).toEqual([1, 2, 3, 9, 9, 9, 1, 2, 3]);
    const seeThrough = decoded(4, 0, 0, 0, 0, 9, 9, 9, 255, 0, 0, 0, 0);
    const other = gif({ frame: [1, 0, 1, 1], transparent: 1 });
    expect([...finish(restoreColours(seeThrough, other)).data]).toEqual([
      4, 5, 6, 0, 9, 9, 9, 255, 4, 5, 6, 0,
    ]);
  });

  it('leaves an image as it is where nothing is missing, or the file is truncated', () => {
    const image = decoded(3, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    expect(finish(restoreColours(image, gif({})))).toBe(image);
    for (const length of [0, 12, 20, 27])
      expect(finish(restoreColours(image, gif({}).subarray(0, length)))).toBe(image);
  });
});
