import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { countComponents, inksToColours } from '../../../../shared/processing/image/inks.ts';
import { finish } from '../../../../shared/processing/work.ts';

describe('inksToColours', () => {
  it('mixes inks as Pillow does without a profile', () => {
    const inks = [
      [0, 0, 0, 0],
      [255, 0, 0, 0],
      [0, 0, 0, 255],
      [128, 64, 32, 16],
      [200, 100, 50, 240],
    ];
    const data = Uint8Array.from(inks.flat());
    const image = finish(inksToColours({ width: 5, height: 1, channels: 4, layout: 'HWC', data }));
    // Image.convert('RGB') of these CMYK pixels, Pillow 13.
    expect([image.channels, ...image.data]).toEqual([
      3, 255, 255, 255, 0, 255, 255, 0, 0, 0, 119, 179, 209, 3, 9, 12,
    ]);
  });
});

describe('countComponents', () => {
  it.each([
    ['b-w', 1],
    ['srgb', 3],
    ['cmyk', 4],
  ] as const)('of a JPEG in %s are %i', async (space, components) => {
    const image = sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } });
    const progressive = components === 3;
    expect(countComponents(await image.toColourspace(space).jpeg({ progressive }).toBuffer())).toBe(
      components,
    );
  });

  it('are unknown in a file that ends or breaks off before it says so', () => {
    for (const file of [
      [],
      [0xff, 0xd8],
      [0xff, 0xd8, 0xff, 0xc0, 0, 17, 8],
      [0xff, 0xd8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ]) {
      expect(countComponents(Uint8Array.from(file))).toBeUndefined();
    }
  });

  it('are found behind fill bytes', () => {
    const file = [0xff, 0xd8, 0xff, 0xff, 0xff, 0xc2, 0, 17, 8, 0, 1, 0, 1, 4, 0, 0];
    expect(countComponents(Uint8Array.from(file))).toBe(4);
  });
});
