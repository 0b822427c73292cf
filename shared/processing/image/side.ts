import * as z from 'zod';

/** Width or height of an image. */
export const sideOption = z.number().int().min(1).max(16_384);
