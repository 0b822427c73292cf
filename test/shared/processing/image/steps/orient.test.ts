import { describe, expect, it } from 'vitest';
import type { PixelRaster } from '../../../../../shared/processing/image/raster.ts';
import { isOnSide, orient } from '../../../../../shared/processing/image/steps/orient.ts';
import { finish } from '../../../../../shared/processing/work.ts';

/** 1 2 3 above 4 5 6. */
function picture(orientation: number | undefined): PixelRaster {
  return {
    width: 3,
    height: 2,
    channels: 1,
    layout: 'HWC',
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    orientation,
  };
}

describe('orient', () => {
  it.each([
    [2, 3, [3, 2, 1, 6, 5, 4]],
    [3, 3, [6, 5, 4, 3, 2, 1]],
    [4, 3, [4, 5, 6, 1, 2, 3]],
    [5, 2, [1, 4, 2, 5, 3, 6]],
    [6, 2, [4, 1, 5, 2, 6, 3]],
    [7, 2, [6, 3, 5, 2, 4, 1]],
    [8, 2, [3, 6, 2, 5, 1, 4]],
  ])('turns a picture of orientation %i upright', (orientation, width, expected) => {
    const upright = finish(orient(picture(orientation)));
    expect([upright.width, upright.height, ...upright.data]).toEqual([width, 6 / width, ...expected]);
    expect(upright.orientation).toBeUndefined();
    expect(isOnSide(orientation)).toBe(width === 2);
  });

  it('leaves other pictures as they are', () => {
    for (const orientation of [undefined, 0, 1, 9]) {
      const image = picture(orientation);
      expect(finish(orient(image))).toBe(image);
      expect(isOnSide(orientation)).toBe(false);
    }
  });

  it('keeps the channels of a pixel together', () => {
    const image = { ...picture(3), width: 1, channels: 3 };
    expect([...finish(orient(image)).data]).toEqual([4, 5, 6, 1, 2, 3]);
  });
});
