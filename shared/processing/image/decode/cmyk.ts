import type { Work } from '../../work.ts';
import type { PixelRaster } from '../raster.ts';
import { over255 } from '../steps/alpha.ts';

/** Converts cyan, magenta, yellow and black to colours as `PIL.Image.convert` does: without a profile, and in place. */
export function* cmykToRgb(image: PixelRaster): Work<PixelRaster> {
  const { data } = image;
  const count = image.width * image.height;
  yield { count, cost: 4, run: (from, to) => mixCmyk(data, from, to) };
  return { ...image, channels: 3, data: data.subarray(0, count * 3) };
}

/** A pixel of colours is shorter than one of inks, so no ink is overwritten before it is read. */
function mixCmyk(data: Uint8Array, first: number, end: number): void {
  for (let i = first, from = first * 4, to = first * 3; i < end; i++, from += 4, to += 3) {
    const light = 255 - (data[from + 3] ?? 0);
    for (let c = 0; c < 3; c++) data[to + c] = light - over255((data[from + c] ?? 0) * light);
  }
}
