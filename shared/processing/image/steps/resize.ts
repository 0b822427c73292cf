import type * as z from 'zod/mini';
import { roundHalfToEven } from '../../../tensor/float16.ts';
import type { Work } from '../../work.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { crop } from './crop.ts';
import { resizeNearest } from './nearest.ts';
import { fillColour, type resizeOptions } from './options.ts';
import { readPart, resample } from './resample/resample.ts';

export type ResizeOptions = z.infer<typeof resizeOptions>;

/**
 * Resizes with antialiasing, bit for bit as `PIL.Image.resize` does, which torchvision uses for PIL images. Pixels with
 * alpha are weighed by it.
 */
export function* resize(image: PixelRaster, options: ResizeOptions): Work<PixelRaster> {
  const size = resizedSize(options, image);
  const resized = yield* resizeWindow(image, size, options, { left: 0, top: 0, ...size });
  const { longestEdge = 0, pad } = options;
  if (pad === undefined) return resized;
  const start = (side: number) => 0 - roundHalfToEven((longestEdge - side) / 2);
  const square = {
    left: start(size.width),
    top: start(size.height),
    width: longestEdge,
    height: longestEdge,
  };
  return yield* crop(resized, square, fillColour(pad, image.channels));
}

type WindowOptions = Pick<ResizeOptions, 'filter' | 'firstPass' | 'arithmetic'>;

/** The part of an image of some size that `resizeWindow` can do with; undefined if it takes only the whole image. */
export function partForWindow(
  image: Size,
  size: Size,
  { filter, firstPass = 'auto', arithmetic = 'pillow' }: WindowOptions,
  window: Window,
): Window | undefined {
  const isSame = size.width === image.width && size.height === image.height;
  if (isSame || filter === 'nearest' || window.width < 1 || window.height < 1) return undefined;
  return readPart(image, size, { filter, firstPass, arithmetic }, window);
}

/** A window of the resized image; only what it needs is computed. */
export function resizeWindow(
  image: PixelRaster,
  size: Size,
  { filter, firstPass = 'auto', arithmetic = 'pillow' }: WindowOptions,
  window: Window,
): Work<PixelRaster> {
  if (size.width === image.width && size.height === image.height) return crop(image, window, [0]);
  if (filter === 'nearest') return resizeNearest(image, size, window, arithmetic);
  return resample(image, size, { filter, firstPass, arithmetic }, window);
}

/** The new size of an image of a given size, without padding. */
export function resizedSize(options: ResizeOptions, { width, height }: Size): Size {
  const { shortestEdge, longestEdge, maxSize } = options;
  if (shortestEdge !== undefined) return scaleShortest(width, height, shortestEdge, maxSize);
  if (longestEdge !== undefined) return scaleLongest(width, height, longestEdge);
  return { width: options.width ?? width, height: options.height ?? height };
}

function scaleShortest(
  width: number,
  height: number,
  edge: number,
  maxSize = Number.POSITIVE_INFINITY,
): Size {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  let [newShort, newLong] = [edge, Math.trunc((edge * long) / short)];
  if (newLong > maxSize)
    [newShort, newLong] = [Math.max(1, Math.trunc((maxSize * newShort) / newLong)), maxSize];
  return width <= height ? { width: newShort, height: newLong } : { width: newLong, height: newShort };
}

function scaleLongest(width: number, height: number, edge: number): Size {
  if (width === height) return { width: edge, height: edge };
  return width > height
    ? { width: edge, height: Math.max(1, roundHalfToEven((height / width) * edge)) }
    : { width: Math.max(1, roundHalfToEven((width / height) * edge)), height: edge };
}
