import { runValueStep, type ValueStep } from '../registry.ts';
import type { PixelRaster, Raster, RasterData } from './raster.ts';

/**
 * Runs steps that make values of bytes: once on all 256 bytes of each channel, which gives a table, then each value of
 * an image is looked up. The numbers are those of the steps run one after the other.
 */
export function createValueRunner(steps: readonly ValueStep[]): (image: PixelRaster) => Raster {
  const planar = steps.some((step) => step.step === 'layout' && step.layout === 'NCHW');
  const arithmetic = steps.filter(({ step }) => step !== 'layout');
  const tables = new Map<number, Raster>();
  return (image) => {
    if (steps.length === 0) return image;
    const table = tables.get(image.channels) ?? arithmetic.reduce(runValueStep, allBytes(image.channels));
    tables.set(image.channels, table);
    const { width, height, channels } = image;
    const data = planar ? lookUpPlanes(image, table.data) : lookUpPixels(image, table.data);
    const layout = planar ? 'CHW' : 'HWC';
    return { width, height, channels, layout, data, ...(table.datatype && { datatype: table.datatype }) };
  };
}

/** An image of 256 pixels, all of whose channels count from 0 to 255. */
function allBytes(channels: number): Raster {
  const data = Uint8Array.from({ length: 256 * channels }, (_, index) => Math.trunc(index / channels));
  return { width: 256, height: 1, channels, layout: 'HWC', data };
}

function lookUpPixels({ data, channels }: PixelRaster, table: RasterData): RasterData {
  const values = allocateLike(table, data.length);
  for (let at = 0; at < data.length; at += channels) {
    for (let c = 0; c < channels; c++) values[at + c] = table[(data[at + c] ?? 0) * channels + c] ?? 0;
  }
  return values;
}

function lookUpPlanes({ width, height, channels, data }: PixelRaster, table: RasterData): RasterData {
  const pixels = width * height;
  const values = allocateLike(table, data.length);
  if (channels === 3) {
    // Nearly every model takes colours: written out, this takes half the time.
    for (let i = 0, from = 0; i < pixels; i++, from += 3) {
      values[i] = table[(data[from] ?? 0) * 3] ?? 0;
      values[pixels + i] = table[(data[from + 1] ?? 0) * 3 + 1] ?? 0;
      values[2 * pixels + i] = table[(data[from + 2] ?? 0) * 3 + 2] ?? 0;
    }
    return values;
  }
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) {
      values[c * pixels + i] = table[(data[i * channels + c] ?? 0) * channels + c] ?? 0;
    }
  }
  return values;
}

const KINDS = [Float32Array, Uint16Array, Uint8Array, Int8Array, Int16Array, Int32Array, Float64Array];

/** Memory for so many values of the kind of array that is given. */
function allocateLike(sample: RasterData, length: number): RasterData {
  const Kind = KINDS.find((kind) => sample instanceof kind) ?? Float64Array;
  return new Kind(length);
}
