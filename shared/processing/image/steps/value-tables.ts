import type { Work } from '../../work.ts';
import type { PixelRaster, Raster, RasterData } from '../raster.ts';
import type { ValueStep } from './step-schemas.ts';
import { runValueStep } from './steps.ts';

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
    const pixels = width * height;
    const run = (from: number, to: number) => {
      const part = image.data.subarray(from * channels, to * channels);
      if (!planar) {
        lookUpPixels(part, channels, table.data, data.subarray(from * channels, to * channels));
        return;
      }
      const planes = Array.from({ length: channels }, (_, c) =>
        data.subarray(c * pixels + from, c * pixels + to),
      );
      lookUpPlanes(part, table.data, planes);
    };
    yield { count: pixels, cost: channels, run };
    const layout = planar ? 'CHW' : 'HWC';
    return { width, height, channels, layout, data, ...(table.datatype && { datatype: table.datatype }) };
  };
}

/** An image of 256 pixels, all of whose channels count from 0 to 255. */
function allBytes(channels: number): Raster {
  const data = Uint8Array.from({ length: 256 * channels }, (_, index) => Math.trunc(index / channels));
  return { width: 256, height: 1, channels, layout: 'HWC', data };
}

/** Fills a part of the values, pixel by pixel, from the same number of bytes. */
function lookUpPixels(data: Uint8Array, channels: number, table: RasterData, values: RasterData): void {
  for (let at = 0; at < data.length; at += channels) {
    for (let c = 0; c < channels; c++) values[at + c] = table[(data[at + c] ?? 0) * channels + c] ?? 0;
  }
}

/** Fills a part of each plane from the pixels that belong there. */
function lookUpPlanes(data: Uint8Array, table: RasterData, planes: readonly RasterData[]): void {
  const [red, green, blue, ...others] = planes;
  if (red && green && blue && others.length === 0) {
    // Nearly every model takes three colours: a loop written out for them takes half the time.
    for (let i = 0, from = 0; from < data.length; i++, from += 3) {
      red[i] = table[(data[from] ?? 0) * 3] ?? 0;
      green[i] = table[(data[from + 1] ?? 0) * 3 + 1] ?? 0;
      blue[i] = table[(data[from + 2] ?? 0) * 3 + 2] ?? 0;
    }
    return;
  }
  const channels = planes.length;
  for (const [c, plane] of planes.entries()) {
    for (let i = 0, from = c; from < data.length; i++, from += channels) {
      plane[i] = table[(data[from] ?? 0) * channels + c] ?? 0;
    }
  }
}

const KINDS = [Float32Array, Uint16Array, Uint8Array, Int8Array, Int16Array, Int32Array, Float64Array];

/** Memory for this many values, in an array of the same type as the given one. */
function allocateLike(sample: RasterData, length: number): RasterData {
  const Kind = KINDS.find((kind) => sample instanceof kind) ?? Float64Array;
  return new Kind(length);
}
