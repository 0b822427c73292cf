import * as z from 'zod';
import { centerCrop, centerCropOptions } from './image/center-crop.ts';
import { checkSteps } from './image/check-steps.ts';
import { convert, convertOptions } from './image/convert.ts';
import { datatype, datatypeOptions } from './image/datatype.ts';
import { decodeOptions } from './image/decode.ts';
import { layout, layoutOptions } from './image/layout.ts';
import { normalize, normalizeOptions } from './image/normalize.ts';
import { orient, orientOptions } from './image/orient.ts';
import type { PixelRaster, Raster } from './image/raster.ts';
import { rescale, rescaleOptions } from './image/rescale.ts';
import { resize, resizeOptions } from './image/resize.ts';
import { finish, type Work } from './work.ts';

/** Steps that move or mix the pixels of a decoded image. */
const PIXEL_STEPS = {
  orient: { options: orientOptions, run: orient },
  convert: { options: convertOptions, run: convert },
  resize: { options: resizeOptions, run: resize },
  centerCrop: { options: centerCropOptions, run: centerCrop },
};

/** Steps that make each value of a tensor from one of the pixels' bytes. */
const VALUE_STEPS = {
  rescale: { options: rescaleOptions, run: rescale },
  normalize: { options: normalizeOptions, run: normalize },
  layout: { options: layoutOptions, run: layout },
  datatype: { options: datatypeOptions, run: datatype },
};

/** One preprocessing step of an image model, as `model.json` spells it. */
export const imageStepSchema = z.discriminatedUnion('step', [
  decodeOptions,
  ...Object.values(PIXEL_STEPS).map(({ options }) => options),
  ...Object.values(VALUE_STEPS).map(({ options }) => options),
]);

export type ImageStep = z.infer<typeof imageStepSchema>;
export type PixelStep = Extract<ImageStep, { readonly step: keyof typeof PIXEL_STEPS }>;
export type ValueStep = Extract<ImageStep, { readonly step: keyof typeof VALUE_STEPS }>;

export const imageStepsSchema = z.array(imageStepSchema).superRefine((steps, context) => {
  for (const { index, message } of checkSteps(steps)) {
    context.addIssue({ code: 'custom', path: [index], message });
  }
});

/** One postprocessing step of a classifier. */
export const scoreStepSchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('softmax') }),
  z.strictObject({ step: z.literal('sigmoid') }),
]);

export type ScoreStep = z.infer<typeof scoreStepSchema>;

export function isPixelStep(step: ImageStep): step is PixelStep {
  return Object.hasOwn(PIXEL_STEPS, step.step);
}

export function isValueStep(step: ImageStep): step is ValueStep {
  return Object.hasOwn(VALUE_STEPS, step.step);
}

/** The pixels may be changed in place. */
export function runPixelStep(image: PixelRaster, step: PixelStep): Work<PixelRaster> {
  return runAny<PixelStep, PixelStep['step'], PixelRaster, Work<PixelRaster>>(
    PIXEL_STEPS,
    image,
    step.step,
    step,
  );
}

export function runValueStep(image: Raster, step: ValueStep): Raster {
  return runAny<ValueStep, ValueStep['step'], Raster, Raster>(VALUE_STEPS, image, step.step, step);
}

/**
 * Runs the steps over a decoded image, one after the other; image-pipeline.ts gives the same sooner. The pixels may be
 * changed in place.
 */
export function runImageSteps(image: PixelRaster, steps: readonly ImageStep[]): Raster {
  const pixels = steps
    .filter(isPixelStep)
    .reduce((before, step) => finish(runPixelStep(before, step)), image);
  return steps.filter(isValueStep).reduce<Raster>(runValueStep, pixels);
}

type Table<Step extends ImageStep, Image, Result> = {
  readonly [Name in Step['step']]: {
    readonly run: (image: Image, options: Extract<Step, { readonly step: Name }>) => Result;
  };
};

function runAny<Step extends ImageStep, Name extends Step['step'], Image, Result>(
  table: Table<Step, Image, Result>,
  image: Image,
  name: Name,
  options: Extract<Step, { readonly step: Name }>,
): Result {
  return table[name].run(image, options);
}
