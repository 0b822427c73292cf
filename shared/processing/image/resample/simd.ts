import type { PixelRaster } from '../raster.ts';
import { type Chunk, chunkRows } from './chunks.ts';
import type { Kernels } from './kernels.ts';
import { packAcross, packDown, pairsOf } from './pack-weights.ts';
import { compileSimd, openSimd, type SimdFunctions } from './simd-instance.ts';
import { COLUMN_BYTES, GROUP_PIXELS, ROWS_AT_ONCE } from './simd-module.ts';

/** Whether this machine and this image suit `resampleSimd`. */
export function suitsSimd({ width, channels }: PixelRaster): boolean {
  return (channels === 3 || channels === 4) && width * channels <= WIDEST_ROW && compileSimd() !== undefined;
}

/** Resamples pixels of three or four channels with vectors of 128 bits; the same bytes as `resampleScalar`. */
export function resampleSimd(image: PixelRaster, across: Kernels, down: Kernels): Uint8Array {
  const rowBytes = across.starts.length * image.channels;
  const chunks = chunkRows(down, rowBytes);
  const job = prepare(image, across, down, chunks);
  const { memory, places, pitch } = job;
  const out = new Uint8Array(rowBytes * down.starts.length);
  for (const chunk of chunks) {
    narrowRows(image, across.starts.length, chunk, job);
    for (let y = chunk.from; y < chunk.to; y++) {
      const source = places.narrow + ((down.starts[y] ?? 0) - chunk.firstRow) * pitch;
      const weights = places.down + y * pairsOf(down.stride) * 8;
      job.functions.columns(source, pitch, places.row, weights, pairsOf(down.lengths[y] ?? 0), pitch);
      out.set(memory.subarray(places.row, places.row + rowBytes), y * rowBytes);
    }
  }
  return out;
}

/** Wider rows are rare and would need much memory: four of them are worked on at once. */
const WIDEST_ROW = 1_048_576;

/** Source rows are copied in portions that the processor's cache holds. */
const BAND_BYTES = 262_144;

interface Job {
  readonly functions: SimdFunctions;
  readonly memory: Uint8Array;
  /** Where in the memory things stand. */
  readonly places: { readonly across: number; down: number; band: number; narrow: number; row: number };
  /** Source rows of a band. */
  readonly bandRows: number;
  /** Bytes from one row made narrow to the next. */
  readonly pitch: number;
}

function prepare(image: PixelRaster, across: Kernels, down: Kernels, chunks: readonly Chunk[]): Job {
  const { channels } = image;
  const sourcePitch = image.width * channels;
  const mostRows = chunks.reduce((most, { firstRow, endRow }) => Math.max(most, endRow - firstRow), 0);
  const bandRows = roundUp(Math.ceil(BAND_BYTES / sourcePitch), ROWS_AT_ONCE);
  // A pixel of three channels is written with a fourth byte.
  const pitch = roundUp(across.starts.length * channels + 1, COLUMN_BYTES);
  const packed = { across: packAcross(across), down: packDown(down) };
  let end = 0;
  const place = (bytes: number) => {
    const start = end;
    end = roundUp(end + bytes, COLUMN_BYTES);
    return start;
  };
  const places = {
    across: place(packed.across.length),
    down: place(packed.down.length),
    // The last group of weights reaches behind the last pixel, with weights of zero.
    band: place(bandRows * sourcePitch + 2 * GROUP_PIXELS * channels),
    // Rows are made four at once, and read two at once.
    narrow: place((roundUp(mostRows, ROWS_AT_ONCE) + 1) * pitch),
    row: place(pitch),
  };
  const { functions, memory } = openSimd(end);
  memory.set(packed.across, places.across);
  memory.set(packed.down, places.down);
  return { functions, memory, places, bandRows, pitch };
}

function narrowRows({ channels, width, data }: PixelRaster, pixels: number, chunk: Chunk, job: Job): void {
  const { functions, memory, places, bandRows, pitch } = job;
  const sourcePitch = width * channels;
  const makeRows = channels === 3 ? functions.rows3 : functions.rows4;
  for (let band = chunk.firstRow; band < chunk.endRow; band += bandRows) {
    const end = Math.min(band + bandRows, chunk.endRow);
    memory.set(data.subarray(band * sourcePitch, end * sourcePitch), places.band);
    for (let row = band; row < end; row += ROWS_AT_ONCE) {
      const source = places.band + (row - band) * sourcePitch;
      const target = places.narrow + (row - chunk.firstRow) * pitch;
      makeRows(source, sourcePitch, target, pitch, places.across, pixels);
    }
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
