import type * as z from 'zod/mini';
import { invalid } from '../../../errors.ts';
import type { Raster } from '../raster.ts';
import type { normalizeOptions } from './options.ts';

export type NormalizeOptions = z.infer<typeof normalizeOptions>;

/**
 * Subtracts the mean and divides by the standard deviation of each channel, in float32, as
 * `torchvision.transforms.Normalize` and the image processors of Hugging Face do.
 *
 * @throws InferenceError for an image with another number of channels than there are numbers
 */
export function normalize(image: Raster, { mean, std }: NormalizeOptions): Raster {
  const { channels } = image;
  for (const { length } of [mean, std]) {
    if (length !== 1 && length !== channels) {
      throw invalid(`The image has ${channels} channels; the model's normalize step takes ${length}.`);
    }
  }
  const means = Float32Array.from({ length: channels }, (_, c) => mean[c] ?? mean[0] ?? 0);
  const deviations = Float32Array.from({ length: channels }, (_, c) => std[c] ?? std[0] ?? 1);
  const data = new Float32Array(image.data.length);
  for (let i = 0; i < data.length; i++) {
    const c = i % channels;
    data[i] = Math.fround((image.data[i] ?? 0) - (means[c] ?? 0)) / (deviations[c] ?? 1);
  }
  return { ...image, data };
}
