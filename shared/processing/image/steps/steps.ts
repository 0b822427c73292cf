import { finish, type Work } from '../../work.ts';
import type { PixelRaster, Raster } from '../raster.ts';
import { centerCrop } from './center-crop.ts';
import { convert } from './convert.ts';
import { datatype } from './datatype.ts';
import { layout } from './layout.ts';
import { normalize } from './normalize.ts';
import { orient } from './orient.ts';
import { rescale } from './rescale.ts';
import { resize } from './resize.ts';
import type { ImageStep, PixelStep, ValueStep } from './step-schemas.ts';

/** Steps that move or mix the pixels of a decoded image. */
const PIXEL_STEPS = { orient, convert, resize, centerCrop };

/** Steps that make each value of a tensor from one of the pixels' bytes. */
const VALUE_STEPS = { rescale, normalize, layout, datatype };

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
 * Runs the steps over a decoded image, one after the other; image-pipeline.ts gives the same result faster. The pixels
 * may be changed in place.
 */
export function runImageSteps(image: PixelRaster, steps: readonly ImageStep[]): Raster {
  const pixels = steps
    .filter(isPixelStep)
    .reduce((before, step) => finish(runPixelStep(before, step)), image);
  return steps.filter(isValueStep).reduce<Raster>(runValueStep, pixels);
}

type Table<Step extends ImageStep, Image, Result> = {
  readonly [Name in Step['step']]: (image: Image, options: Extract<Step, { readonly step: Name }>) => Result;
};

function runAny<Step extends ImageStep, Name extends Step['step'], Image, Result>(
  table: Table<Step, Image, Result>,
  image: Image,
  name: Name,
  options: Extract<Step, { readonly step: Name }>,
): Result {
  return table[name](image, options);
}
