// The own code of this project: it runs around the models, on this machine and on each cloud.
import { type ClassificationResult, defineConfig, defineProcessor } from 'ternion';
import * as z from 'zod';

/**
 * Answers only if the model is sure enough. models/iris/1/model.json names this step in "processors", and how sure the
 * model must be there. Change what it returns, or replace it with steps for your own models.
 */
const decide = defineProcessor({
  name: 'decide',
  options: z.strictObject({ least: z.number().min(0).max(1) }),
  after: (predictions: readonly ClassificationResult[], { options }) =>
    predictions.map(({ prediction, confidence = 0 }) =>
      confidence >= options.least
        ? { species: prediction, confidence }
        : { species: null, confidence, reason: 'unsure' },
    ),
});

export default defineConfig({ processors: [decide] });
