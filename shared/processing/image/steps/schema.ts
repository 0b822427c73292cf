import * as z from 'zod/mini';
import { checkSteps, MOST_STEPS } from './check-steps.ts';
import { imageStepSchema } from './step-schemas.ts';

/** The steps of a model, in `model.json`. */
export const imageStepsSchema = z.array(imageStepSchema).check(
  z.maxLength(MOST_STEPS, { error: `must be at most ${MOST_STEPS} steps`, abort: true }),
  z.superRefine((steps, context) => {
    for (const { index, message } of checkSteps(steps)) {
      context.addIssue({ code: 'custom', path: [index], message });
    }
  }),
);
