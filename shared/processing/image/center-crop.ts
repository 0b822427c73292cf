import * as z from 'zod';
import { roundHalfToEven } from '../../tensor/float16.ts';
import { crop } from './crop.ts';
import type { PixelRaster, Size, Window } from './raster.ts';
import { sideOption } from './side.ts';

export const centerCropOptions = z.strictObject({
  step: z.literal('centerCrop'),
  width: sideOption,
  height: sideOption,
  /** Where the rest is odd: `even` as torchvision rounds it, `down` as the image processors of Hugging Face. */
  rounding: z.enum(['even', 'down']).optional(),
});

export type CenterCropOptions = z.infer<typeof centerCropOptions>;

/** The middle of the image, as `torchvision.transforms.CenterCrop`: with black around it where the image is smaller. */
export function centerCrop(image: PixelRaster, options: CenterCropOptions): PixelRaster {
  return crop(image, centerWindow(image, options), [0]);
}

/** Where the middle of an image of a size lies. */
export function centerWindow(
  image: Size,
  { width, height, rounding = 'even' }: Omit<CenterCropOptions, 'step'>,
): Window {
  const middle = MIDDLES[rounding];
  return { left: middle(image.width, width), top: middle(image.height, height), width, height };
}

const MIDDLES = {
  even: middleOfTorchvision,
  down: (side: number, cropped: number) => Math.floor((side - cropped) / 2),
};

/** A larger side leaves half of the rest, rounded to even; a smaller one is padded, one pixel more behind than before. */
function middleOfTorchvision(side: number, cropped: number): number {
  return cropped > side ? 0 - Math.floor((cropped - side) / 2) : roundHalfToEven((side - cropped) / 2);
}
