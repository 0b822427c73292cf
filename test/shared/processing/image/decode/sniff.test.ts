import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from '../../../../../shared/processing/image/decode/sniff.ts';

function sniff(start: string): string | undefined {
  return sniffImageType(Buffer.from(start, 'latin1'));
}

describe('sniffImageType', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('knows a real %s', async (format) => {
    const file = await sharp(new Uint8Array(192), { raw: { width: 8, height: 8, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    expect(sniffImageType(file)).toBe(`image/${format}`);
    expect(ACCEPTED_IMAGE_TYPES).toContain(`image/${format}`);
  });

  it.each([
    ['MM\0*', 'image/tiff'],
    ['II+\0', 'image/tiff'],
    ['GIF87a', 'image/gif'],
    ['\0\0\0\x1cftypavis', 'image/avif'],
    ['\0\0\0\x18ftypheic', 'image/heic'],
    ['\0\0\0\x18ftypmif1', 'image/heic'],
    ['\0\0\0\x0cjP  \r\n', 'image/jp2'],
    ['\xff\x0a', 'image/jxl'],
    ['BM\x36\x04\0\0\0\0\0\0', 'image/bmp'],
    ['\0\0\x01\0\x01\0', 'image/x-icon'],
    ['8BPS\0\x01', 'image/vnd.adobe.photoshop'],
    ['%PDF-1.7', 'application/pdf'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
    ['\xef\xbb\xbf <?xml version="1.0"?>\n<!-- made by hand -->\n<!DOCTYPE svg><svg>', 'image/svg+xml'],
  ])('knows %j as %s', (start, type) => {
    expect(sniff(start)).toBe(type);
  });

  it.each(['', 'B', 'BM plain text', 'RIFF\0\0\0\0WAVE', '{"a":1}', '<html><svg></svg></html>', '\x89PNX'])(
    'knows nothing in %j',
    (start) => {
      expect(sniff(start)).toBeUndefined();
    },
  );

  it('looks at the bytes of a view alone', () => {
    const memory = Buffer.from('....GIF89a', 'latin1');
    expect(sniffImageType(memory.subarray(4))).toBe('image/gif');
    expect(sniffImageType(memory.subarray(4, 8))).toBeUndefined();
  });

  it('is quick on text that almost is an SVG', () => {
    // With a pattern that backtracks, this would never end.
    expect(sniff(`<!--${' '.repeat(200)}--><!--${'-->'.repeat(150)}`)).toBeUndefined();
  });
});

describe('a file that begins with comments', () => {
  it('is looked at in one pass, however many there are', () => {
    expect(sniffImageType(Buffer.from(`${'<!---->'.repeat(72)}x`))).toBeUndefined();
    expect(sniffImageType(Buffer.from(`${'<!---->'.repeat(60)}<svg>`))).toBe('image/svg+xml');
    expect(sniffImageType(Buffer.from('<?xml version="1.0"?>\n<!DOCTYPE svg>\n<!-- > --><svg/>'))).toBe(
      'image/svg+xml',
    );
    expect(sniffImageType(Buffer.from('<!-- never closed <svg>'))).toBeUndefined();
  });
});
