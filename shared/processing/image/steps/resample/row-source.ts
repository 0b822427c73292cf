import type { PixelRaster } from '../../raster.ts';
import { premultiply } from '../alpha.ts';
import { copyColumns } from '../orient.ts';

/** Rows of pixels for the resampler. They are made when they are read, so a large image is never copied. */
export interface RowSource {
  /** The pixels in a row, and the index in the image of its first one. */
  readonly width: number;
  readonly left: number;
  readonly channels: number;
  /** The bytes of rows `from` to `to` (exclusive). They must not be changed and are valid until the next read. */
  read(from: number, to: number): Uint8Array;
}

export function rowsOf({ width, channels, data, partOf }: PixelRaster): RowSource {
  const rowBytes = width * channels;
  const { left, top } = partOf ?? { left: 0, top: 0 };
  const read = (from: number, to: number) => data.subarray((from - top) * rowBytes, (to - top) * rowBytes);
  return { width, left, channels, read };
}

/** Columns of an image as rows, from its row `top` to `bottom` (exclusive). */
export function columnsOf(image: PixelRaster, top: number, bottom: number): RowSource {
  const { channels } = image;
  const width = bottom - top;
  const rowBytes = width * channels;
  const mostColumns = Math.ceil(STRIP_BYTES / rowBytes);
  let strip = new Uint8Array(0);
  let [first, end] = [0, 0];
  const read = (from: number, to: number) => {
    if (from < first || to > end) {
      [first, end] = [from, Math.min(Math.max(to, from + mostColumns), image.width)];
      const bytes = (end - first) * rowBytes;
      if (strip.length < bytes) strip = new Uint8Array(bytes);
      copyColumns(image, { top, bottom, first, end }, strip);
    }
    return strip.subarray((from - first) * rowBytes, (to - first) * rowBytes);
  };
  return { width, left: top, channels, read };
}

/** Columns are read in strips: reading one distant byte of memory costs as much as reading its 63 neighbours too. */
const STRIP_BYTES = 2_097_152;

/** The same pixels with their colours multiplied by alpha. */
export function premultiplied(rows: RowSource): RowSource {
  const read = (from: number, to: number) => {
    const data = new Uint8Array(rows.read(from, to));
    premultiply(data, rows.channels);
    return data;
  };
  return { ...rows, read };
}
