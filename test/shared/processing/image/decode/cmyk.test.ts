import { describe, expect, it } from 'vitest';
import { cmykToRgb } from '../../../../../shared/processing/image/decode/cmyk.ts';
import { finish } from '../../../../../shared/processing/work.ts';

describe('cmykToRgb', () => {
  it('mixes inks as Pillow does without a profile', () => {
    const inks = [
      [0, 0, 0, 0],
      [255, 0, 0, 0],
      [0, 0, 0, 255],
      [128, 64, 32, 16],
      [200, 100, 50, 240],
    ];
    const data = Uint8Array.from(inks.flat());
    const image = finish(cmykToRgb({ width: 5, height: 1, channels: 4, layout: 'HWC', data }));
    // Image.convert('RGB') of these CMYK pixels, Pillow 13.
    expect([image.channels, ...image.data]).toEqual([
      3, 255, 255, 255, 0, 255, 255, 0, 0, 0, 119, 179, 209, 3, 9, 12,
    ]);
  });
});
