import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../../../shared/processing/image/decode/decode.ts';
import { rejectionOf } from '../../../../support/error-of.ts';
import { PROJECT } from '../../../../support/project.ts';
import { testBudget } from '../../../../support/test-budget.ts';

const ACCEPTED = 'image/jpeg, image/png, image/webp, image/gif, image/tiff, image/avif';

function decode(file: Uint8Array, pixelLimit = 50_000_000) {
  return decodeImage(file, 'field "image"', { budget: testBudget({ imagePixels: pixelLimit }) });
}

function png(width: number, height: number, channels: 1 | 2 | 3 | 4, data: Uint8Array) {
  const image = sharp(data, { raw: { width, height, channels } });
  return (channels < 3 ? image.toColourspace('b-w') : image).png().toBuffer();
}

/** Colour numbers 1, 2 and 0 of a palette of red, green and blue, written by Pillow. */
const PALETTE_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAgMAAABmjvwnAAAACVBMVEX/AAAA/wAAAP8tSs2KAAAACklEQVR4nGNIAAAAYgBhsZh58gAAAABJRU5ErkJggg==';

/** The same with a palette whose last colour is half transparent. */
const TRANSPARENT_PALETTE_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAgMAAABmjvwnAAAACVBMVEX/AAAA/wAAAP8tSs2KAAAAA3RSTlP//4A6co5hAAAACklEQVR4nGNIAAAAYgBhsZh58gAAAABJRU5ErkJggg==';

/** Pixels 1 0 1 of one bit each, written by Pillow. */
const BILEVEL_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAQAAAAAzmykZAAAACklEQVR4nGNYAAAAogCh3I2xzAAAAABJRU5ErkJggg==';

