import * as z from 'zod';
import { flatten } from './alpha.ts';
import { colourOption, fillColour } from './colour.ts';
import type { PixelRaster } from './raster.ts';

export const convertOptions = z.strictObject({
  step: z.literal('convert'),
  /** `grey`: one channel of luma. `RGB`, `BGR`: three channels in that order. */
  mode: z.enum(['grey', 'RGB', 'BGR']),
  /** What transparent images are put on, as red, green and blue; without it alpha is dropped, not blended. */
  background: colourOption.optional(),
});

/**
 * Changes the colour channels as `PIL.Image.convert` does: alpha is dropped, not blended, and luma is the ITU-R 601
 * sum in 16-bit fixed point, so that the bytes are those of training.
 */
export function convert(image: PixelRaster, options: z.infer<typeof convertOptions>): PixelRaster {
  const { mode, background } = options;
  const solid = background === undefined ? image : flatten(image, fillColour(background, image.channels - 1));
  return mode === 'grey' ? toGrey(solid) : toColour(solid, mode === 'BGR');
}

function toGrey(image: PixelRaster): PixelRaster {
  const { data, channels } = image;
  const pixels = image.width * image.height;
  const grey = new Uint8Array(pixels);
  if (channels < 3) {
    for (let i = 0; i < pixels; i++) grey[i] = data[i * channels] ?? 0;
  } else {
    for (let i = 0, at = 0; i < pixels; i++, at += channels) {
      const luma =
        (data[at] ?? 0) * 19595 + (data[at + 1] ?? 0) * 38470 + (data[at + 2] ?? 0) * 7471 + 0x8000;
      grey[i] = luma >> 16;
    }
  }
  return { ...image, channels: 1, data: grey };
}

function toColour(image: PixelRaster, reversed: boolean): PixelRaster {
  const { data, channels } = image;
  if (channels === 3 && !reversed) return image;
  const pixels = image.width * image.height;
  const colour = new Uint8Array(pixels * 3);
  const step = channels < 3 ? 0 : 1;
  const red = reversed ? 2 : 0;
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += channels, to += 3) {
    colour[to + red] = data[from] ?? 0;
    colour[to + 1] = data[from + step] ?? 0;
    colour[to + 2 - red] = data[from + 2 * step] ?? 0;
  }
  return { ...image, channels: 3, data: colour };
}
