import type { Work } from '../../../work.ts';
import { chunkRows } from './chunks.ts';
import { type Kernels, PRECISION_BITS } from './kernels.ts';
import type { RowSource } from './row-source.ts';

/** Resamples with plain numbers: any number of channels, on any machine. */
export function* resampleScalar(source: RowSource, horizontal: Kernels, vertical: Kernels): Work<Uint8Array> {
  const { channels } = source;
  const rowBytes = horizontal.starts.length * channels;
  const out = new Uint8Array(rowBytes * vertical.starts.length);
  for (const chunk of chunkRows(vertical, rowBytes)) {
    const { from: first, to: end, firstRow, endRow } = chunk;
    const narrow = new Uint8Array((endRow - firstRow) * rowBytes);
    yield {
      count: endRow - firstRow,
      cost: Math.max(source.width, horizontal.weights.length) * channels,
      run: (from, to) => {
        const rows = source.read(firstRow + from, firstRow + to);
        horizontalPass(rows, source, horizontal, narrow.subarray(from * rowBytes, to * rowBytes));
      },
    };
    yield {
      count: (end - first) * rowBytes,
      cost: vertical.stride,
      run: (from, to) => {
        const skipped = first * rowBytes;
        verticalPass(narrow, firstRow, rowBytes, vertical, out, skipped + from, skipped + to);
      },
    };
  }
  return out;
}

/** Makes the same number of target rows from source rows. */
function horizontalPass(
  data: Uint8Array,
  { width: sourceWidth, left, channels }: RowSource,
  { starts, lengths, weights, stride }: Kernels,
  out: Uint8Array,
): void {
  const width = starts.length;
  for (let row = 0, to = 0; to < out.length; row += sourceWidth * channels) {
    for (let x = 0; x < width; x++) {
      const first = row + ((starts[x] ?? 0) - left) * channels;
      const length = lengths[x] ?? 0;
      for (let c = 0; c < channels; c++) {
        out[to++] = convolve(data, first + c, channels, weights, x * stride, length);
      }
    }
  }
}

/** Makes the bytes `from` to `to` (exclusive) of the target. */
function verticalPass(
  narrow: Uint8Array,
  firstRow: number,
  rowBytes: number,
  { starts, lengths, weights, stride }: Kernels,
  out: Uint8Array,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; ) {
    const y = Math.floor(at / rowBytes);
    const end = Math.min(to, (y + 1) * rowBytes);
    const length = lengths[y] ?? 0;
    let first = ((starts[y] ?? 0) - firstRow - y) * rowBytes + at;
    for (; at < end; at++, first++) {
      out[at] = convolve(narrow, first, rowBytes, weights, y * stride, length);
    }
  }
}

/** The weighted sum of `length` bytes that lie `step` apart, rounded and clipped to a byte. */
function convolve(
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