describe('decodeImage', () => {
  it('gives the pixels of a colour PNG', async () => {
    const data = Uint8Array.of(1, 2, 3, 250, 251, 252, 0, 128, 255, 9, 8, 7);
    const image = await decode(await png(2, 2, 3, data));
    expect({ ...image, data: Uint8Array.from(image.data) }).toEqual({
      width: 2,
      height: 2,
      channels: 3,
      layout: 'HWC',
      data,
    });
  });

  it('keeps alpha separate from the colours', async () => {
    const data = Uint8Array.of(10, 20, 30, 0, 200, 100, 50, 128);
    const image = await decode(await png(2, 1, 4, data));
    expect([image.channels, ...image.data]).toEqual([4, ...data]);
  });

  it('gives grey as three equal channels', async () => {
    const image = await decode(await png(3, 1, 1, Uint8Array.of(0, 7, 255)));
    expect([image.channels, ...image.data]).toEqual([3, 0, 0, 0, 7, 7, 7, 255, 255, 255]);
    const transparent = await decode(await png(2, 1, 2, Uint8Array.of(0, 7, 255, 128)));
    expect([transparent.channels, ...transparent.data]).toEqual([4, 0, 0, 0, 7, 255, 255, 255, 128]);
  });

  it('gives the colours of a palette', async () => {
    const image = await decode(Buffer.from(PALETTE_PNG, 'base64'));
    expect([image.width, image.channels]).toEqual([3, 3]);
    expect([...image.data]).toEqual([0, 255, 0, 0, 0, 255, 255, 0, 0]);
  });

  it('gives the colours and the transparency of a palette', async () => {
    const image = await decode(Buffer.from(TRANSPARENT_PALETTE_PNG, 'base64'));
    expect(image.channels).toBe(4);
    expect([...image.data]).toEqual([0, 255, 0, 255, 0, 0, 255, 128, 255, 0, 0, 255]);
  });

  it('gives black and white as 0 and 255', async () => {
    const image = await decode(Buffer.from(BILEVEL_PNG, 'base64'));
    expect([...image.data]).toEqual([255, 255, 255, 0, 0, 0, 255, 255, 255]);
  });

  it.each(['jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('reads %s', async (format) => {
    const data = new Uint8Array(16 * 8 * 3).fill(200);
    const file = await sharp(data, { raw: { width: 16, height: 8, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    const image = await decode(file);
    expect([image.width, image.height]).toEqual([16, 8]);
    expect(Math.max(...image.data.slice(0, 3).map((value) => Math.abs(value - 200)))).toBeLessThan(6);
  });

  it('does not turn an image by its EXIF orientation, as Pillow does not', async () => {
    const data = new Uint8Array(16 * 8 * 3);
    const file = await sharp(data, { raw: { width: 16, height: 8, channels: 3 } })
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    const image = await decode(file);
    expect([image.width, image.height]).toEqual([16, 8]);
  });

  it('does not apply an embedded colour profile, as Pillow does not', async () => {
    const data = Uint8Array.of(255, 0, 0, 40, 200, 90);
    const plain = await png(2, 1, 3, data);
    const wide = await sharp(plain).withIccProfile('p3').png().toBuffer();
    // Its profile is moved into the plain file, after the header.
    const at = wide.indexOf('iCCP') - 4;
    const profile = wide.subarray(at, at + wide.readUInt32BE(at) + 12);
    const file = Buffer.concat([plain.subarray(0, 33), profile, plain.subarray(33)]);
    expect((await sharp(file).metadata()).hasProfile).toBe(true);
    expect([...(await sharp(file).raw().toBuffer())]).not.toEqual([...data]);
    expect([...(await decode(file)).data]).toEqual([...data]);
  });

  it('gives the first frame of an animation', async () => {
    const frames = Uint8Array.from([...new Array(12).fill(255), ...new Array(12).fill(0)]);
    const file = await sharp(frames, { raw: { width: 2, height: 4, channels: 3, pageHeight: 2 } })
      .gif({ loop: 0, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(file).metadata()).pages).toBe(2);
    const image = await decode(file);
    expect([image.width, image.height, image.data[0]]).toEqual([2, 2, 255]);
  });

  it('takes an image of exactly the limit and refuses one pixel more', async () => {
    const file = await png(10, 10, 1, new Uint8Array(100));
    expect((await decode(file, 100)).width).toBe(10);
    const error = await rejectionOf(decode(file, 99));
    expect([error.code, error.message]).toEqual([
      'PAYLOAD_TOO_LARGE',
      expect.stringMatching(/^Field "image" .* more than 99 pixels.*\(MAX_IMAGE_PIXELS\)\.$/),
    ]);
  });

  it.each<[string, (image: Sharp) => Sharp, number]>([
    ['PNG', (image) => image.png(), 1],
    ['PNG with transparency', (image) => image.ensureAlpha(0.5).png(), 1],
    ['PNG in 16 bits', (image) => image.toColourspace('rgb16').png(), 1],
    ['interlaced PNG', (image) => image.png({ progressive: true }), 8.1 / 6.5],
    [
      'interlaced PNG in 16 bits',
      (image) => image.toColourspace('rgb16').png({ progressive: true }),
      13.5 / 6.5,
    ],
    ['JPEG', (image) => image.jpeg({ chromaSubsampling: '4:4:4' }), 1],
    ['JPEG of inks', (image) => image.toColourspace('cmyk').jpeg(), 1],
    ['progressive JPEG', (image) => image.jpeg({ progressive: true }), 1],
    [
      'progressive JPEG in full',
      (image) => image.jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
      9.5 / 6.5,
    ],
    [
      'progressive JPEG of inks',
      (image) => image.toColourspace('cmyk').jpeg({ progressive: true }),
      13 / 6.5,
    ],
    ['WebP', (image) => image.webp(), 12.5 / 6.5],
    ['GIF', (image) => image.gif(), 9 / 6.5],
    ['TIFF', (image) => image.tiff(), 9.1 / 6.5],
    ['AVIF', (image) => image.avif({ lossless: true }), 25.8 / 6.5],
  ])('counts a pixel of a %s by the memory it takes', async (_, change, price) => {
    const raw = { width: 10, height: 10, channels: 3 } as const;
    const file = await change(sharp(new Uint8Array(300), { raw })).toBuffer();
    const budget = testBudget({ imagePixels: 1_000 });
    expect((await decodeImage(file, 'field "image"', { budget })).width).toBe(10);
    expect(1_000 - budget.left('imagePixels')).toBeCloseTo(100 * price, 6);
    const enough = Math.ceil(100 * price);
    expect((await decode(file, enough)).width).toBe(10);
    expect((await rejectionOf(decode(file, enough - 1))).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'has room for a photo of twelve megapixels in %s with the usual limit',
    async (format) => {
      const create = { width: 4096, height: 3072, channels: 3, background: 'green' } as const;
      const file = await sharp({ create }).toFormat(format).toBuffer();
      expect((await decodeImage(file, 'field "image"', { budget: testBudget() })).width).toBe(4096);
    },
  );

  it('counts all images against one budget, damaged ones like whole ones', async () => {
    const whole = await png(10, 10, 1, new Uint8Array(100));
    const budget = testBudget({ imagePixels: 250 });
    const look = (file: Uint8Array) => decodeImage(file, 'field "image"', { budget });
    await look(whole);
    expect((await rejectionOf(look(whole.subarray(0, -20)))).code).toBe('INVALID_PARAMETER_VALUE');
    expect(budget.left('imagePixels')).toBe(50);
    expect((await rejectionOf(look(whole))).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('refuses a small file of many pixels by its header', async () => {
    const file = await png(1, 1, 1, Uint8Array.of(0));
    // The header's chunk: length, "IHDR", width, height, 5 more bytes, checksum.
    file.writeUInt32BE(60_000, 16);
    file.writeUInt32BE(60_000, 20);
    file.writeUInt32BE(crc32(file.subarray(12, 29)), 29);
    expect((await rejectionOf(decode(file))).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it.each([
    ['a PNG', '89504e470d0a1a0a0000000d49484452'],
    ['a JPEG', 'ffd8ffe000104a46494600010100'],
    ['a WebP', '52494646f0ff000057454250'],
    ['a GIF', '474946383961c800c800f7'],
  ])('says that %s was read as text on the way to the server', async (_, start) => {
    // As a gateway does that reads bodies as text.
    const mangled = Buffer.from(Buffer.from(start, 'hex').toString('utf8'));
    const error = await rejectionOf(decode(mangled));
    expect([error.code, error.message]).toEqual([
      'UNSUPPORTED_MEDIA_TYPE',
      'Field "image" was read as UTF-8 text on its way, which destroys the bytes of an image: have the gateway pass it as binary, or send it as base64 in JSON.',
    ]);
  });

  it('refuses an empty file', async () => {
    const error = await rejectionOf(decode(new Uint8Array(0)));
    expect([error.status, error.message]).toEqual([400, `Field "image" is empty; expected ${ACCEPTED}.`]);
  });

  it.each([
    ['<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', 'is image/svg+xml'],
    ['%PDF-1.7', 'is application/pdf'],
    ['BM\x36\x04\0\0\0\0\0\0\0\0', 'is image/bmp'],
    ['{"image": "..."}', 'is not an image this server knows'],
  ])('refuses %j', async (text, found) => {
    const error = await rejectionOf(decode(Buffer.from(text, 'latin1')));
    expect([error.code, error.message]).toEqual([
      'UNSUPPORTED_MEDIA_TYPE',
      `Field "image" ${found}; accepted types are ${ACCEPTED}.`,
    ]);
  });

  it.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'refuses a truncated %s, and reveals nothing internal',
    async (format) => {
      const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7919) % 251);
      const file = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      const error = await rejectionOf(decode(file.subarray(0, Math.floor(file.length / 2))));
      expect([error.code, error.message]).toEqual([
        'INVALID_PARAMETER_VALUE',
        'Field "image" cannot be decoded: the file is truncated or damaged.',
      ]);
      expect(error.cause).toBeInstanceOf(Error);
    },
  );

  it('refuses a file that only begins like an image', async () => {
    const error = await rejectionOf(decode(Buffer.from('\x89PNG\r\n\x1a\nrubbish', 'latin1')));
    expect(error.status).toBe(400);
  });

  it('reads the digits of test/fixtures', async () => {
    const image = await decode(readFileSync(join(PROJECT, 'test/fixtures/digits/00-label-0.png')));
    expect([image.width, image.height, image.channels]).toEqual([8, 8, 3]);
  });
});
