import * as z from 'zod/mini';
import { invalid } from '../../../errors.ts';
import type { Raster } from '../raster.ts';
import { floatOption, positiveFloatOption } from './options.ts';

const perChannel = <T extends z.ZodMiniType>(number: T) =>
  z.array(number).check(z.minLength(1), z.maxLength(4));

export const normalizeOptions = z
  .strictObject({
    step: z.literal('normalize'),
    mean: perChannel(floatOption).register(z.globalRegistry, {
      description: 'Number to subtract: one per channel, or one for all.',
    }),
    std: perChannel(positiveFloatOption).register(z.globalRegistry, {
      description: 'Number to divide by: one per channel, or one for all.',
    }),
  })
  .register(z.globalRegistry, { description: '(value - mean) / std' });

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
