import type { PixelRaster, Size } from '../raster.ts';
import { isOnSide } from '../steps/orient.ts';
import type { ImageFile } from './image-file.ts';

/** The size that an upright image of some size gets. */
export type ResizedSize = (upright: Size) => Size;

/**
 * Decodes a JPEG to three times the size that it gets next, leaving out detail already while decoding. The pixels are not
 * quite those of the whole picture made smaller.
 *
 * @param orientation what will turn the image upright, if it is turned
 * @returns undefined for a picture that is not so large, which is better decoded whole
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

/** How much is left to the resize step: with 2 the difference would be twice as large, with 4 little would be saved. */
const LEFT_OVER = 3;

/** From here on sharp has the JPEG decoder halve the picture at least, and still makes it that much too large. */
const LEAST_SHRINK = 3 * LEFT_OVER;
