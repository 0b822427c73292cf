import * as z from 'zod';
import { checkJsonText } from '../json/describe-issues.ts';
import { imageStepsSchema, scoreStepSchema } from '../processing/registry.ts';
import { POOLINGS } from '../processing/text/pooling.ts';

/** The model's folder holds something that cannot be served. The message is fit for clients: no paths, no stacks. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

const label = z.union([z.string(), z.number().int()], 'must be text or a whole number');

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

const common = {
  description: z.string().optional(),
  /** Results on held-out data, by name. */
  metrics: z.record(z.string(), z.number()).optional(),
  /** Most instances of one request. */
  maxBatchSize: z.number().int().min(1).optional(),
  /** Shapes of tensors for clients, by name, where the graph has the same elements in another shape. */
  shapes: z
    .record(
      z.string(),
      z.array(
        z
          .number()
          .int()
          .min(-1)
          .refine((size) => size !== 0, 'must be a size, or -1 for any'),
      ),
    )
    .optional(),
  session: z
    .strictObject({
      intraOpThreads: z.number().int().min(1).max(256).optional(),
      graphOptimization: z.enum(['disabled', 'basic', 'extended', 'all']).optional(),
    })
    .optional(),
};

const tabular = {
  /** Names of the columns, in the model's order. */
  features: z
    .array(feature)
    .min(1)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'must have distinct names')
    .optional(),
};

const classification = {
  /** Name of each class, by its index in the scores. */
  labels: z.array(label).min(1).optional(),
  /** Output that holds the scores, where the graph has several that could. */
  output: z.string().optional(),
  /** Steps from scores to probabilities. */
  postprocess: z.array(scoreStepSchema).default([]),
};

const text = {
  /** Longest text in tokens, special ones included; what is longer is cut. */
  maxTokens: z.number().int().min(1).max(1_000_000).optional(),
};

/** `model.json`, the optional file beside `model.onnx` that says what the graph cannot. */
export const modelConfigSchema = z.discriminatedUnion('task', [
  z.strictObject({ task: z.literal('tabular-classification'), ...common, ...tabular, ...classification }),
  z.strictObject({
    task: z.literal('tabular-regression'),
    ...common,
    ...tabular,
    output: z.string().optional(),
  }),
  z.strictObject({
    task: z.literal('image-classification'),
    ...common,
    ...classification,
    preprocess: imageStepsSchema,
  }),
  z.strictObject({ task: z.literal('text-classification'), ...common, ...classification, ...text }),
  z.strictObject({
    task: z.literal('feature-extraction'),
    ...common,
    ...text,
    /** A model of images; without it the model is one of texts. */
    preprocess: imageStepsSchema.optional(),
    /** Output that holds the vectors, where the graph has several that could. */
    output: z.string().optional(),
    /** How the vectors of all tokens or places become one. */
    pooling: z.enum(POOLINGS).default('none'),
    /** Folders of dense layers that the pooled vectors go through, as sentence-transformers saves them. */
    dense: z
      .array(z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/, 'must be a folder beside the graph'))
      .optional(),
    /** Whether each vector is divided by its length (L2). */
    normalize: z.boolean().default(false),
  }),
  z.strictObject({ task: z.literal('tensor'), ...common, labels: classification.labels }),
]);

export type ModelConfig = z.infer<typeof modelConfigSchema>;
export type Task = ModelConfig['task'];

/**
 * Reads the text of a `model.json`.
 *
 * @throws ModelError naming each field that is wrong
 */
export function parseModelConfig(text: string): ModelConfig {
  const parsed = checkJsonText(modelConfigSchema, text);
  if (parsed.success) return parsed.data;
  throw new ModelError(`its model.json ${parsed.problem}`);
}
