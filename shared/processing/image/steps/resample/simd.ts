import type { Work } from '../../../work.ts';
import { type Chunk, chunkRows } from './chunks.ts';
import type { Kernels } from './kernels.ts';
import { packHorizontal, packVertical, pairsOf } from './pack-weights.ts';
import type { RowSource } from './row-source.ts';
import { compileSimd, type SimdInstance, takeSimd } from './simd-instance.ts';
import { COLUMN_BYTES, GROUP_PIXELS, ROWS_AT_ONCE } from './simd-module.ts';

/** Whether this machine and these rows suit `resampleSimd`. */
export function suitsSimd({ width, channels }: Pick<RowSource, 'width' | 'channels'>): boolean {
  return (channels === 3 || channels === 4) && width * channels <= WIDEST_ROW && compileSimd() !== undefined;
}

/** Resamples pixels of three or four channels with vectors of 128 bits; the same bytes as `resampleScalar`. */
export function* resampleSimd(source: RowSource, horizontal: Kernels, vertical: Kernels): Work<Uint8Array> {
  const { channels } = source;
  const rowBytes = horizontal.starts.length * channels;
  const out = new Uint8Array(rowBytes * vertical.starts.length);
  const chunks = chunkRows(vertical, rowBytes);
  const job = yield* prepare(source, horizontal, vertical, chunks);
  const blocks = Math.ceil(rowBytes / BLOCK_BYTES);
  for (const chunk of chunks) {
    yield {
      count: Math.ceil((chunk.endRow - chunk.firstRow) / ROWS_AT_ONCE),
      cost: ROWS_AT_ONCE * Math.max(source.width, horizontal.weights.length) * channels,
      run: (from, to) =>
        horizontalPass(source, horizontal, chunk, job, from * ROWS_AT_ONCE, to * ROWS_AT_ONCE),
    };
    yield {
      count: (chunk.to - chunk.from) * blocks,
      cost: vertical.stride * Math.min(rowBytes, BLOCK_BYTES),
      run: (from, to) => {
        for (let block = from; block < to; block++) {
          const y = chunk.from + Math.floor(block / blocks);
          verticalPass(vertical, chunk, job, y, (block % blocks) * BLOCK_BYTES, out);
        }
      },
    };
  }
  job.simd.giveBack();
  return out;
}

/** Wider rows are rare and would need much memory, because four of them are processed at once. */
const WIDEST_ROW = 1_048_576;

/** Source rows are copied in portions that the processor's cache holds. */
const BAND_BYTES = 262_144;

/** A long target row is made in blocks. */
const BLOCK_BYTES = 256 * COLUMN_BYTES;

interface Job {
  readonly simd: SimdInstance;
  /** The layout of the memory. */
  readonly places: {
    readonly horizontal: number;
    vertical: number;
    band: number;
    narrow: number;
    row: number;
  };
  /** Source rows of a band. */
  readonly bandRows: number;
  /** Bytes from one row made narrow to the next. */
  readonly pitch: number;
  readonly rowBytes: number;
}

function* prepare(
  source: RowSource,
  horizontal: Kernels,
  vertical: Kernels,
  chunks: readonly Chunk[],
): Work<Job> {
  const { channels } = source;
  const sourcePitch = source.width * channels;
  const mostRows = chunks.reduce((most, { firstRow, endRow }) => Math.max(most, endRow - firstRow), 0);
  const bandRows = roundUp(Math.ceil(BAND_BYTES / sourcePitch), ROWS_AT_ONCE);
  // A pixel of three channels is written with a fourth byte.
  const rowBytes = horizontal.starts.length * channels;
  const pitch = roundUp(rowBytes + 1, COLUMN_BYTES);
  const packed = { horizontal: yield* packHorizontal(horizontal), vertical: yield* packVertical(vertical) };
  let end = 0;
  const place = (bytes: number) => {
    const start = end;
    end = roundUp(end + bytes, COLUMN_BYTES);
    return start;
  };
  const places = {
    horizontal: place(packed.horizontal.length),
    vertical: place(packed.vertical.length),
    // The last group of weights reaches beyond the last pixel, with weights of zero.
    band: place(bandRows * sourcePitch + 2 * GROUP_PIXELS * channels),
    // Rows are made four at once, and read two at once.
    narrow: place((roundUp(mostRows, ROWS_AT_ONCE) + 1) * pitch),
    row: place(Math.min(BLOCK_BYTES, pitch)),
  };
  const simd = takeSimd(end);
  simd.memory.set(packed.horizontal, places.horizontal);
  simd.memory.set(packed.vertical, places.vertical);
  return { simd, places, bandRows, pitch, rowBytes };
}

/** Makes rows of a chunk narrow. Rows are counted from the first of the chunk. */
function horizontalPass(
  source: RowSource,
  horizontal: Kernels,
  { firstRow, endRow }: Chunk,
  { simd, places, bandRows, pitch }: Job,
  from: number,
  to: number,
): void {
  const { channels } = source;
  const sourcePitch = source.width * channels;
  const makeRows = channels === 3 ? simd.functions.rows3 : simd.functions.rows4;
  const rows = Math.min(to, endRow - firstRow);
  for (let band = from; band < rows; band += bandRows) {
    const end = Math.min(band + bandRows, rows);
    simd.memory.set(source.read(firstRow + band, firstRow + end), places.band);
    for (let row = band; row < end; row += ROWS_AT_ONCE) {
      const first = places.band + (row - band) * sourcePitch - source.left * channels;
      makeRows(
        first,
        sourcePitch,
        places.narrow + row * pitch,
        pitch,
        places.horizontal,
        horizontal.starts.length,
      );
    }
  }
}

/** Makes some bytes of target row `y`, starting at `left`. */
function verticalPass(
  vertical: Kernels,
  { firstRow }: Chunk,
  { simd, places, pitch, rowBytes }: Job,
  y: number,
  left: number,
  out: Uint8Array,
): void {
  const source = places.narrow + ((vertical.starts[y] ?? 0) - firstRow) * pitch + left;
  const weights = places.vertical + y * pairsOf(vertical.stride) * 8;
  const padded = Math.min(BLOCK_BYTES, pitch - left);
  simd.functions.columns(source, pitch, places.row, weights, pairsOf(vertical.lengths[y] ?? 0), padded);
  const bytes = Math.min(BLOCK_BYTES, rowBytes - left);
  out.set(simd.memory.subarray(places.row, places.row + bytes), y * rowBytes + left);
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
