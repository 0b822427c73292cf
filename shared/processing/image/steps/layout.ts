import type * as z from 'zod/mini';
import type { Raster } from '../raster.ts';
import type { layoutOptions } from './options.ts';

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
