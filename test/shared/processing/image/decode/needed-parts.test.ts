import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../../../shared/processing/image/decode/decode.ts';
import { openImageFile } from '../../../../../shared/processing/image/decode/image-file.ts';
import { neededParts } from '../../../../../shared/processing/image/decode/needed-parts.ts';
import { testBudget } from '../../../../support/test-budget.ts';
import { pngChunk, webpChunk, withPngChunks } from './costly-images.ts';

const SIDE = 16;
const XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>';

/** Every value is different, so that no two pictures are equal by chance. */
function noise(channels: 1 | 2 | 3 | 4, height = SIDE) {
  const data = Uint8Array.from(
    { length: SIDE * height * channels },
    (_, i) => (i * 89 + (i >> 5) * 31) % 256,
  );
  return sharp(data, { raw: { width: SIDE, height, channels, pageHeight: SIDE } });
}

async function readWhole(file: Uint8Array) {
  return await (await openImageFile(file, 1e6)).readPixels();
}

async function expectSamePixels(type: string, file: Buffer) {
  const parts = neededParts(type, file);
  expect(parts.length).toBeLessThan(file.length);
  const [before, after] = [await readWhole(file), await readWhole(parts)];
  expect({ ...after, data: [...after.data] }).toEqual({ ...before, data: [...before.data] });
  expect(neededParts(type, parts)).toBe(parts);
}

const gamma = pngChunk('gAMA', Buffer.of(0, 0, 0xb1, 0x8f));
const texts = [
  pngChunk('tEXt', Buffer.from('Comment\0text')),
  pngChunk('pHYs', Buffer.of(0, 0, 1, 0, 0, 0, 1, 0, 0)),
  pngChunk('tIME', Buffer.of(7, 0xe9, 1, 1, 1, 1, 1)),
  pngChunk('bKGD', Buffer.of(0, 9, 0, 9, 0, 9)),
];

describe('the parts of a PNG', () => {
  it.each([
    ['colours', (image: Sharp) => image.png(), 3],
    ['transparency', (image: Sharp) => image.png(), 4],
    ['grey', (image: Sharp) => image.toColourspace('b-w').png(), 1],
    ['a palette', (image: Sharp) => image.png({ palette: true, colours: 7 }), 4],
    ['two colours', (image: Sharp) => image.png({ palette: true, colours: 2 }), 3],
    ['16 bits', (image: Sharp) => image.toColourspace('rgb16').png(), 3],
    ['grey in 16 bits', (image: Sharp) => image.toColourspace('grey16').png(), 1],
    ['interlaced rows', (image: Sharp) => image.png({ progressive: true }), 4],
    ['a profile', (image: Sharp) => image.withIccProfile('p3').png(), 3],
  ] as const)('are enough for %s', async (_, write, channels) => {
    const file = await write(noise(channels)).toBuffer();
    const few = pngChunk('sBIT', Buffer.alloc(channels === 1 ? 1 : 3, 4));
    await expectSamePixels('image/png', withPngChunks(file, [...texts, few, gamma, gamma]));
  });

  it('have its turn', async () => {
    const file = await noise(3).withMetadata({ orientation: 6 }).png().toBuffer();
    const options = { budget: testBudget(), readOrientation: true };
    expect(await decodeImage(withPngChunks(file, texts), 'field "image"', options)).toMatchObject({
      orientation: 6,
    });
  });

  it('are not copied where there are no others', async () => {
    const file = withPngChunks(await noise(3).png().toBuffer(), [gamma]);
    const bare = neededParts('image/png', file);
    expect(neededParts('image/png', bare)).toBe(bare);
    expect(neededParts('image/png', bare.subarray(0, 60))).toEqual(bare.subarray(0, 60));
  });

  it('are each kept once, with all that a decoder must know', async () => {
    const file = await noise(3).png().toBuffer();
    const strange = pngChunk('ABCD', Buffer.of(1));
    const first = pngChunk('tRNS', Buffer.of(0, 1, 0, 2, 0, 3));
    const second = pngChunk('tRNS', Buffer.of(0, 4, 0, 5, 0, 6));
    const parts = Buffer.from(
      neededParts('image/png', withPngChunks(file, [first, strange, second, strange])),
    );
    expect(parts.includes(first)).toBe(true);
    expect(parts.includes(second)).toBe(false);
    expect(parts.toString('latin1').split('ABCD')).toHaveLength(3);
  });
});

describe('a PNG that is broken', () => {
  it.each([
    [
      'begins with a text',
      (signature: Buffer, header: Buffer) => [signature, texts[0] ?? Buffer.alloc(0), header],
    ],
    ['has two headers', (signature: Buffer, header: Buffer) => [signature, header, header]],
  ])('stays so where it %s', async (_, begin) => {
    const file = await noise(3).png().toBuffer();
    const [signature, header, rest] = [file.subarray(0, 8), file.subarray(8, 33), file.subarray(33)];
    const broken = Buffer.concat([...begin(signature, header), rest]);
    await expect(readWhole(broken)).rejects.toThrow();
    await expect(readWhole(neededParts('image/png', broken))).rejects.toThrow();
  });
});

describe('the parts of a WebP', () => {
  it('are enough for a picture with descriptions and chunks that are not known', async () => {
    const file = await noise(4)
      .withXmp(XMP)
      .withExif({ IFD0: { Copyright: 'none' } })
      .webp({ lossless: true })
      .toBuffer();
    const more = Buffer.concat([file, webpChunk('abcd', Buffer.of(1)), webpChunk('XMP ', Buffer.from(XMP))]);
    more.writeUInt32LE(more.length - 8, 4);
    await expectSamePixels('image/webp', more);
  });

  it.each([3, 4] as const)('are the first frame of an animation of %i channels', async (channels) => {
    await expectSamePixels(
      'image/webp',
      await noise(channels, SIDE * 5)
        .webp({ lossless: true, loop: 3 })
        .toBuffer(),
    );
  });

  it.each([8, 512])('are what its header says, and not the %i bytes after it', async (more) => {
    const file = await noise(3).webp({ lossless: true }).toBuffer();
    await expectSamePixels('image/webp', Buffer.concat([file, Buffer.alloc(more, 'text')]));
  });

  it('leave a damaged file damaged', async () => {
    const file = await noise(3, SIDE * 5)
      .webp({ lossless: true })
      .toBuffer();
    const broken = file.subarray(0, 100);
    expect(neededParts('image/webp', broken).length).toBe(100);
    await expect(readWhole(neededParts('image/webp', broken))).rejects.toThrow();
  });
});

describe('the parts of a TIFF', () => {
  it('are its first page', async () => {
    const page = await noise(3).tiff({ compression: 'none' }).toBuffer();
    expect(neededParts('image/tiff', page)).toBe(page);
    const start = page.readUInt32LE(4);
    const next = start + 2 + page.readUInt16LE(start) * 12;
    const pages = Buffer.from(page);
    // A directory without entries: a decoder that reads it refuses it.
    pages.writeUInt32LE(pages.length - 6, next);
    const parts = neededParts('image/tiff', pages);
    expect(Buffer.from(parts).equals(page)).toBe(true);
    expect(pages.readUInt32LE(next)).toBe(pages.length - 6);
  });
});
