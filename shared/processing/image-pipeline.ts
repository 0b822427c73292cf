import { invalid, overLimit } from '../errors.ts';
import { type DecodeContext, decodeImage } from './image/decode/decode.ts';
import { type PixelRaster, pictureSize, type Raster, type Size, type Window } from './image/raster.ts';
import { type CenterCropOptions, centerWindow } from './image/steps/center-crop.ts';
import { crop, intersect } from './image/steps/crop.ts';
import { partForWindow, type ResizeOptions, resizedSize, resizeWindow } from './image/steps/resize.ts';
import type { ImageStep, PixelStep } from './image/steps/step-schemas.ts';
import { isPixelStep, isValueStep, runPixelStep } from './image/steps/steps.ts';
import { createValueRunner } from './image/steps/value-tables.ts';
import type { Work } from './work.ts';

export interface RunLimits {
  /** What to call the image in an error, such as `field "image"`. */
  readonly name: string;
  /** Most pixels that a step may make from an image: resizing to a shortest edge can make a narrow image huge. */
  readonly madePixels: number;
  /** The variable that sets this limit, if there is one. */
  readonly variable?: string;
  /**
   * Called before each resize with the number of pixels that all resizes have made so far, including this one. If it
   * throws, the work ends.
   */
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
   * Runs the other steps. The values are those of `runImageSteps`; they take less time, because a resize followed by a
   * crop makes only the pixels that remain, and the values of each byte are computed once. The pixels may be changed in
   * place.
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
    neededPart: isFast ? undefined : findNeededPart(pixelSteps),
  };
  return {
    decode: (file, name, budget) => decodeImage(file, name, { budget, ...context }),
    run: function* (image, limits) {
      let pixels = image;
      let together = 0;
      const making = (made: Size) => {
        checkMade(pictureSize(pixels), made, limits);
        together += made.width * made.height;
        limits.onResize?.(together);
      };
      for (const operation of operations) pixels = yield* operation(pixels, { ...limits, making });
      return yield* runValues(pixels);
    },
  };
}

interface OperationLimits extends RunLimits {
  /** Called with the number of pixels before a resize makes them. */
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

/** Both steps in one: pixels that the crop cuts away are not computed. */
function* resizeAndCrop(
  image: PixelRaster,
  resize: ResizeOptions,
  cropTo: CenterCropOptions,
  limits: OperationLimits,
): Work<PixelRaster> {
  const picture = pictureSize(image);
  const size = resizedSize(resize, picture);
  checkSides(picture, size, limits);
  const window = centerWindow(size, cropTo);
  const inside = intersect(window, size);
  limits.making(inside);
  const resized = yield* resizeWindow(image, size, resize, inside);
  const rest = { ...window, left: window.left - inside.left, top: window.top - inside.top };
  return yield* crop(resized, rest, [0]);
}

/**
 * Longest side of an image before and after a resize. A file of 50 KB can be a line of 50 million pixels, whose kernels
 * would take several seconds and a gigabyte; the side of a JPEG has at most 65,535 pixels.
 */
const LONGEST_SIDE = 2 ** 18;

function checkSides({ width, height }: Size, made: Size, { name }: RunLimits): void {
  if (Math.max(width, height, made.width, made.height) <= LONGEST_SIDE) return;
  throw invalid(
    `The image in ${name} is ${width}x${height} and would be resized to ${made.width}x${made.height}; the longest side may have at most ${LONGEST_SIDE}.`,
  );
}

function checkMade({ width, height }: Size, made: Size, { name, madePixels, variable }: RunLimits): void {
  if (made.width * made.height <= madePixels) return;
  throw overLimit(
    `The image in ${name} is ${width}x${height}; the model would resize it to ${made.width}x${made.height}, which is more than ${madePixels} pixels${variable ? ` (${variable})` : ''}.`,
  );
}

/** The part of a picture that a resize and a crop after it need, if only steps on each pixel come before them. */
function findNeededPart(steps: readonly PixelStep[]): ((image: Size) => Window | undefined) | undefined {
  const [resize, cropTo] = steps.slice(steps.findIndex(({ step }) => step !== 'convert'));
  if (resize?.step !== 'resize' || resize.pad !== undefined || cropTo?.step !== 'centerCrop')
    return undefined;
  return (image) => {
    const size = resizedSize(resize, image);
    return partForWindow(image, size, resize, intersect(centerWindow(size, cropTo), size));
  };
}

/** The size that the first resize gives an upright image, if only orient and convert come before it. */
function findResizedSize(steps: readonly PixelStep[]): ((image: Size) => Size) | undefined {
  const first = steps.find(({ step }) => step === 'resize' || step === 'centerCrop');
  return first?.step === 'resize' ? (image) => resizedSize(first, image) : undefined;
}
