import { orient } from '../orient.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { type FilterName, getKernels } from './kernels.ts';
import { resampleScalar } from './scalar.ts';
import { resampleSimd, suitsSimd } from './simd.ts';

/** Which way images are resampled first: as Pillow 13 decides, or `horizontal` as Pillow 12 and older. */
export type FirstPass = 'auto' | 'horizontal';

/**
 * A window of the image resized to a size, with antialiasing, bit for bit as `PIL.Image.resize` makes it: two passes in
 * fixed point, rounded to bytes in between. Only the rows and columns that the window needs are made.
 */
export function resample(
  image: PixelRaster,
  size: Size,
  filter: FilterName,
  firstPass: FirstPass,
  window: Window,
): PixelRaster {
  if (firstPass === 'auto' && losesHeight(image, size)) {
    const across = { width: window.height, height: window.width, left: window.top, top: window.left };
    const turned = resampleAcross(
      transpose(image),
      { width: size.height, height: size.width },
      filter,
      across,
    );
    return transpose(turned);
  }
  return resampleAcross(image, size, filter, window);
}

/** Whether Pillow 13 makes the image low before it makes it narrow: the height loses more than twice as many pixels. */
function losesHeight(image: Size, size: Size): boolean {
  const lost = image.height - size.height;
  return lost > 0 && lost > 2 * (image.width - size.width);
}

function resampleAcross(image: PixelRaster, size: Size, filter: FilterName, window: Window): PixelRaster {
  const across = getKernels(image.width, size.width, filter, window.left, window.width);
  const down = getKernels(image.height, size.height, filter, window.top, window.height);
  const run = suitsSimd(image) ? resampleSimd : resampleScalar;
  return { ...image, width: window.width, height: window.height, data: run(image, across, down) };
}

function transpose(image: PixelRaster): PixelRaster {
  return { ...orient({ ...image, orientation: 5 }), orientation: image.orientation };
}
