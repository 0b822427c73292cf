import * as z from 'zod/mini';
import type { Raster } from '../raster.ts';

export const layoutOptions = z
  .strictObject({
    step: z.literal('layout'),
    layout: z.enum(['NCHW', 'NHWC']).register(z.globalRegistry, {
      description: 'NCHW: planes, as in PyTorch. NHWC: pixels, as in TensorFlow.',
    }),
  })
  .register(z.globalRegistry, { description: 'Puts the axes into the order that the graph takes.' });

/** Puts each channel in a separate plane, or leaves the pixels unchanged. */
export function layout(image: Raster, options: z.infer<typeof layoutOptions>): Raster {
  if (options.layout === 'NHWC') return image;
  const { channels } = image;
  const pixels = image.width * image.height;
  const data = image.data.slice();
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) data[c * pixels + i] = image.data[i * channels + c] ?? 0;
  }
  return { ...image, layout: 'CHW', data };
}
