import type { Work } from '../../work.ts';
import type { PixelRaster, Size } from '../raster.ts';

/** Turns a picture upright as its EXIF orientation says: the pixels of `PIL.ImageOps.exif_transpose`. */
export function* orient(image: PixelRaster): Work<PixelRaster> {
  const turn = TURNS[image.orientation ?? 1];
  return turn ? { ...(yield* move(image, turn)), orientation: undefined } : image;
}

/** Whether an orientation lays an image on its side. */
export function isOnSide(orientation: number | undefined): boolean {
  return TURNS[orientation ?? 1]?.swaps ?? false;
}

/** The places from which the pixels of a row and of a column come. */
interface Turn {
  /** Rows become columns. */
  readonly swaps: boolean;
  readonly fromRight: boolean;
  readonly fromBottom: boolean;
}

const TRANSPOSED: Turn = { swaps: true, fromRight: false, fromBottom: false };

/** By the value of the EXIF tag, 0x0112. Source: EXIF 2.32, section 4.6.4. */
const TURNS: Readonly<Record<number, Turn>> = {
  2: { swaps: false, fromRight: true, fromBottom: false },
  3: { swaps: false, fromRight: true, fromBottom: true },
  4: { swaps: false, fromRight: false, fromBottom: true },
  5: TRANSPOSED,
  6: { swaps: true, fromRight: false, fromBottom: true },
  7: { swaps: true, fromRight: true, fromBottom: true },
  8: { swaps: true, fromRight: true, fromBottom: false },
};

function* move(image: PixelRaster, turn: Turn): Work<PixelRaster> {
  const { channels } = image;
  const size = turn.swaps ? { width: image.height, height: image.width } : image;
  const data = new Uint8Array(size.width * size.height * channels);
  const target = { ...image, width: size.width, height: size.height, data };
  yield {
    count: countTiles(target),
    cost: TILE_SIDE ** 2 * channels,
    run: (from, to) => moveTiles(image, turn, target, from, to),
  };
  return target;
}

/**
 * Writes columns of an image as rows.
 *
 * @param out as many bytes as the columns `first` to `end` (exclusive) of the rows `top` to `bottom` (exclusive) have
 */
export function copyColumns(
  image: PixelRaster,
  { top, bottom, first, end }: { readonly top: number; bottom: number; first: number; end: number },
  out: Uint8Array,
): void {
  const source = { ...image, data: image.data.subarray((top * image.width + first) * image.channels) };
  const target = { ...image, width: bottom - top, height: end - first, data: out };
  moveTiles(source, TRANSPOSED, target, 0, countTiles(target));
}

function countTiles({ width, height }: Size): number {
  return Math.ceil(width / TILE_SIDE) * Math.ceil(height / TILE_SIDE);
}

function moveTiles(image: PixelRaster, turn: Turn, target: PixelRaster, from: number, to: number): void {
  const { width, height } = target;
  const tilesAcross = Math.ceil(width / TILE_SIDE);
  for (let tile = from; tile < to; tile++) {
    const [left, top] = [(tile % tilesAcross) * TILE_SIDE, Math.floor(tile / tilesAcross) * TILE_SIDE];
    const [right, bottom] = [Math.min(left + TILE_SIDE, width), Math.min(top + TILE_SIDE, height)];
    moveTile(image, turn, target, { left, top, right, bottom });
  }
}

/** Rows become columns tile by tile: the processor's cache holds the source of a tile until the whole tile is read. */
const TILE_SIDE = 64;

interface Tile {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function moveTile(
  { width: sourceWidth, height: sourceHeight, channels, data }: PixelRaster,
  { swaps, fromRight, fromBottom }: Turn,
  { width, data: out }: PixelRaster,
  { left, top, right, bottom }: Tile,
): void {
  // Distances in the source of one pixel to the right and one pixel down, as seen in the source.
  const [stepX, stepY] = [fromRight ? -channels : channels, (fromBottom ? -1 : 1) * sourceWidth * channels];
  const firstX = fromRight ? (sourceWidth - 1) * channels : 0;
  const firstY = fromBottom ? (sourceHeight - 1) * sourceWidth * channels : 0;
  const [along, across] = swaps ? [stepY, stepX] : [stepX, stepY];
  for (let y = top; y < bottom; y++) {
    let from = firstX + firstY + y * across + left * along;
    let to = (y * width + left) * channels;
    for (let x = left; x < right; x++, from += along) {
      for (let c = 0; c < channels; c++) out[to++] = data[from + c] ?? 0;
    }
  }
}
