import * as z from 'zod';
import { convert, convertOptions } from './image/convert.ts';
import type { PixelRaster, Raster } from './image/raster.ts';
import { resize, resizeOptions } from './image/resize.ts';
import {
  layout,
  layoutOptions,
  normalize,
  normalizeOptions,
  rescale,
  rescaleOptions,
} from './image/values.ts';

/** One preprocessing step of an image model, as `model.json` spells it. */
export const imageStepSchema = z.discriminatedUnion('step', [
  convertOptions,
  resizeOptions,
  rescaleOptions,
  normalizeOptions,
  layoutOptions,
]);

export type ImageStep = z.infer<typeof imageStepSchema>;

/** One postprocessing step of a classifier. */
export const scoreStepSchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('softmax') }),
  z.strictObject({ step: z.literal('sigmoid') }),
]);

export type ScoreStep = z.infer<typeof scoreStepSchema>;

/** The order in which steps make sense: pixels are moved and mixed as bytes, then become values, then change layout. */
const STAGE: Record<ImageStep['step'], number> = {
  convert: 0,
  resize: 0,
  rescale: 1,
  normalize: 1,
  layout: 2,
};

export const imageStepsSchema = z.array(imageStepSchema).superRefine((steps, context) => {
  for (const [index, { step }] of steps.entries()) {
    const before = steps[index - 1];
    if (before && STAGE[before.step] > STAGE[step]) {
      context.addIssue({
        code: 'custom',
        path: [index],
        message: `"${step}" must come before "${before.step}"`,
      });
    }
  }
});

/** Runs the steps over a decoded image, in their order. */
export function runImageSteps(image: PixelRaster, steps: readonly ImageStep[]): Raster {
  let pixels = image;
  let raster: Raster = image;
  for (const step of steps) {
    switch (step.step) {
      case 'convert':
        raster = pixels = convert(pixels, step);
        break;
      case 'resize':
        raster = pixels = resize(pixels, step);
        break;
      case 'rescale':
        raster = rescale(raster, step);
        break;
      case 'normalize':
        raster = normalize(raster, step);
        break;
      case 'layout':
        raster = layout(raster, step);
        break;
    }
  }
  return raster;
}
