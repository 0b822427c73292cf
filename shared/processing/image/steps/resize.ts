import * as z from 'zod';
import { roundHalfToEven } from '../../../tensor/float16.ts';
import type { Work } from '../../work.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { crop } from './crop.ts';
import { resizeNearest } from './nearest.ts';
import { colourOption, fillColour, sideOption } from './options.ts';
import { readPart, resample } from './resample/resample.ts';

export const resizeOptions = z
  .strictObject({
    step: z.literal('resize'),
    width: sideOption.optional(),
    height: sideOption.optional(),
    shortestEdge: sideOption
      .optional()
      .describe(
        'Length of the shorter edge. The other edge keeps the proportions, cut to whole pixels as in torchvision.transforms.Resize.',
      ),
    maxSize: sideOption.optional().describe('Largest length of the longer edge, with shortestEdge.'),
    longestEdge: sideOption
      .optional()
      .describe(
        'Length of the longer edge. The other edge keeps the proportions, rounded as in PIL.ImageOps.contain.',
      ),
    pad: colourOption
      .optional()
      .describe('Makes the image a square with the longest edge, and fills the rest with this colour.'),
    filter: z
      .enum(['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'])
      .default('bilinear')
      .describe('How pixels are mixed, by the name of the filter in Pillow.'),
    firstPass: z
      .enum(['auto', 'horizontal'])
      .optional()
      .describe(
        'horizontal gives the bytes of Pillow 12 and older if images lose much more height than width.',
      ),
    arithmetic: z
      .enum(['pillow', 'torch'])
      .optional()
      .describe(
        'torch gives the bytes of torchvision on tensors of bytes, as in the fast image processors of transformers.',
      ),
  })
  .refine(hasOneSize, 'takes width and height, or shortestEdge, or longestEdge')
  .refine(({ maxSize, shortestEdge }) => maxSize === undefined || maxSize > (shortestEdge ?? maxSize), {
    message: 'must come with shortestEdge and be larger than it',
    path: ['maxSize'],
  })
  .refine(({ pad, longestEdge }) => pad === undefined || longestEdge !== undefined, {
    message: 'belongs to longestEdge',
    path: ['pad'],
  })
  .describe('Changes the size: takes width and height, or shortestEdge, or longestEdge.');

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

function hasOneSize(options: {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly shortestEdge?: number | undefined;
  readonly longestEdge?: number | undefined;
}): boolean {
  const exact = [options.width, options.height].filter((side) => side !== undefined).length;
  const edges = [options.shortestEdge, options.longestEdge].filter((edge) => edge !== undefined).length;
  return (exact === 2 && edges === 0) || (exact === 0 && edges === 1);
}
