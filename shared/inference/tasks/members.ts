import * as z from 'zod/mini';
import { scoreStepSchema } from '../../processing/classification.ts';

/** Most steps; each processes all scores of all instances. */
const MOST_SCORE_STEPS = 16;

const label = z.union([z.string(), z.int()], 'must be text or a whole number');

export const labels = z.optional(z.array(label).check(z.minLength(1))).register(z.globalRegistry, {
  description: 'Name of each class, in the order of the scores: texts, or the whole numbers of training.',
});

/** Members of model.json that all classifiers have. */
export const classification = {
  labels,
  output: z
    .optional(
      z.union([
        z.string(),
        z.strictObject({
          probabilities: z.string().register(z.globalRegistry, {
            description: 'Name of the output; its scores are probabilities already.',
          }),
        }),
      ]),
    )
    .register(z.globalRegistry, {
      description:
        'Name of the output with the scores, if the graph has several outputs that could have them; or {"probabilities": name} if the scores are probabilities already.',
    }),
  postprocess: z
    ._default(
      z
        .array(scoreStepSchema)
        .check(z.maxLength(MOST_SCORE_STEPS, `must be at most ${MOST_SCORE_STEPS} steps`)),
      [],
    )
    .register(z.globalRegistry, {
      description: 'Steps that turn the scores of the graph into probabilities, in order.',
    }),
};

const feature = z.strictObject({
  name: z
    .string()
    .check(z.minLength(1))
    .register(z.globalRegistry, { description: 'Name of the column in requests.' }),
  unit: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'Unit of the numbers, such as cm. It is only shown.' }),
  range: z
    .optional(
      z
        .tuple([z.number(), z.number()])
        .check(z.refine(([low, high]) => low <= high, 'must be [smallest, largest]')),
    )
    .register(z.globalRegistry, {
      description: 'Smallest and largest allowed number. A request with another number is refused.',
    }),
  description: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'Meaning of the column, for people who fill it in.' }),
  type: z.optional(z.enum(['number', 'string'])).register(z.globalRegistry, {
    description: 'Type of the cells. If the graph has one input per column, the graph gives the type.',
  }),
  minLength: z.optional(z.int().check(z.minimum(1), z.maximum(1_000_000))).register(z.globalRegistry, {
    description:
      'Fewest characters of a text. A request with a shorter text is refused; 1 refuses an empty text and an empty cell of CSV.',
  }),
  values: z
    .optional(z.array(z.union([z.string(), z.number()])).check(z.minLength(1)))
    .register(z.globalRegistry, {
      description: 'All allowed values. A request with another value is refused.',
    }),
});

/** Members of model.json that all tabular models have. */
export const tabular = {
  features: z
    .optional(
      z.array(feature).check(
        z.minLength(1),
        z.refine(
          (list) => new Set(list.map(({ name }) => name)).size === list.length,
          'must have distinct names',
        ),
      ),
    )
    .register(z.globalRegistry, { description: 'The columns of the table, in the order of training.' }),
};

/** Members of model.json that all text models have. */
export const text = {
  maxTokens: z.optional(z.int().check(z.minimum(1), z.maximum(1_000_000))).register(z.globalRegistry, {
    description: 'Longest text in tokens, including special tokens. Longer texts are cut.',
  }),
};
