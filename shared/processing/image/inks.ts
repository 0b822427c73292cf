import { over255 } from './alpha.ts';
import type { PixelRaster } from './raster.ts';

/** Cyan, magenta, yellow and black to colours as `PIL.Image.convert`: without a profile. */
export function inksToColours(image: PixelRaster): PixelRaster {
  const pixels = image.width * image.height;
  const data = new Uint8Array(pixels * 3);
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += 4, to += 3) {
    const light = 255 - (image.data[from + 3] ?? 0);
    for (let c = 0; c < 3; c++) data[to + c] = light - over255((image.data[from + c] ?? 0) * light);
  }
  return { ...image, channels: 3, data };
}

/** How many components a JPEG has; undefined where its header is damaged. Source: ITU-T T.81, annex B. */
export function countComponents(jpeg: Uint8Array): number | undefined {
  let at = 2;
  while (at + 9 < jpeg.length && jpeg[at] === 0xff) {
    const marker = jpeg[at + 1] ?? 0;
    if (isFrameHeader(marker)) return jpeg[at + 9];
    // A marker can have fill bytes before it.
    at += marker === 0xff ? 1 : 2 + (jpeg[at + 2] ?? 0) * 256 + (jpeg[at + 3] ?? 0);
  }
  return undefined;
}

/** SOF0 to SOF15; among them stand DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}
