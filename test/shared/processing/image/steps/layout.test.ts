import { describe, expect, it } from 'vitest';
import type { Raster } from '../../../../../shared/processing/image/raster.ts';
import { layout } from '../../../../../shared/processing/image/steps/layout.ts';

describe('layout', () => {
  const image: Raster = {
    width: 2,
    height: 2,
    channels: 3,
    layout: 'HWC',
    data: Uint8Array.of(1, 10, 100, 2, 20, 200, 3, 30, 103, 4, 40, 104),
  };

  it('NCHW puts each channel in a plane of its own, row by row', () => {
    const planes = layout(image, { step: 'layout', layout: 'NCHW' });
    expect(planes).toEqual({
      ...image,
      layout: 'CHW',
      data: Uint8Array.of(1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 103, 104),
    });
  });

  it('keeps the kind of numbers', () => {
    const data = Float32Array.of(0.5, 1.5, 2.5, 3.5);
    const planes = layout({ ...image, channels: 2, height: 1, data }, { step: 'layout', layout: 'NCHW' });
    expect(planes.data).toEqual(Float32Array.of(0.5, 2.5, 1.5, 3.5));
  });

  it('NHWC leaves the pixels as they are', () => {
    expect(layout(image, { step: 'layout', layout: 'NHWC' })).toBe(image);
  });
});
