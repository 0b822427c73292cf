import type { Work } from '../../../work.ts';
import { hasAlpha, type PixelRaster, pictureSize, type Size, type Window } from '../../raster.ts';
import { unpremultiply } from '../alpha.ts';
import { orient } from '../orient.ts';
import {
  type Arithmetic,
  type FilterName,
  getKernels,
  type Kernels,
  spanOf,
  spanOfPixels,
} from './kernels.ts';
import { columnsOf, premultiplied, type RowSource, rowsOf } from './row-source.ts';
import { resampleScalar } from './scalar.ts';
import { resampleSimd, suitsSimd } from './simd.ts';

/**
 * The direction in which images are resampled first: as Pillow 13 decides, or `horizontal` as in Pillow 12 and older.
 */
export type FirstPass = 'auto' | 'horizontal';

export interface ResampleOptions {
  readonly filter: FilterName;
  readonly firstPass: FirstPass;
  readonly arithmetic: Arithmetic;
}

/**
 * A window of the image resized to a size, with antialiasing, bit for bit as `PIL.Image.resize` or torchvision makes it:
 * two passes in fixed point, rounded to bytes in between. Pixels with alpha are weighed by it. Only the rows and columns
 * that the window needs are made.
 */
export function* resample(
  image: PixelRaster,
  size: Size,
  options: ResampleOptions,
  window: Window,
): Work<PixelRaster> {
  const picture = pictureSize(image);
  const { width, height, left, top } = window;
  const horizontal = yield* getKernels({ ...options, from: picture.width, to: size.width }, left, width);
  const vertical = yield* getKernels({ ...options, from: picture.height, to: size.height }, top, height);
  const made = isTurned(picture, size, options)
    ? yield* transpose({
        ...image,
        width: height,
        height: width,
        data: yield* resampleColumns(image, horizontal, vertical),
      })
    : {
        ...image,
        width,
        height,
        partOf: undefined,
        data: yield* resampleRows(rowsOf(image), horizontal, vertical),
      };
  return hasAlpha(made) ? yield* unpremultiply(made) : made;
}

/**
 * The part of an image that `resample` reads for a window: its columns, and its rows from the first one to the end of
 * the image, so that a decoder still finds out whether the file is whole. Undefined if it reads all of it.
 */
export function readPart(
  image: Size,
  size: Size,
  options: ResampleOptions,
  { left, top, width, height }: Window,
): Window | undefined {
  if (isTurned(image, size, options)) return undefined;
  const columns = spanOfPixels({ ...options, from: image.width, to: size.width }, left, width);
  const rows = spanOfPixels({ ...options, from: image.height, to: size.height }, top, height);
  return {
    left: columns.first,
    top: rows.first,
    width: columns.end - columns.first,
    height: image.height - rows.first,
  };
}

function isTurned(image: Size, size: Size, { firstPass, arithmetic }: ResampleOptions): boolean {
  return arithmetic === 'pillow' && firstPass === 'auto' && losesHeight(image, size);
}

/**
 * Whether Pillow 13 makes the image low before it makes it narrow: it does if the height loses more than twice as many
 * pixels as the width.
 */
function losesHeight(image: Size, size: Size): boolean {
  const lost = image.height - size.height;
  return lost > 0 && lost > 2 * (image.width - size.width);
}

/** Makes the columns of the target one after the other: the image is made low first. */
function resampleColumns(image: PixelRaster, horizontal: Kernels, vertical: Kernels): Work<Uint8Array> {
  const { first, end } = spanOf(vertical);
  return resampleRows(columnsOf(image, first, end), vertical, horizontal);
}

function resampleRows(rows: RowSource, horizontal: Kernels, vertical: Kernels): Work<Uint8Array> {
  const run = suitsSimd(rows) ? resampleSimd : resampleScalar;
  return run(hasAlpha(rows) ? premultiplied(rows) : rows, horizontal, vertical);
}

function* transpose(image: PixelRaster): Work<PixelRaster> {
  return { ...(yield* orient({ ...image, orientation: 5 })), orientation: image.orientation };
}
