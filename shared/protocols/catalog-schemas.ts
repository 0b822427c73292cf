import * as z from 'zod';
import { DATATYPE_NAMES } from '../tensor/datatype.ts';
import { jsonObject } from './body/envelope.ts';
import { lazily } from './body/lazily.ts';

const versions = lazily(() => z.array(z.string()).describe('Lowest first.'));

export const indexResponse = lazily(() =>
  z
    .object({
      name: z.literal('Ternion'),
      status: z.literal('alive'),
      version: z.string().describe('Version of Ternion itself.'),
      description: z.string(),
      models: z.array(z.string()),
      links: z.record(z.string(), z.string()),
    })
    .meta({ id: 'Index' }),
);

export const healthResponse = lazily(() =>
  z
    .object({
      status: z
        .enum(['ok', 'degraded', 'error'])
        .describe('`degraded` when a model failed to load, `error` when none can be served.'),
      reason: z.string().optional(),
      models: z.array(
        z.object({
          name: z.string(),
          versions: versions(),
          live_version: z.string(),
          state: z.enum(['idle', 'loading', 'loaded', 'failed', 'unloaded']),
        }),
      ),
      version: z.string().describe('Version of Ternion itself.'),
    })
    .meta({ id: 'Health' }),
);

/** Members that clients of TorchServe and of SageMaker's multi-model endpoints read. */
const names = lazily(() => ({
  modelName: z.string(),
  modelUrl: z.string().describe('The model file inside the repository; its folder if there is no such file.'),
}));

const task = lazily(() =>
  z
    .string()
    .nullable()
    .describe('As its small files say, such as model.json; null if only the graph says it.'),
);

export const modelsResponse = lazily(() =>
  z
    .object({
      models: z.array(
        z.object({
          name: z.string(),
          versions: versions(),
          live_version: z.string().describe('The version that answers requests without a version.'),
          task: task(),
          ...names(),
          problem: z.string().optional().describe('Why the model cannot be served.'),
        }),
      ),
      nextPageToken: z.string().optional().describe('Where the next page begins.'),
    })
    .meta({ id: 'Models' }),
);

const tensorSpec = lazily(() =>
  z.object({
    name: z.string(),
    datatype: z.enum(DATATYPE_NAMES),
    shape: z.array(z.int().min(-1)).describe('Size of each axis, -1 for any.'),
  }),
);

export const modelResponse = lazily(() =>
  z
    .object({
      name: z.string(),
      version: z.string(),
      versions: versions(),
      format: z.string().describe('How the model was recognised; `ternion` by its model.json.'),
      task: z.string(),
      input: z.enum(['features', 'image', 'text', 'tensors']).describe('What a predict request brings.'),
      description: z.string().optional(),
      labels: z
        .array(z.union([z.string(), z.int()]))
        .optional()
        .describe('Name of each class.'),
      features: z
        .array(
          z.object({
            name: z.string(),
            unit: z.string().optional(),
            range: z.array(z.number()).length(2).optional().describe('Smallest and largest value taken.'),
            description: z.string().optional(),
            type: z.enum(['number', 'string']),
            minLength: z.int().optional().describe('Fewest characters of a text.'),
            values: z
              .array(z.union([z.string(), z.number()]))
              .optional()
              .describe('All values taken.'),
          }),
        )
        .optional()
        .describe("Columns of a tabular model, in the model's order, if they have names."),
      columns: z
        .array(
          z.object({
            type: z.enum(['number', 'string']),
            count: z
              .int()
              .min(-1)
              .describe('How many neighbouring columns are like this, -1 for any number.'),
            nullable: z.boolean().optional().describe('Whether null stands for a missing value.'),
          }),
        )
        .optional()
        .describe('What a row of a tabular model holds.'),
      inputs: z.array(tensorSpec()),
      outputs: z.array(tensorSpec()),
      metrics: z.record(z.string(), z.number()).optional().describe('Results on held-out data.'),
      example: jsonObject.optional().describe('Body of a predict request.'),
      ...names(),
    })
    .meta({ id: 'Model' }),
);
