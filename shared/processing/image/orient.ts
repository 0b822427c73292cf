import * as z from 'zod';
import type { PixelRaster } from './raster.ts';

export const orientOptions = z.strictObject({ step: z.literal('orient') });

/** Turns a picture upright as its EXIF orientation says: the pixels of `PIL.ImageOps.exif_transpose`. */
export function orient(image: PixelRaster): PixelRaster {
  const turn = TURNS[image.orientation ?? 1];
  return turn ? { ...move(image, turn), orientation: undefined } : image;
}

/** Whether an orientation lays an image on its side. */
export function isOnSide(orientation: number | undefined): boolean {
  return TURNS[orientation ?? 1]?.swaps ?? false;
}

/** Where the pixels of a row and of a column come from. */
interface Turn {
  /** Rows become columns. */
  readonly swaps: boolean;
  readonly fromRight: boolean;
  readonly fromBottom: boolean;
}

/** By the value of the EXIF tag, 0x0112. Source: EXIF 2.32, section 4.6.4. */
const TURNS: Readonly<Record<number, Turn>> = {
  2: { swaps: false, fromRight: true, fromBottom: false },
  3: { swaps: false, fromRight: true, fromBottom: true },
  4: { swaps: false, fromRight: false, fromBottom: true },
  5: { swaps: true, fromRight: false, fromBottom: false },
  6: { swaps: true, fromRight: false, fromBottom: true },
  7: { swaps: true, fromRight: true, fromBottom: true },
  8: { swaps: true, fromRight: true, fromBottom: false },
};

function move(image: PixelRaster, { swaps, fromRight, fromBottom }: Turn): PixelRaster {
  const { channels, data } = image;
  const [width, height] = swaps ? [image.height, image.width] : [image.width, image.height];
  const out = new Uint8Array(data.length);
  // Steps in the source for one pixel to the right and one down in the source's own terms.
  const [stepX, stepY] = [fromRight ? -channels : channels, (fromBottom ? -1 : 1) * image.width * channels];
  const firstX = fromRight ? (image.width - 1) * channels : 0;
  const firstY = fromBottom ? (image.height - 1) * image.width * channels : 0;
  const [along, across] = swaps ? [stepY, stepX] : [stepX, stepY];
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = firstX + firstY + y * across;
    for (let x = 0; x < width; x++, from += along) {
      for (let c = 0; c < channels; c++) out[to++] = data[from + c] ?? 0;
    }
  }
  return { ...image, width, height, data: out };
}
