import { orient } from '../orient.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import { type Arithmetic, type FilterName, getKernels } from './kernels.ts';
import { resampleScalar } from './scalar.ts';
import { resampleSimd, suitsSimd } from './simd.ts';

/** Which way images are resampled first: as Pillow 13 decides, or `horizontal` as Pillow 12 and older. */
export type FirstPass = 'auto' | 'horizontal';

export interface ResampleOptions {
  readonly filter: FilterName;
  readonly firstPass: FirstPass;
  readonly arithmetic: Arithmetic;
}

/**
 * A window of the image resized to a size, with antialiasing, bit for bit as `PIL.Image.resize` or torchvision makes it:
 * two passes in fixed point, rounded to bytes in between. Only the rows and columns that the window needs are made.
 */
export function resample(
  image: PixelRaster,
  size: Size,
  options: ResampleOptions,
  window: Window,
): PixelRaster {
  const { firstPass, arithmetic } = options;
  if (arithmetic === 'pillow' && firstPass === 'auto' && losesHeight(image, size)) {
    const across = { width: window.height, height: window.width, left: window.top, top: window.left };
    const turned = resampleAcross(
      transpose(image),
      { width: size.height, height: size.width },
      options,
      across,
    );
    return transpose(turned);
  }
  return resampleAcross(image, size, options, window);
}

/** Whether Pillow 13 makes the image low before it makes it narrow: the height loses more than twice as many pixels. */
function losesHeight(image: Size, size: Size): boolean {
  const lost = image.height - size.height;
  return lost > 0 && lost > 2 * (image.width - size.width);
}

function resampleAcross(
  image: PixelRaster,
  size: Size,
  options: ResampleOptions,
  window: Window,
): PixelRaster {
  const across = getKernels({ ...options, from: image.width, to: size.width }, window.left, window.width);
  const down = getKernels({ ...options, from: image.height, to: size.height }, window.top, window.height);
  const run = suitsSimd(image) ? resampleSimd : resampleScalar;
  return { ...image, width: window.width, height: window.height, data: run(image, across, down) };
}

function transpose(image: PixelRaster): PixelRaster {
  return { ...orient({ ...image, orientation: 5 }), orientation: image.orientation };
}
