import sharp from 'sharp';
import type { PixelRaster } from '../../../shared/processing/image/raster.ts';
import { createRandom } from './random.ts';

/** Soft shades, an edge and some noise, as photographs have them. */
export function makePhoto(width: number, height: number): PixelRaster {
  const data = new Uint8Array(width * height * 3);
  const random = createRandom();
  for (let at = 0; at < data.length; at++) {
    const [x, y] = [Math.trunc(at / 3) % width, Math.trunc(at / 3 / width)];
    const shade = 110 + 80 * Math.sin(x / 90 + (y / 60) * ((at % 3) + 1)) + (x + y < width ? 0 : 30);
    data[at] = shade + random() * 8;
  }
  return { width, height, channels: 3, layout: 'HWC', data };
}

/** The same as a JPEG file. */
export async function makeJpeg(width: number, height: number): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const;
  return await sharp(makePhoto(width, height).data, { raw }).jpeg({ quality: 90 }).toBuffer();
}
