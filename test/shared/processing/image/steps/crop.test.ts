import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import { centerCrop, centerWindow } from '../../../../../shared/processing/image/steps/center-crop.ts';
import { crop, intersect } from '../../../../../shared/processing/image/steps/crop.ts';
import { finish } from '../../../../../shared/processing/work.ts';

/** Pixels numbered row by row, from 1 on. */
function numbered(width: number, height: number): PixelRaster {
  const data = Uint8Array.from({ length: width * height }, (_, index) => index + 1);
  return { width, height, channels: 1, layout: 'HWC', data };
}

describe('crop', () => {
  it('cuts a window out', () => {
    const cut = finish(crop(numbered(4, 3), { left: 1, top: 1, width: 2, height: 2 }, [0]));
    expect([cut.width, cut.height, ...cut.data]).toEqual([2, 2, 6, 7, 10, 11]);
  });

  it('fills what lies beyond the image', () => {
    const cut = finish(crop(numbered(2, 2), { left: -1, top: 0, width: 4, height: 3 }, [9]));
    expect([...cut.data]).toEqual([9, 1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 9]);
    const colour = { ...numbered(3, 1), width: 1, channels: 3 };
    const wide = finish(crop(colour, { left: 0, top: 0, width: 2, height: 1 }, [7, 8, 9]));
    expect([...wide.data]).toEqual([1, 2, 3, 7, 8, 9]);
  });

  it('gives the image itself where the window is all of it', () => {
    const image = numbered(3, 2);
    expect(finish(crop(image, { left: 0, top: 0, width: 3, height: 2 }, [0]))).toBe(image);
  });

  it('gives only filling where the window misses the image', () => {
    const cut = finish(crop(numbered(2, 2), { left: 5, top: -9, width: 1, height: 2 }, [4]));
    expect([...cut.data]).toEqual([4, 4]);
    expect(intersect({ left: 5, top: -9, width: 1, height: 2 }, { width: 2, height: 2 })).toMatchObject({
      width: 0,
      height: 0,
    });
  });
});

describe('centerCrop', () => {
  it.each([
    // Halves go to the even number, as Python rounds: 0.5 to 0, 1.5 to 2, 2.5 to 2.
    [5, 4, 0],
    [7, 4, 2],
    [9, 4, 2],
    [11, 4, 4],
    [8, 4, 2],
    [4, 4, 0],
    // A smaller side is padded with one pixel less before it than after.
    [3, 4, 0],
    [1, 4, -1],
    [1, 5, -2],
  ])('of a side of %i to %i begins at %i', (side, cropped, start) => {
    const wide = centerWindow({ width: side, height: 6 }, { width: cropped, height: 6 });
    expect(wide).toEqual({ left: start, top: 0, width: cropped, height: 6 });
    const high = centerWindow({ width: 6, height: side }, { width: 6, height: cropped });
    expect(high.top).toBe(start);
  });

  it.each([
    [5, 4, 0],
    [7, 4, 1],
    [9, 4, 2],
    [3, 4, -1],
    [1, 4, -2],
  ])('rounding down of a side of %i to %i begins at %i', (side, cropped, start) => {
    const window = centerWindow({ width: side, height: 1 }, { width: cropped, height: 1, rounding: 'down' });
    expect(window.left).toBe(start);
  });

  it('pads with black', () => {
    const cut = finish(centerCrop(numbered(1, 2), { step: 'centerCrop', width: 3, height: 1 }));
    expect([...cut.data]).toEqual([0, 1, 0]);
  });
});
