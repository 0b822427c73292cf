import * as z from 'zod';
import { scoreStepSchema } from '../../processing/classification.ts';

/** Each goes over all scores of all instances. */
const MOST_SCORE_STEPS = 16;

const label = z.union([z.string(), z.number().int()], 'must be text or a whole number');

export const labels = z
  .array(label)
  .min(1)
  .optional()
  .describe('Name of each class, in the order of the scores. Text, or the whole numbers of training.');

/** Members of model.json that all classifiers have. */
export const classification = {
  labels,
  output: z
    .union([
      z.string(),
      z.strictObject({
        probabilities: z.string().describe('Name of the output, whose scores are probabilities already.'),
      }),
    ])
    .optional()
    .describe(
      'Name of the output that has the scores, where the graph has several that could; or {"probabilities": name} to say that they are probabilities already.',
    ),
  postprocess: z
    .array(scoreStepSchema)
    .max(MOST_SCORE_STEPS, `must be at most ${MOST_SCORE_STEPS} steps`)
    .default([])
    .describe('Steps that make probabilities of the scores of the graph, in their order.'),
};

const feature = z.strictObject({
  name: z.string().min(1).describe('Name by which requests give the column.'),
  unit: z.string().optional().describe('Unit of the numbers, such as cm. It is shown and changes nothing.'),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, 'must be [smallest, largest]')
    .optional()
    .describe('Smallest and largest number that is taken. A request with another number is refused.'),
  description: z.string().optional().describe('What the column means, for those who fill it in.'),
  type: z
    .enum(['number', 'string'])
    .optional()
    .describe('What the cells are. The graph says it where it has an input per column.'),
  values: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional()
    .describe('All values that are taken. A request with another one is refused.'),
});

/** Members of model.json that all models of tables have. */
export const tabular = {
  features: z
    .array(feature)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have distinct names')
    .optional()
    .describe('The columns of the table, in the order of training.'),
};

/** Members of model.json that all models of texts have. */
export const text = {
  maxTokens: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Longest text in tokens, special ones included. What is longer is cut.'),
};
