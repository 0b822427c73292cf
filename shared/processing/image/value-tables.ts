import { runValueStep, type ValueStep } from '../registry.ts';
import type { Work } from '../work.ts';
import type { PixelRaster, Raster, RasterData } from './raster.ts';

/**
 * Runs steps that make values of bytes: once on all 256 bytes of each channel, which gives a table, then each value of
 * an image is looked up. The numbers are those of the steps run one after the other.
 */
export function createValueRunner(steps: readonly ValueStep[]): (image: PixelRaster) => Work<Raster> {
  const planar = steps.some((step) => step.step === 'layout' && step.layout === 'NCHW');
  const arithmetic = steps.filter(({ step }) => step !== 'layout');
  const tables = new Map<number, Raster>();
  return function* runValues(image) {
    if (steps.length === 0) return image;
    const table = tables.get(image.channels) ?? arithmetic.reduce(runValueStep, allBytes(image.channels));
    tables.set(image.channels, table);
    const { width, height, channels } = image;
    const data = allocateLike(table.data, image.data.length);
    const lookUp = planar ? lookUpPlanes : lookUpPixels;
    const run = (from: number, to: number) => lookUp(image, table.data, data, from, to);
    yield { count: width * height, cost: channels, run };
    const layout = planar ? 'CHW' : 'HWC';
    return { width, height, channels, layout, data, ...(table.datatype && { datatype: table.datatype }) };
  };
}

/** An image of 256 pixels, all of whose channels count from 0 to 255. */
function allBytes(channels: number): Raster {
  const data = Uint8Array.from({ length: 256 * channels }, (_, index) => Math.trunc(index / channels));
  return { width: 256, height: 1, channels, layout: 'HWC', data };
}

/** Looks up the values of pixels `first` to `end` (exclusive). */
function lookUpPixels(
  { data, channels }: PixelRaster,
  table: RasterData,
  values: RasterData,
  first: number,
  end: number,
): void {
  for (let at = first * channels; at < end * channels; at += channels) {
    for (let c = 0; c < channels; c++) values[at + c] = table[(data[at + c] ?? 0) * channels + c] ?? 0;
  }
}

function lookUpPlanes(
  { width, height, channels, data }: PixelRaster,
  table: RasterData,
  values: RasterData,
  first: number,
  end: number,
): void {
  const pixels = width * height;
  if (channels === 3) {
    // Nearly every model takes colours: written out, this takes half the time.
    for (let i = first, from = first * 3; i < end; i++, from += 3) {
      values[i] = table[(data[from] ?? 0) * 3] ?? 0;
      values[pixels + i] = table[(data[from + 1] ?? 0) * 3 + 1] ?? 0;
      values[2 * pixels + i] = table[(data[from + 2] ?? 0) * 3 + 2] ?? 0;
    }
    return;
  }
  for (let c = 0; c < channels; c++) {
    for (let i = first; i < end; i++) {
      values[c * pixels + i] = table[(data[i * channels + c] ?? 0) * channels + c] ?? 0;
    }
  }
}

const KINDS = [Float32Array, Uint16Array, Uint8Array, Int8Array, Int16Array, Int32Array, Float64Array];

/** Memory for so many values of the kind of array that is given. */
function allocateLike(sample: RasterData, length: number): RasterData {
  const Kind = KINDS.find((kind) => sample instanceof kind) ?? Float64Array;
  return new Kind(length);
}
