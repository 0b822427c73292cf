import type * as z from 'zod/mini';
import { roundHalfToEven } from '../../../tensor/float16.ts';
import type { Work } from '../../work.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { crop } from './crop.ts';
import type { centerCropOptions } from './options.ts';

export type CenterCropOptions = z.infer<typeof centerCropOptions>;

/**
 * The middle of the image, with black around it if the image is smaller: `torchvision.transforms.CenterCrop`, or
 * `transformers.image_transforms.center_crop`, which rounds down.
 */
export function centerCrop(image: PixelRaster, options: CenterCropOptions): Work<PixelRaster> {
  return crop(image, centerWindow(image, options), [0]);
}

/** The window that is the middle of an image of a size. */
export function centerWindow(image: Size, options: Omit<CenterCropOptions, 'step'>): Window {
  const { width, height, rounding = 'even' } = options;
  const middle = MIDDLES[rounding];
  return { left: middle(image.width - width), top: middle(image.height - height), width, height };
}

/** Where a crop begins on a side that is longer by this much; a negative place on a side that is shorter. */
const MIDDLES: Record<'even' | 'down' | 'zero', (rest: number) => number> = {
  // A shorter side is padded, with one pixel more after it than before.
  even: (rest) => (rest < 0 ? 0 - Math.floor(-rest / 2) : roundHalfToEven(rest / 2)),
  down: (rest) => Math.floor(rest / 2),
  zero: (rest) => 0 + Math.trunc(rest / 2),
};
