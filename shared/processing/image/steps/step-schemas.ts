import * as z from 'zod/mini';
import {
  centerCropOptions,
  convertOptions,
  datatypeOptions,
  decodeOptions,
  layoutOptions,
  normalizeOptions,
  orientOptions,
  rescaleOptions,
  resizeOptions,
} from './options.ts';

const PIXEL_OPTIONS = [orientOptions, convertOptions, resizeOptions, centerCropOptions] as const;
const VALUE_OPTIONS = [rescaleOptions, normalizeOptions, layoutOptions, datatypeOptions] as const;

/** One preprocessing step of an image model, as `model.json` spells it. */
export const imageStepSchema = z.discriminatedUnion('step', [
  decodeOptions,
  ...PIXEL_OPTIONS,
  ...VALUE_OPTIONS,
]);

export type ImageStep = z.infer<typeof imageStepSchema>;
export type PixelStep = z.infer<(typeof PIXEL_OPTIONS)[number]>;
export type ValueStep = z.infer<(typeof VALUE_OPTIONS)[number]>;
