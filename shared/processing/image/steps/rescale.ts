import type * as z from 'zod/mini';
import type { Raster } from '../raster.ts';
import type { rescaleOptions } from './options.ts';

/**
 * Multiplies every value in float64 and rounds it to float32, then adds the offset in float32, as the image processors
 * of Hugging Face do. Products with 1/255 and 1/127.5 are the same float32 as quotients, for every byte.
 */
export function rescale(image: Raster, { scale, offset = 0 }: z.infer<typeof rescaleOptions>): Raster {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.fround((image.data[i] ?? 0) * scale) + offset;
  return { ...image, data };
}
