import * as z from 'zod/mini';
import { DATATYPE_NAMES } from '../tensor/datatype.ts';
import { jsonObject } from './body/envelope.ts';
import { lazily } from './body/lazily.ts';

const versions = lazily(() =>
  z.array(z.string()).register(z.globalRegistry, { description: 'Lowest first.' }),
);

export const indexResponse = lazily(() =>
  z
    .object({
      name: z.literal('Ternion'),
      status: z.literal('alive'),
      version: z.string().register(z.globalRegistry, { description: 'Version of Ternion itself.' }),
      description: z.string(),
      models: z.array(z.string()),
      links: z.record(z.string(), z.string()),
    })
    .register(z.globalRegistry, { id: 'Index' }),
);

export const healthResponse = lazily(() =>
  z
    .object({
      status: z.enum(['ok', 'degraded', 'error']).register(z.globalRegistry, {
        description: '`degraded` when a model failed to load, `error` when none can be served.',
      }),
      reason: z.optional(z.string()),
      models: z.array(
        z.object({
          name: z.string(),
          versions: versions(),
          live_version: z.string(),
          state: z.enum(['idle', 'loading', 'loaded', 'failed', 'unloaded']),
          held_back: z.optional(z.array(z.string())).register(z.globalRegistry, {
            description: 'Released versions that this instance cannot load; earlier ones answer instead.',
          }),
        }),
      ),
      version: z.string().register(z.globalRegistry, { description: 'Version of Ternion itself.' }),
    })
    .register(z.globalRegistry, { id: 'Health' }),
);

/** Members that clients of TorchServe and of SageMaker's multi-model endpoints read. */
const names = lazily(() => ({
  modelName: z.string(),
  modelUrl: z.string().register(z.globalRegistry, {
    description: 'The model file inside the repository; its folder if there is no such file.',
  }),
}));

const task = lazily(() =>
  z.nullable(z.string()).register(z.globalRegistry, {
    description: 'As its small files say, such as model.json; null if only the graph says it.',
  }),
);

export const modelsResponse = lazily(() =>
  z
    .object({
      models: z.array(
        z.object({
          name: z.string(),
          versions: versions(),
          live_version: z.string().register(z.globalRegistry, {
            description: 'The version that answers requests without a version.',
          }),
          task: task(),
          ...names(),
          problem: z
            .optional(z.string())
            .register(z.globalRegistry, { description: 'Why the model cannot be served.' }),
        }),
      ),
      nextPageToken: z
        .optional(z.string())
        .register(z.globalRegistry, { description: 'Where the next page begins.' }),
    })
    .register(z.globalRegistry, { id: 'Models' }),
);

const percents = lazily(() => z.record(z.string(), z.number()));

export const releasesResponse = lazily(() =>
  z
    .object({
      name: z.string(),
      live_version: z.string().register(z.globalRegistry, {
        description: 'The version that answers what the split and the rules leave.',
      }),
      versions: versions(),
      aliases: z.record(z.string(), z.string()),
      split: percents().register(z.globalRegistry, {
        description: 'Shares of the requests that name no version, in percent by version or alias.',
      }),
      shadows: percents().register(z.globalRegistry, {
        description: 'Shares of the requests that are copied to a version or alias, in percent.',
      }),
      rules: z.array(
        z.object({
          target: z.string(),
          reads: z.array(z.string()).register(z.globalRegistry, {
            description: 'What the condition asks for, such as `header.x-country`.',
          }),
        }),
      ),
      key: z.nullable(z.string()).register(z.globalRegistry, {
        description:
          'Requests with the same value stay together: `header:x-user-id`. Null if each is for itself.',
      }),
      archived: z.array(z.string()),
      warm: z.nullable(z.object({ version: z.string(), seconds: z.number() })).register(z.globalRegistry, {
        description: 'The version that was live before, and how long each instance keeps it in memory.',
      }),
      held_back: z.array(z.string()).register(z.globalRegistry, {
        description: 'Released versions that this instance cannot load; others answer instead.',
      }),
      registry: z.boolean().register(z.globalRegistry, {
        description: 'Whether this server takes changes from holders of its ADMIN_KEY.',
      }),
    })
    .register(z.globalRegistry, { id: 'Releases' }),
);

const tensorSpec = lazily(() =>
  z.object({
    name: z.string(),
    datatype: z.enum(DATATYPE_NAMES),
    shape: z
      .array(z.int().check(z.minimum(-1)))
      .register(z.globalRegistry, { description: 'Size of each axis, -1 for any.' }),
  }),
);

export const modelResponse = lazily(() =>
  z
    .object({
      name: z.string(),
      version: z.string(),
      versions: versions(),
      format: z.string().register(z.globalRegistry, {
        description: 'How the model was recognised; `ternion` by its model.json.',
      }),
      task: z.string(),
      input: z
        .enum(['features', 'image', 'text', 'tensors'])
        .register(z.globalRegistry, { description: 'What a predict request brings.' }),
      description: z.optional(z.string()),
      labels: z
        .optional(z.array(z.union([z.string(), z.int()])))
        .register(z.globalRegistry, { description: 'Name of each class.' }),
      features: z
        .optional(
          z.array(
            z.object({
              name: z.string(),
              unit: z.optional(z.string()),
              range: z
                .optional(z.array(z.number()).check(z.length(2)))
                .register(z.globalRegistry, { description: 'Smallest and largest value taken.' }),
              description: z.optional(z.string()),
              type: z.enum(['number', 'string']),
              minLength: z
                .optional(z.int())
                .register(z.globalRegistry, { description: 'Fewest characters of a text.' }),
              values: z
                .optional(z.array(z.union([z.string(), z.number()])))
                .register(z.globalRegistry, { description: 'All values taken.' }),
            }),
          ),
        )
        .register(z.globalRegistry, {
          description: "Columns of a tabular model, in the model's order, if they have names.",
        }),
      columns: z
        .optional(
          z.array(
            z.object({
              type: z.enum(['number', 'string']),
              count: z.int().check(z.minimum(-1)).register(z.globalRegistry, {
                description: 'How many neighbouring columns are like this, -1 for any number.',
              }),
              nullable: z
                .optional(z.boolean())
                .register(z.globalRegistry, { description: 'Whether null stands for a missing value.' }),
            }),
          ),
        )
        .register(z.globalRegistry, { description: 'What a row of a tabular model holds.' }),
      inputs: z.array(tensorSpec()),
      outputs: z.array(tensorSpec()),
      metrics: z
        .optional(z.record(z.string(), z.number()))
        .register(z.globalRegistry, { description: 'Results on held-out data.' }),
      example: z
        .optional(jsonObject)
        .register(z.globalRegistry, { description: 'Body of a predict request.' }),
      ...names(),
    })
    .register(z.globalRegistry, { id: 'Model' }),
);
