import type { Work } from '../../work.ts';
import type { PixelRaster, Window } from '../raster.ts';

/**
 * A window of the image. Where it reaches beyond the image, it is filled.
 *
 * @param fill one value per channel
 */
export function* crop(image: PixelRaster, window: Window, fill: readonly number[]): Work<PixelRaster> {
  const { width, height, left, top } = window;
  if (left === 0 && top === 0 && width === image.width && height === image.height) return image;
  const { channels, data } = image;
  const inside = intersect(window, image);
  const out = new Uint8Array(width * height * channels);
  const rowBytes = width * channels;
  const copyRow = (y: number) => {
    const row = out.subarray(y * rowBytes, (y + 1) * rowBytes);
    const isInside = top + y >= inside.top && top + y < inside.top + inside.height;
    if (!isInside || inside.width < width) fillWith(row, fill);
    if (!isInside) return;
    const from = ((top + y) * image.width + inside.left) * channels;
    row.set(data.subarray(from, from + inside.width * channels), (inside.left - left) * channels);
  };
  const run = (from: number, to: number) => {
    for (let y = from; y < to; y++) copyRow(y);
  };
  yield { count: height, cost: rowBytes, run };
  return { ...image, width, height, data: out };
}

/** The part of a window that lies on an image of a size. */
export function intersect(
  { left, top, width, height }: Window,
  image: { readonly width: number; readonly height: number },
): Window {
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  return {
    left: x,
    top: y,
    width: Math.max(0, Math.min(left + width, image.width) - x),
    height: Math.max(0, Math.min(top + height, image.height) - y),
  };
}

function fillWith(out: Uint8Array, fill: readonly number[]): void {
  if (fill.every((value) => value === fill[0])) {
    out.fill(fill[0] ?? 0);
    return;
  }
  for (let i = 0; i < out.length; i++) out[i] = fill[i % fill.length] ?? 0;
}
