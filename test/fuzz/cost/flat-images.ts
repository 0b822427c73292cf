import sharp, { type Sharp } from 'sharp';

const FORMATS = ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const;
export type ImageFormat = (typeof FORMATS)[number];

const made = new Map<string, Promise<Buffer>>();

/** An image of one colour, of which each format makes next to nothing. Each is made once. */
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

/** Any other image. Each is made once. */
export function remember(name: string, make: () => Sharp): Promise<Buffer> {
  let image = made.get(name);
  if (!image) {
    image = make().toBuffer();
    made.set(name, image);
  }
  return image;
}
