import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readJpegFrame } from '../../../../../shared/processing/image/decode/jpeg-frame.ts';

const red = () => sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } });

describe('readJpegFrame', () => {
  it.each([
    ['b-w', '4:4:4', false, 1, 1, 1],
    ['srgb', '4:4:4', false, 3, 3, 1],
    ['srgb', '4:2:0', false, 3, 1.5, 1],
    ['srgb', '4:2:0', true, 3, 1.5, 10],
    ['srgb', '4:4:4', true, 3, 3, 10],
    ['cmyk', '4:4:4', true, 4, 4, 18],
  ] as const)(
    'reads a JPEG in %s %s, progressive: %s',
    async (space, chromaSubsampling, progressive, components, samples, scans) => {
      const jpeg = await red().toColourspace(space).jpeg({ progressive, chromaSubsampling }).toBuffer();
      expect(readJpegFrame(jpeg)).toMatchObject({
        components,
        samplesPerPixel: samples,
        isInScans: progressive,
        scans,
      });
    },
  );

  it('sees several scans where the first does not have all components', async () => {
    const jpeg = await red().jpeg().toBuffer();
    jpeg[jpeg.indexOf(Buffer.of(0xff, 0xda)) + 4] = 1;
    expect(readJpegFrame(jpeg)?.isInScans).toBe(true);
  });

  it('finds nothing in a file that ends, or is cut off, before its frame', () => {
    for (const file of [
      [],
      [0xff, 0xd8],
      [0xff, 0xd8, 0xff, 0xc0, 0, 17, 8],
      [0xff, 0xd8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ]) {
      expect(readJpegFrame(Uint8Array.from(file))).toBeUndefined();
    }
  });

  it('skips fill bytes, and counts scans that it does not see as several', () => {
    const file = [0xff, 0xd8, 0xff, 0xff, 0xff, 0xc0, 0, 17, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 9, 9];
    expect(readJpegFrame(Uint8Array.from(file))).toMatchObject({
      components: 1,
      samplesPerPixel: 1,
      isInScans: true,
      scans: 0,
    });
  });

  it('counts scans as a decoder sees them', () => {
    const frame = [0xff, 0xc2, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0];
    const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0];
    const comment = [0xff, 0xfe, 0, 4, 0xff, 0xda];
    const data = [1, 0xff, 0, 0xda, 0xff, 0xd0, 2];
    const end = [0xff, 0xd9];
    const file = [
      0xff,
      0xd8,
      ...frame,
      ...scan,
      ...data,
      ...comment,
      ...scan,
      ...data,
      0xff,
      ...scan,
      ...end,
      ...scan,
    ];
    expect(readJpegFrame(Uint8Array.from(file))).toMatchObject({ isInScans: true, scans: 3, segments: 5 });
  });
});
