import * as z from 'zod';

/** A number that float32 can hold, which values are computed in. */
export const floatOption = z
  .number()
  .refine((value) => Number.isFinite(Math.fround(value)), 'must fit a float32');

/** One that is above 0, also when rounded to float32. */
export const positiveFloatOption = floatOption.refine((value) => Math.fround(value) > 0, 'must be positive');
