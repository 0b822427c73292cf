import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../../../shared/processing/image/decode/decode.ts';
import { leastPixels, pixelPrice } from '../../../../../shared/processing/image/decode/decode-price.ts';
import { rejectionOf } from '../../../../support/error-of.ts';
import { testBudget } from '../../../../support/test-budget.ts';
import { jpegOfScans, tiffOfStrips } from './costly-images.ts';

const SIDE = 64;

function flat(side = SIDE) {
  return sharp({ create: { width: side, height: side, channels: 3, background: 'red' } });
}

function decode(file: Uint8Array, imagePixels: number) {
  return decodeImage(file, 'field "image"', { budget: testBudget({ imagePixels }) });
}

function tooManyPixels(limit: number) {
  return {
    status: 413,
    message: expect.stringMatching(`^Field "image" .* more than ${limit} pixels.*\\(MAX_IMAGE_PIXELS\\)\\.$`),
  };
}

describe('the price of a JPEG', () => {
  it('is the cost of its memory for a usual number of scans', async () => {
    for (const chromaSubsampling of ['4:2:0', '4:4:4']) {
      const file = await flat().jpeg({ progressive: true, chromaSubsampling }).toBuffer();
      expect(pixelPrice('image/jpeg', file)).toBeLessThan(1.5);
    }
    expect(pixelPrice('image/jpeg', jpegOfScans(8, 8, 16))).toBe(1);
  });

  it('grows with its scans', async () => {
    expect(pixelPrice('image/jpeg', jpegOfScans(8, 8, 40))).toBe(2.5);
    const limit = (80 * 40 * 1_600) / 16;
    const file = jpegOfScans(80, 40, 1_600);
    expect(await rejectionOf(decode(file, limit - 1))).toMatchObject(tooManyPixels(limit - 1));
    expect(await decode(file, limit)).toMatchObject({ width: 80, height: 40 });
  });

  it('counts the scans of components that come one after the other, and none after a whole picture', async () => {
    const jpeg = await flat().jpeg().toBuffer();
    const scan = jpeg.subarray(jpeg.indexOf(Buffer.of(0xff, 0xda)), -2);
    const many = Buffer.concat([jpeg.subarray(0, -2), ...new Array<Buffer>(159).fill(scan)]);
    expect(pixelPrice('image/jpeg', many)).toBe(1);
    many[jpeg.indexOf(Buffer.of(0xff, 0xda)) + 4] = 1;
    expect(pixelPrice('image/jpeg', many)).toBe(10);
  });
});

describe('the least price', () => {
  it('is 200 pixels for each segment of a JPEG after a thousand', async () => {
    const jpeg = await flat().jpeg().toBuffer();
    const comments = Buffer.alloc(6 * 1_500, Buffer.of(0xff, 0xfe, 0, 4, 1, 2));
    const segments = jpeg.toString('latin1').match(/\xff[\xc0-\xcf\xda-\xef\xfe]/g)?.length ?? 0;
    const many = Buffer.concat([jpeg.subarray(0, 2), comments, jpeg.subarray(2)]);
    const price = (segments + 500 - 1) * 200;
    expect(leastPixels('image/jpeg', many)).toBe(price);
    expect(await rejectionOf(decode(many, price - 1))).toMatchObject(tooManyPixels(price - 1));
    expect(await decode(many, price)).toMatchObject({ width: SIDE });
    expect(leastPixels('image/jpeg', jpeg)).toBe(0);
  });

  it('is 200 pixels for each frame of a GIF after the first', async () => {
    const stripes = Uint8Array.from({ length: 30 * 300 }, (_, i) => (i * 7) % 251);
    const raw = { width: 10, height: 300, channels: 3, pageHeight: 10 } as const;
    const gif = await sharp(stripes, { raw }).gif().toBuffer();
    expect(leastPixels('image/gif', gif)).toBe(29 * 200);
    expect(await rejectionOf(decode(gif, 5_799))).toMatchObject(tooManyPixels(5_799));
    expect(await decode(gif, 5_800)).toMatchObject({ width: 10, height: 10 });
  });
});

describe('the price of a TIFF', () => {
  const strip = Uint8Array.of(7);

  it.each([
    { isBig: false, isBigEndian: false },
    { isBig: false, isBigEndian: true },
    { isBig: true, isBigEndian: false },
    { isBig: true, isBigEndian: true },
  ])('is 200 pixels for each strip after the first at least: %o', async (form) => {
    const tiff = tiffOfStrips({ strip, strips: 300, ...form });
    expect(leastPixels('image/tiff', tiff)).toBe(59_800);
    expect(await rejectionOf(decode(tiff, 59_799))).toMatchObject(tooManyPixels(59_799));
    const image = await decode(tiff, 59_800);
    expect([image.width, image.height, ...image.data.subarray(0, 3)]).toEqual([1, 300, 7, 7, 7]);
  });

  it.each([
    { isBig: false, isBigEndian: false },
    { isBig: false, isBigEndian: true },
    { isBig: true, isBigEndian: false },
    { isBig: true, isBigEndian: true },
  ])('is 1,400 pixels for each strip that is a JPEG: %o', async (form) => {
    const tiff = tiffOfStrips({ strip: jpegOfScans(1, 1, 2), strips: 300, ...form });
    expect(leastPixels('image/tiff', tiff)).toBe(299 * 1400);
    expect(await rejectionOf(decode(tiff, 418_599))).toMatchObject(tooManyPixels(418_599));
    expect(await decode(tiff, 418_600)).toMatchObject({ width: 1, height: 300 });
  });

  it.each([
    ['none', 200],
    ['lzw', 200],
    ['packbits', 200],
    ['deflate', 200],
    ['jpeg', 1400],
    ['webp', 1400],
  ] as const)('is known of a file that a library writes with %s', async (compression, each) => {
    const tiles = { tile: true, tileWidth: 16, tileHeight: 16, compression } as const;
    expect(leastPixels('image/tiff', await flat(100).tiff(tiles).toBuffer())).toBe(48 * each);
  });

  it('is the number of its pixels where strips have more', async () => {
    const tiff = await flat(100).tiff({ compression: 'none' }).toBuffer();
    expect(leastPixels('image/tiff', tiff)).toBeLessThan(10_000);
  });

  it('is not known of a truncated file', async () => {
    const tiff = tiffOfStrips({ strip, strips: 300 });
    expect(leastPixels('image/tiff', tiff.subarray(0, 1_000))).toBe(0);
    expect(await rejectionOf(decode(tiff.subarray(0, 1_000), 1_000))).toMatchObject({ status: 400 });
  });

  it('is too high for a JPEG of more scans than programs write', async () => {
    const tiff = (scans: number) => tiffOfStrips({ strip: jpegOfScans(1, 1, scans), strips: 2 });
    expect(await decode(tiff(10), 2_000)).toMatchObject({ width: 1, height: 2 });
    expect(await rejectionOf(decode(tiff(30), 2_000))).toMatchObject({ status: 400 });
  });
});
