import * as z from 'zod/mini';
import type { Raster } from '../raster.ts';
import { floatOption, positiveFloatOption } from './options.ts';

export const rescaleOptions = z
  .strictObject({
    step: z.literal('rescale'),
    scale: positiveFloatOption
      .clone()
      .register(z.globalRegistry, { description: 'Factor for each value. 1/255 brings bytes to 0..1.' }),
    offset: z.optional(floatOption).register(z.globalRegistry, {
      description: 'Number that is added afterwards. -1 with a scale of 1/127.5 brings bytes to -1..1.',
    }),
  })
  .register(z.globalRegistry, { description: 'value * scale + offset' });

/**
 * Multiplies every value in float64 and rounds it to float32, then adds the offset in float32, as the image processors
 * of Hugging Face do. Products with 1/255 and 1/127.5 are the same float32 as quotients, for every byte.
 */
export function rescale(image: Raster, { scale, offset = 0 }: z.infer<typeof rescaleOptions>): Raster {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.fround((image.data[i] ?? 0) * scale) + offset;
  return { ...image, data };
}
