import { describe, expect, it } from 'vitest';
import type { Raster } from '../../../../../shared/processing/image/raster.ts';
import { normalize } from '../../../../../shared/processing/image/steps/normalize.ts';
import { normalizeOptions } from '../../../../../shared/processing/image/steps/options.ts';

function row(channels: number, data: Uint8Array | Float32Array): Raster {
  return { width: data.length / channels, height: 1, channels, layout: 'HWC', data };
}

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

  it('takes one number for all channels', () => {
    const { data } = normalize(row(3, Float32Array.of(1, 2, 3)), {
      step: 'normalize',
      mean: [1],
      std: [2, 4, 8],
    });
    expect([...data]).toEqual([0, 0.25, 0.25]);
  });

  it('refuses an image of other channels than it has numbers for', () => {
    const image = row(4, new Uint8Array(4));
    const options = { step: 'normalize', mean: [1, 2, 3], std: [1, 1, 1] } as const;
    expect(() => normalize(image, { ...options, mean: [...options.mean], std: [...options.std] })).toThrow(
      "The image has 4 channels; the model's normalize step takes 3.",
    );
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
