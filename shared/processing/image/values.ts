import * as z from 'zod';
import type { Raster } from './raster.ts';

export const rescaleOptions = z.strictObject({
  step: z.literal('rescale'),
  /** Every value is multiplied by this; 1/255 brings bytes to 0..1. */
  scale: z.number().positive(),
});

const perChannel = z.array(z.number()).min(1).max(4);

export const normalizeOptions = z.strictObject({
  step: z.literal('normalize'),
  /** One number per channel, subtracted. */
  mean: perChannel,
  /** One number per channel, divided by. */
  std: perChannel.refine((values) => values.every((value) => value > 0), 'must be positive'),
});

export const layoutOptions = z.strictObject({
  step: z.literal('layout'),
  /** `NCHW`: planes, as PyTorch. `NHWC`: pixels, as TensorFlow; images are decoded that way. */
  layout: z.enum(['NCHW', 'NHWC']),
});

/**
 * Multiplies every value, in float64 and then rounded to float32: the product with 1/255 is then the same float32 as
 * PyTorch's division by 255.
 */
export function rescale(image: Raster, options: z.infer<typeof rescaleOptions>): Raster {
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (image.data[i] ?? 0) * options.scale;
  return { ...image, data };
}

/** Subtracts the mean and divides by the standard deviation of each channel, as `torchvision.transforms.Normalize`. */
export function normalize(image: Raster, options: z.infer<typeof normalizeOptions>): Raster {
  const { channels } = image;
  const { mean, std } = options;
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) {
    const centred = Math.fround((image.data[i] ?? 0) - Math.fround(mean[i % channels] ?? 0));
    data[i] = centred / Math.fround(std[i % channels] ?? 1);
  }
  return { ...image, data };
}

/** Puts each channel in a plane of its own, or leaves the pixels as they are. */
export function layout(image: Raster, options: z.infer<typeof layoutOptions>): Raster {
  if (options.layout === 'NHWC') return image;
  const { channels } = image;
  const pixels = image.width * image.height;
  const data =
    image.data instanceof Uint8Array
      ? new Uint8Array(pixels * channels)
      : new Float32Array(pixels * channels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) data[c * pixels + i] = image.data[i * channels + c] ?? 0;
  }
  return { ...image, layout: 'CHW', data };
}
