import type { Size } from '../raster.ts';
import type { ImageStep } from './step-schemas.ts';

/** A mistake in one of the steps. */
interface Problem {
  readonly index: number;
  readonly message: string;
}

/** The order in which steps make sense: pixels are moved and mixed as bytes, then become values, then change layout. */
const STAGE: Record<ImageStep['step'], number> = {
  decode: 0,
  orient: 1,
  convert: 1,
  resize: 1,
  centerCrop: 1,
  rescale: 2,
  normalize: 2,
  layout: 3,
  datatype: 3,
};

/** Steps that may occur only once. */
const ONCE: ReadonlySet<string> = new Set(['decode', 'orient', 'layout', 'datatype']);

/** Without a convert step the image has colours, with or without transparency. */
const DECODED_CHANNELS: readonly number[] = [3, 4];

/** A step that makes more pixels of every image would use up the server's memory. */
export const MOST_PIXELS = 4096 * 4096;

/** If all steps together make more pixels, every image would take several seconds. */
const MOST_PIXELS_TOGETHER = 2 * MOST_PIXELS;

/** Each step goes over all pixels. Models have up to ten steps. */
export const MOST_STEPS = 32;

/**
 * Finds steps that make too much, steps in an order that makes no sense, and numbers per channel that do not match the
 * channels of the image.
 */
export function checkSteps(steps: readonly ImageStep[]): Problem[] {
  const problems: Problem[] = [];
  let channels: number | undefined;
  let together = 0;
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    const report = (message: string) => problems.push({ index, message });
    if (before && STAGE[before.step] > STAGE[step.step]) {
      report(`"${step.step}" must come before "${before.step}"`);
    } else if (ONCE.has(step.step) && steps.findIndex((other) => other.step === step.step) < index) {
      report(`"${step.step}" can stand only once`);
    }
    if (step.step === 'convert') channels = step.mode === 'grey' ? 1 : 3;
    const wrong = findWrongCount(step, channels === undefined ? DECODED_CHANNELS : [channels]);
    if (wrong) {
      report(
        `"${step.step}" has ${wrong.count} numbers of "${wrong.name}" for ${channels ?? DECODED_CHANNELS.join(' or ')} channels`,
      );
    }
    const made = sizeOf(step);
    if (!made) continue;
    const pixels = made.width * made.height;
    if (pixels > MOST_PIXELS) {
      report(`"${step.step}" makes ${made.width}x${made.height} pixels, more than ${MOST_PIXELS}`);
    } else if (together <= MOST_PIXELS_TOGETHER && together + pixels > MOST_PIXELS_TOGETHER) {
      report(`with "${step.step}" the steps make more than ${MOST_PIXELS_TOGETHER} pixels together`);
    }
    together += pixels;
  }
  return problems;
}

/** Steps whose numbers per channel do not match any image, or do not match each other. */
function findWrongCount(
  step: ImageStep,
  channels: readonly number[],
): { name: string; count: number } | undefined {
  const lists: Record<string, unknown> = step.step === 'normalize' ? { mean: step.mean, std: step.std } : {};
  if (step.step === 'resize') lists.pad = step.pad;
  let possible = channels;
  for (const [name, list] of Object.entries(lists)) {
    if (!Array.isArray(list) || list.length === 1) continue;
    const { length } = list;
    if (!possible.includes(length)) return { name, count: length };
    possible = [length];
  }
  return undefined;
}

/** The size of the result of a step, if it is the same for every image. */
function sizeOf(step: ImageStep): Size | undefined {
  if (step.step === 'centerCrop') return step;
  if (step.step !== 'resize') return undefined;
  const { width, height, longestEdge, pad } = step;
  if (width !== undefined && height !== undefined) return { width, height };
  return longestEdge === undefined || pad === undefined
    ? undefined
    : { width: longestEdge, height: longestEdge };
}
