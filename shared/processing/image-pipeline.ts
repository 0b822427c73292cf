import { invalid, overLimit } from '../errors.ts';
import { type DecodeContext, decodeImage } from './image/decode/decode.ts';
import type { PixelRaster, Raster, Size } from './image/raster.ts';
import { type CenterCropOptions, centerWindow } from './image/steps/center-crop.ts';
import { crop, intersect } from './image/steps/crop.ts';
import { type ResizeOptions, resizedSize, resizeWindow } from './image/steps/resize.ts';
import type { ImageStep, PixelStep } from './image/steps/step-schemas.ts';
import { isPixelStep, isValueStep, runPixelStep } from './image/steps/steps.ts';
import { createValueRunner } from './image/steps/value-tables.ts';
import type { Work } from './work.ts';

export interface RunLimits {
  /** What to call the image in an error, such as `field "image"`. */
  readonly name: string;
  /** Most pixels a step may make of an image: resizing to a shortest edge makes a narrow image huge. */
  readonly madePixels: number;
  /** The variable that says so, where one does. */
  readonly variable?: string;
  /** Is called before each resize with the pixels that all of them make up to it. What it throws ends the work. */
  readonly onResize?: (pixels: number) => void;
}

/** The preprocessing steps of a model, made ready to be run on many images. */
export interface ImagePipeline {
  /**
   * Decodes a file as the steps want it.
   * @throws InferenceError as `decodeImage` does
   */
  decode(file: Uint8Array, name: string, budget: DecodeContext['budget']): Promise<PixelRaster>;
  /**
   * Runs the other steps. The values are those of `runImageSteps`; they take less time, as a resize followed by a crop
   * makes only what is left of it, and the numbers of each byte are worked out once. The pixels may be changed in place.
   * @throws InferenceError when the image does not fit the steps
   */
  run(image: PixelRaster, limits: RunLimits): Work<Raster>;
}

export function createImagePipeline(steps: readonly ImageStep[]): ImagePipeline {
  const pixelSteps = steps.filter(isPixelStep);
  const operations = planOperations(pixelSteps);
  const runValues = createValueRunner(steps.filter(isValueStep));
  const isFast = steps.some((step) => step.step === 'decode' && step.decode === 'fast');
  const context = {
    readOrientation: pixelSteps.some(({ step }) => step === 'orient'),
    resizedSize: isFast ? findResizedSize(pixelSteps) : undefined,
  };
  return {
    decode: (file, name, budget) => decodeImage(file, name, { budget, ...context }),
    run: function* (image, limits) {
      let pixels = image;
      let together = 0;
      const making = (made: Size) => {
        checkMade(pixels, made, limits);
        together += made.width * made.height;
        limits.onResize?.(together);
      };
      for (const operation of operations) pixels = yield* operation(pixels, { ...limits, making });
      return yield* runValues(pixels);
    },
  };
}

interface OperationLimits extends RunLimits {
  /** Is called before a resize makes so many pixels. */
  readonly making: (made: Size) => void;
}

type Operation = (image: PixelRaster, limits: OperationLimits) => Work<PixelRaster>;

function planOperations([step, next, ...others]: readonly PixelStep[]): Operation[] {
  if (!step) return [];
  const rest = next ? [next, ...others] : [];
  if (step.step !== 'resize') return [(image) => runPixelStep(image, step), ...planOperations(rest)];
  if (next?.step === 'centerCrop' && step.pad === undefined) {
    return [(image, limits) => resizeAndCrop(image, step, next, limits), ...planOperations(others)];
  }
  const resizeWhole: Operation = (image, limits) => {
    const size = resizedSize(step, image);
    checkSides(image, size, limits);
    limits.making(size);
    return runPixelStep(image, step);
  };
  return [resizeWhole, ...planOperations(rest)];
}

/** Both steps in one: what the crop cuts away is not computed. */
function* resizeAndCrop(
  image: PixelRaster,
  resize: ResizeOptions,
  cropTo: CenterCropOptions,
  limits: OperationLimits,
): Work<PixelRaster> {
  const size = resizedSize(resize, image);
  checkSides(image, size, limits);
  const window = centerWindow(size, cropTo);
  const inside = intersect(window, size);
  limits.making(inside);
  const resized = yield* resizeWindow(image, size, resize, inside);
  const rest = { ...window, left: window.left - inside.left, top: window.top - inside.top };
  return yield* crop(resized, rest, [0]);
}

/**
 * Longest side of an image before and after a resize. A file of 50 KB can be a line of 50 million pixels, whose kernels
 * would take seconds and a gigabyte; a JPEG's side has 65,535 at most.
 */
const LONGEST_SIDE = 2 ** 18;

function checkSides({ width, height }: Size, made: Size, { name }: RunLimits): void {
  if (Math.max(width, height, made.width, made.height) <= LONGEST_SIDE) return;
  throw invalid(
    `The image in ${name} is ${width}x${height} and would be resized to ${made.width}x${made.height}; the longest side may be ${LONGEST_SIDE}.`,
  );
}

function checkMade({ width, height }: Size, made: Size, { name, madePixels, variable }: RunLimits): void {
  if (made.width * made.height <= madePixels) return;
  throw overLimit(
    `The image in ${name} is ${width}x${height}; the model would resize it to ${made.width}x${made.height}, which is more than ${madePixels} pixels${variable ? ` (${variable})` : ''}.`,
  );
}

/** What the first resize makes of an upright image, where nothing but turning and colours comes before it. */
function findResizedSize(steps: readonly PixelStep[]): ((image: Size) => Size) | undefined {
  const first = steps.find(({ step }) => step === 'resize' || step === 'centerCrop');
  return first?.step === 'resize' ? (image) => resizedSize(first, image) : undefined;
}
