import * as z from 'zod';
import { scoreStepSchema } from '../../processing/classification.ts';

/** Each goes over all scores of all instances. */
const MOST_SCORE_STEPS = 16;

const label = z.union([z.string(), z.number().int()], 'must be text or a whole number');

/** Name of each class, by its index in the scores. */
export const labels = z.array(label).min(1).optional();

/** Members of model.json that all classifiers have. */
export const classification = {
  labels,
  /** Output that holds the scores, where the graph has several that could, or that they are probabilities. */
  output: z.union([z.string(), z.strictObject({ probabilities: z.string() })]).optional(),
  /** Steps from scores to probabilities. */
  postprocess: z
    .array(scoreStepSchema)
    .max(MOST_SCORE_STEPS, `must be at most ${MOST_SCORE_STEPS} steps`)
    .default([]),
};

const feature = z.strictObject({
  name: z.string().min(1),
  unit: z.string().optional(),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, 'must be [smallest, largest]')
    .optional(),
  description: z.string().optional(),
  /** Known from the graph where it is not given. */
  type: z.enum(['number', 'string']).optional(),
  /** All values that make sense; others are refused. */
  values: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
});

/** Members of model.json that all models of tables have. */
export const tabular = {
  /** Names of the columns, in the model's order. */
  features: z
    .array(feature)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have distinct names')
    .optional(),
};

/** Members of model.json that all models of texts have. */
export const text = {
  /** Longest text in tokens, special ones included; what is longer is cut. */
  maxTokens: z.number().int().min(1).max(1_000_000).optional(),
};
