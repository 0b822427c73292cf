import * as z from 'zod';
import { scoreStepSchema } from '../../processing/classification.ts';

/** Most steps; each processes all scores of all instances. */
const MOST_SCORE_STEPS = 16;

const label = z.union([z.string(), z.number().int()], 'must be text or a whole number');

export const labels = z
  .array(label)
  .min(1)
  .optional()
  .describe('Name of each class, in the order of the scores. Texts, or whole numbers as in training.');

/** Members of model.json that all classifiers have. */
export const classification = {
  labels,
  output: z
    .union([
      z.string(),
      z.strictObject({
        probabilities: z.string().describe('Name of the output, if its scores are already probabilities.'),
      }),
    ])
    .optional()
    .describe(
      'Name of the output with the scores, if the graph has several candidates; or {"probabilities": name} if they are already probabilities.',
    ),
  postprocess: z
    .array(scoreStepSchema)
    .max(MOST_SCORE_STEPS, `must be at most ${MOST_SCORE_STEPS} steps`)
    .default([])
    .describe('Steps that turn the scores of the graph into probabilities, in order.'),
};

const feature = z.strictObject({
  name: z.string().min(1).describe('Name of the column in requests.'),
  unit: z
    .string()
    .optional()
    .describe('Unit of the numbers, such as cm. It is shown to clients and changes nothing.'),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, 'must be [smallest, largest]')
    .optional()
    .describe('Smallest and largest accepted number. Requests with other numbers are refused.'),
  description: z.string().optional().describe('What the column means, for people who fill it in.'),
  type: z
    .enum(['number', 'string'])
    .optional()
    .describe('Type of the cells. If the graph has an input per column, it decides the type.'),
  values: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('All accepted values. Requests with other values are refused.'),
});

/** Members of model.json that all tabular models have. */
export const tabular = {
  features: z
    .array(feature)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have distinct names')
    .optional()
    .describe('The columns of the table, in the order of training.'),
};

/** Members of model.json that all text models have. */
export const text = {
  maxTokens: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Longest text in tokens, including special ones. Longer texts are truncated.'),
};
