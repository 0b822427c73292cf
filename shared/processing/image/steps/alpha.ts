import type { Work } from '../../work.ts';
import { hasAlpha, type PixelRaster } from '../raster.ts';

/**
 * Multiplies the colours of pixels by their alpha, in place, as the modes `RGBa` and `La` of Pillow, in which it
 * resizes transparent images.
 */
export function premultiply(data: Uint8Array, channels: number): void {
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    if (alpha === 255) continue;
    for (let c = 0; c < channels - 1; c++) data[at + c] = over255((data[at + c] ?? 0) * alpha);
  }
}

/** The reverse, in place. Colours with alpha 0 stay unchanged. */
export function* unpremultiply(image: PixelRaster): Work<PixelRaster> {
  const { data, channels } = image;
  const run = (from: number, to: number) => divideByAlpha(data, channels, from * channels, to * channels);
  yield { count: image.width * image.height, cost: channels, run };
  return image;
}

function divideByAlpha(data: Uint8Array, channels: number, from: number, to: number): void {
  for (let at = from; at < to; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    if (alpha === 255 || alpha === 0) continue;
    for (let c = 0; c < channels - 1; c++) {
      data[at + c] = Math.min(255, Math.trunc((255 * (data[at + c] ?? 0)) / alpha));
    }
  }
}

/**
 * Puts the image on a background of one colour and drops alpha: the bytes of `PIL.Image.alpha_composite` and of
 * `paste` with the alpha as mask, which agree on an opaque background. Made in place.
 *
 * @param background one value per channel of colour
 */
export function* flatten(image: PixelRaster, background: readonly number[]): Work<PixelRaster> {
  if (!hasAlpha(image)) return image;
  const { data, channels } = image;
  const pixels = image.width * image.height;
  const run = (from: number, to: number) => blend(data, channels, background, from, to);
  yield { count: pixels, cost: channels, run };
  return { ...image, channels: channels - 1, data: data.subarray(0, pixels * (channels - 1)) };
}

/** Pixels without alpha are shorter, so no pixel is overwritten before it is read. */
function blend(
  data: Uint8Array,
  channels: number,
  background: readonly number[],
  first: number,
  end: number,
): void {
  const colours = channels - 1;
  for (let i = first, from = first * channels, to = first * colours; i < end; i++, from += channels) {
    const alpha = data[from + colours] ?? 0;
    for (let c = 0; c < colours; c++) {
      data[to++] = over255((data[from + c] ?? 0) * alpha + (background[c] ?? 0) * (255 - alpha));
    }
  }
}

/** The nearest whole number to `value / 255`, for products of two bytes, by shifts as in Pillow. */
export function over255(value: number): number {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}
