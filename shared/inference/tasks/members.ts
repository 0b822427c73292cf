import * as z from 'zod';
import { scoreStepSchema } from '../../processing/classification.ts';

/** Most steps; each processes all scores of all instances. */
const MOST_SCORE_STEPS = 16;

const label = z.union([z.string(), z.number().int()], 'must be text or a whole number');

export const labels = z
  .array(label)
  .min(1)
  .optional()
  .describe('Name of each class, in the order of the scores: texts, or the whole numbers of training.');

/** Members of model.json that all classifiers have. */
export const classification = {
  labels,
  output: z
    .union([
      z.string(),
      z.strictObject({
        probabilities: z.string().describe('Name of the output; its scores are probabilities already.'),
      }),
    ])
    .optional()
    .describe(
      'Name of the output with the scores, if the graph has several outputs that could have them; or {"probabilities": name} if the scores are probabilities already.',
    ),
  postprocess: z
    .array(scoreStepSchema)
    .max(MOST_SCORE_STEPS, `must be at most ${MOST_SCORE_STEPS} steps`)
    .default([])
    .describe('Steps that turn the scores of the graph into probabilities, in order.'),
};

const feature = z.strictObject({
  name: z.string().min(1).describe('Name of the column in requests.'),
  unit: z.string().optional().describe('Unit of the numbers, such as cm. It is only shown.'),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, 'must be [smallest, largest]')
    .optional()
    .describe('Smallest and largest allowed number. A request with another number is refused.'),
  description: z.string().optional().describe('Meaning of the column, for people who fill it in.'),
  type: z
    .enum(['number', 'string'])
    .optional()
    .describe('Type of the cells. If the graph has one input per column, the graph gives the type.'),
  minLength: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'Fewest characters of a text. A request with a shorter text is refused; 1 refuses an empty text and an empty cell of CSV.',
    ),
  values: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('All allowed values. A request with another value is refused.'),
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
    .describe('Longest text in tokens, including special tokens. Longer texts are cut.'),
};
