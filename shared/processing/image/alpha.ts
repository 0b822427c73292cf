import { hasAlpha, type PixelRaster } from './raster.ts';

/** Colours multiplied by their alpha, as modes `RGBa` and `La` of Pillow, which it resizes transparent images in. */
export function premultiply(image: PixelRaster): PixelRaster {
  return mapColours(image, (value, alpha) => over255(value * alpha));
}

/** The way back. Colours of alpha 0 stay what they are. */
export function unpremultiply(image: PixelRaster): PixelRaster {
  return mapColours(image, (value, alpha) =>
    alpha === 0 ? value : Math.min(255, Math.trunc((255 * value) / alpha)),
  );
}

/**
 * Puts the image on a background of one colour and drops alpha: the bytes of `PIL.Image.alpha_composite` and of
 * `paste` with the alpha as mask, which agree on an opaque background.
 *
 * @param background one value per channel of colour
 */
export function flatten(image: PixelRaster, background: readonly number[]): PixelRaster {
  if (!hasAlpha(image)) return image;
  const { data, channels } = image;
  const pixels = image.width * image.height;
  const colours = channels - 1;
  const out = new Uint8Array(pixels * colours);
  for (let i = 0, from = 0, to = 0; i < pixels; i++, from += channels) {
    const alpha = data[from + colours] ?? 0;
    for (let c = 0; c < colours; c++) {
      out[to++] = over255((data[from + c] ?? 0) * alpha + (background[c] ?? 0) * (255 - alpha));
    }
  }
  return { ...image, channels: colours, data: out };
}

/** The nearest whole number to `value / 255`, for products of two bytes, by shifts as in Pillow. */
export function over255(value: number): number {
  const rounded = value + 128;
  return ((rounded >> 8) + rounded) >> 8;
}

function mapColours(image: PixelRaster, change: (value: number, alpha: number) => number): PixelRaster {
  const { data, channels } = image;
  const out = Uint8Array.from(data);
  for (let at = 0; at < data.length; at += channels) {
    const alpha = data[at + channels - 1] ?? 0;
    if (alpha === 255) continue;
    for (let c = 0; c < channels - 1; c++) out[at + c] = change(data[at + c] ?? 0, alpha);
  }
  return { ...image, data: out };
}
