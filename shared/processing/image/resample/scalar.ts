import type { PixelRaster } from '../raster.ts';
import { chunkRows } from './chunks.ts';
import { type Kernels, PRECISION_BITS } from './kernels.ts';

/** Resamples with plain numbers: any count of channels, on any machine. */
export function resampleScalar(image: PixelRaster, across: Kernels, down: Kernels): Uint8Array {
  const rowBytes = across.starts.length * image.channels;
  const out = new Uint8Array(rowBytes * down.starts.length);
  for (const { from, to, firstRow, endRow } of chunkRows(down, rowBytes)) {
    const narrow = narrowRows(image, across, firstRow, endRow);
    for (let y = from; y < to; y++) {
      const first = ((down.starts[y] ?? 0) - firstRow) * rowBytes;
      const length = down.lengths[y] ?? 0;
      for (let x = 0; x < rowBytes; x++) {
        out[y * rowBytes + x] = weigh(narrow, first + x, rowBytes, down.weights, y * down.stride, length);
      }
    }
  }
  return out;
}

function narrowRows(image: PixelRaster, across: Kernels, firstRow: number, endRow: number): Uint8Array {
  const { channels, data } = image;
  const { starts, lengths, weights, stride } = across;
  const width = starts.length;
  const out = new Uint8Array((endRow - firstRow) * width * channels);
  let to = 0;
  for (let y = firstRow; y < endRow; y++) {
    const row = y * image.width * channels;
    for (let x = 0; x < width; x++) {
      const first = row + (starts[x] ?? 0) * channels;
      const length = lengths[x] ?? 0;
      for (let c = 0; c < channels; c++) {
        out[to++] = weigh(data, first + c, channels, weights, x * stride, length);
      }
    }
  }
  return out;
}

/** The weighted sum of `length` bytes that lie `step` apart, rounded and clipped to a byte. */
function weigh(
  data: Uint8Array,
  first: number,
  step: number,
  weights: Int32Array,
  weightsFirst: number,
  length: number,
): number {
  let sum = 1 << (PRECISION_BITS - 1);
  for (let k = 0, at = first; k < length; k++, at += step) {
    sum += (data[at] ?? 0) * (weights[weightsFirst + k] ?? 0);
  }
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : Math.min(value, 255);
}
