import type { PixelRaster, Size } from '../raster.ts';
import { isOnSide } from '../steps/orient.ts';
import type { ImageFile } from './image-file.ts';

/** The size that an upright image of some size gets. */
export type ResizedSize = (upright: Size) => Size;

/**
 * Decodes a JPEG to three times the size that it gets next, and leaves out detail during decoding. The pixels differ
 * slightly from those of the whole picture made smaller.
 *
 * @param orientation the EXIF orientation that a later step will apply, if any
 * @returns undefined for a picture that is not large enough and is better decoded whole
 */
export async function decodeShrunk(
  file: ImageFile,
  resizedSize: ResizedSize,
  orientation: number | undefined,
): Promise<PixelRaster | undefined> {
  const { width, height } = await file.readHeader();
  const swap = (size: Size) => (isOnSide(orientation) ? { width: size.height, height: size.width } : size);
  const target = swap(resizedSize(swap({ width, height })));
  const shrink = Math.min(width / target.width, height / target.height);
  if (shrink < LEAST_SHRINK) return undefined;
  const shrinkTo = { width: target.width * LEFT_OVER, height: target.height * LEFT_OVER };
  const image = await file.readPixels({ shrinkTo });
  return { ...image, filePixels: width * height };
}

/**
 * How much shrinking is left to the resize step: with 2 the difference would be twice as large, with 4 little time
 * would be saved.
 */
const LEFT_OVER = 3;

/**
 * From this factor on, sharp lets the JPEG decoder at least halve the picture, and the result is still `LEFT_OVER`
 * times too large.
 */
const LEAST_SHRINK = 3 * LEFT_OVER;
