import { describe, expect, it } from 'vitest';
import type { Raster } from '../../../../shared/processing/image/raster.ts';
import {
  layout,
  normalize,
  normalizeOptions,
  rescale,
  rescaleOptions,
} from '../../../../shared/processing/image/values.ts';

function row(channels: number, data: Uint8Array | Float32Array): Raster {
  return { width: data.length / channels, height: 1, channels, layout: 'HWC', data };
}

const allBytes = Uint8Array.from({ length: 256 }, (_, value) => value);

describe('rescale', () => {
  it('by 1/255 gives the float32 of value / 255, for every byte', () => {
    const { data } = rescale(row(1, allBytes), { step: 'rescale', scale: 1 / 255 });
    expect(data).toEqual(Float32Array.from(allBytes, (value) => value / 255));
  });

  it('multiplies floats as well', () => {
    const { data } = rescale(row(1, Float32Array.of(0.5, -1)), { step: 'rescale', scale: 3 });
    expect(data).toEqual(Float32Array.of(1.5, -3));
  });

  it('refuses a scale of zero, below, or none', () => {
    for (const scale of [0, -1, undefined, Number.NaN]) {
      expect(rescaleOptions.safeParse({ step: 'rescale', scale }).success).toBe(false);
    }
  });
});

describe('normalize', () => {
  it('gives what float32 arithmetic gives in NumPy and torchvision', () => {
    const values = Float32Array.from([0, 1, 2, 32, 127, 254, 255], (value) => value / 255);
    const { data } = normalize(row(1, values), { step: 'normalize', mean: [0.485], std: [0.229] });
    // (x - np.float32(0.485)) / np.float32(0.229), NumPy 2.4.
    expect([...data]).toEqual([
      -2.1179039478302, -2.1007792949676514, -2.0836544036865234, -1.5699118375778198, 0.0569397434592247,
      2.231783390045166, 2.248908281326294,
    ]);
  });

  it('takes the mean and deviation of each channel', () => {
    const { data } = normalize(row(3, Float32Array.of(1, 1, 1, 2, 2, 2)), {
      step: 'normalize',
      mean: [0, 1, 2],
      std: [1, 2, 4],
    });
    expect([...data]).toEqual([1, 0, -0.25, 2, 0.5, 0]);
  });

  it('refuses deviations of zero and lists without an entry', () => {
    const parse = (mean: number[], std: number[]) =>
      normalizeOptions.safeParse({ step: 'normalize', mean, std }).success;
    expect([parse([0], [1]), parse([0], [0]), parse([], [1]), parse([0], [-1])]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

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

  it('keeps floats floats', () => {
    const data = Float32Array.of(0.5, 1.5, 2.5, 3.5);
    const planes = layout({ ...image, channels: 2, height: 1, data }, { step: 'layout', layout: 'NCHW' });
    expect(planes.data).toEqual(Float32Array.of(0.5, 2.5, 1.5, 3.5));
  });

  it('NHWC leaves the pixels as they are', () => {
    expect(layout(image, { step: 'layout', layout: 'NHWC' })).toBe(image);
  });
});
