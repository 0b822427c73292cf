import * as z from 'zod/mini';
import { lazily } from '../body/lazily.ts';

export const listResponse = lazily(() =>
  z.object({
    models: z.array(z.string()),
    object: z.literal('list'),
    data: z.array(z.object({ id: z.string(), object: z.literal('model'), owned_by: z.string() })),
  }),
);
