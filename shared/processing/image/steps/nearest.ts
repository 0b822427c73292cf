import type { Work } from '../../work.ts';
import type { PixelRaster, Size, Window } from '../raster.ts';
import type { Arithmetic } from './resample/kernels.ts';

/**
 * A window of the image resized to a size without weighing pixels, as `PIL.Image.resize` with `NEAREST` or, for
 * `torch`, torchvision with `NEAREST_EXACT`. Positions are computed as there, so the rounding errors are the same.
 */
export function* resizeNearest(
  image: PixelRaster,
  size: Size,
  window: Window,
  arithmetic: Arithmetic,
): Work<PixelRaster> {
  const { channels } = image;
  const { width, height, left, top } = window;
  const sourcePositions = POSITIONS[arithmetic];
  const columns = sourcePositions(image.width, size.width, left, width);
  const rows = sourcePositions(image.height, size.height, top, height);
  const out = new Uint8Array(width * height * channels);
  const run = (from: number, to: number) => pickRows(image, columns, rows.subarray(from, to), out, from);
  yield { count: height, cost: width * channels, run };
  return { ...image, width, height, data: out };
}

/** Writes target rows, starting with number `first`; each is made from one source row. */
function pickRows(
  { width, channels, data }: PixelRaster,
  columns: Int32Array,
  rows: Int32Array,
  out: Uint8Array,
  first: number,
): void {
  let to = first * columns.length * channels;
  for (const row of rows) {
    for (let x = 0; x < columns.length; x++) {
      const from = (row * width + (columns[x] ?? 0)) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c] ?? 0;
    }
  }
}

type Positions = (from: number, to: number, first: number, count: number) => Int32Array;

const POSITIONS: Readonly<Record<Arithmetic, Positions>> = {
  pillow: summedPositions,
  torch: scaledPositions,
};

/** Each position is computed separately, in float32. */
function scaledPositions(from: number, to: number, first: number, count: number): Int32Array {
  const scale = Math.fround(from / to);
  return Int32Array.from({ length: count }, (_, i) =>
    Math.min(Math.floor(Math.fround((first + i + 0.5) * scale)), from - 1),
  );
}

function summedPositions(from: number, to: number, first: number, count: number): Int32Array {
  const step = from / to;
  const positions = new Int32Array(count);
  let at = step * 0.5;
  for (let i = 0; i < first + count; i++) {
    if (i >= first) positions[i - first] = Math.min(Math.trunc(at), from - 1);
    at += step;
  }
  return positions;
}
