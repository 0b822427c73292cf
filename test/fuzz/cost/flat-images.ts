import sharp, { type Sharp } from 'sharp';
import { pixelPrice } from '../../../shared/processing/image/decode/decode-price.ts';

const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const;
export type ImageFormat = (typeof FORMATS)[number];

/** Largest side of a square that the default of MAX_IMAGE_PIXELS allows. */
export const LARGEST_SIDE = 7071;

const made = new Map<string, Promise<Buffer>>();

/** An image of one colour, which each format compresses to very little. Each is made once. */
export function flatImage(format: ImageFormat, width: number, height = width): Promise<Buffer> {
  return remember(`${format} ${Math.round(width)} ${Math.round(height)}`, () => {
    const flat = sharp({
      create: { width: Math.round(width), height: Math.round(height), channels: 3, background: '#fff' },
      limitInputPixels: false,
    });
    switch (format) {
      case 'png':
        return flat.png({ palette: true, compressionLevel: 9 });
      case 'avif':
        return flat.avif({ effort: 0 });
      case 'tiff':
        return flat.tiff({ compression: 'deflate' });
      default:
        return flat.toFormat(format);
    }
  });
}

/**
 * As many huge images as the largest body may hold eight of: one for each four million bytes. With fewer bytes it is one
 * smaller image.
 */
export async function hugeImages(format: ImageFormat, bytes: number): Promise<readonly Buffer[]> {
  const share = bytes / 4_000_000;
  const price = pixelPrice(`image/${format}`, await flatImage(format, 8));
  const image = await flatImage(
    format,
    Math.max(1, Math.floor(LARGEST_SIDE * Math.sqrt(Math.min(1, share) / price))),
  );
  return new Array<Buffer>(Math.max(1, Math.round(share))).fill(image);
}

/** Any other image. Each is made once. */
export function remember(name: string, make: () => Sharp): Promise<Buffer> {
  let image = made.get(name);
  if (!image) {
    image = make().toBuffer();
    made.set(name, image);
  }
  return image;
}
