import type * as z from 'zod/mini';
import type { Work } from '../../work.ts';
import type { PixelRaster } from '../raster.ts';
import { flatten } from './alpha.ts';
import { type convertOptions, fillColour } from './options.ts';

/**
 * Changes the colour channels as `PIL.Image.convert` does: alpha is dropped, not blended, and luma is the ITU-R 601 sum
 * in 16-bit fixed point, so the bytes equal those of training. Pixels that do not get longer are changed in place.
 */
export function* convert(
  image: PixelRaster,
  { mode, background }: z.infer<typeof convertOptions>,
): Work<PixelRaster> {
  const solid =
    background === undefined ? image : yield* flatten(image, fillColour(background, image.channels - 1));
  return yield* mode === 'grey' ? toGrey(solid) : toColour(solid, mode === 'BGR');
}

function* toGrey(image: PixelRaster): Work<PixelRaster> {
  const { data, channels } = image;
  if (channels === 1) return image;
  const count = image.width * image.height;
  const toLuma = channels === 2 ? dropAlpha : mixLuma;
  yield { count, cost: channels, run: (from, to) => toLuma(data, channels, from, to) };
  return { ...image, channels: 1, data: data.subarray(0, count) };
}

function dropAlpha(data: Uint8Array, channels: number, from: number, to: number): void {
  for (let i = from; i < to; i++) data[i] = data[i * channels] ?? 0;
}

function mixLuma(data: Uint8Array, channels: number, from: number, to: number): void {
  for (let i = from, at = from * channels; i < to; i++, at += channels) {
    const luma = (data[at] ?? 0) * 19595 + (data[at + 1] ?? 0) * 38470 + (data[at + 2] ?? 0) * 7471 + 0x8000;
    data[i] = luma >> 16;
  }
}

function* toColour(image: PixelRaster, reversed: boolean): Work<PixelRaster> {
  const { data, channels } = image;
  if (channels === 3 && !reversed) return image;
  const count = image.width * image.height;
  const out = channels < 3 ? new Uint8Array(count * 3) : data.subarray(0, count * 3);
  yield { count, cost: channels, run: (from, to) => pickColours(data, channels, reversed, out, from, to) };
  return { ...image, channels: 3, data: out };
}

/** The colours of a pixel are read before any is written: `out` can be `data`. */
function pickColours(
  data: Uint8Array,
  channels: number,
  reversed: boolean,
  out: Uint8Array,
  first: number,
  end: number,
): void {
  const step = channels < 3 ? 0 : 1;
  const red = reversed ? 2 : 0;
  for (let i = first, from = first * channels, to = first * 3; i < end; i++, from += channels, to += 3) {
    const [r, g, b] = [data[from] ?? 0, data[from + step] ?? 0, data[from + 2 * step] ?? 0];
    out[to + red] = r;
    out[to + 1] = g;
    out[to + 2 - red] = b;
  }
}
