import * as z from 'zod/mini';
import { jsonArray, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const predictionRequest = lazily(() =>
  z.union([
    z.looseObject({
      data: jsonValue
        .clone()
        .register(z.globalRegistry, { description: 'An image in base64, or a list of numbers.' }),
    }),
    z.looseObject({
      instances: jsonArray
        .clone()
        .register(z.globalRegistry, { description: "Several of them, in KServe's envelope." }),
    }),
    jsonArray.clone().register(z.globalRegistry, { description: 'A list of numbers.' }),
  ]),
);

export const predictionResponse = lazily(() =>
  z.union([
    z
      .record(z.string(), z.number())
      .register(z.globalRegistry, { description: 'The five best labels of an image, the best first.' }),
    jsonArray.clone().register(z.globalRegistry, {
      description: 'A list with one item per image or row, or the nested lists of a tensor.',
    }),
    z.object({
      predictions: jsonArray
        .clone()
        .register(z.globalRegistry, { description: "One for each of the instances of KServe's envelope." }),
    }),
  ]),
);

export const customizedQuery = lazily(() =>
  z.optional(z.enum(['true', 'false'])).register(z.globalRegistry, {
    description: 'Asks for the TorchServe list of versions; `true` asks for all details of each version.',
  }),
);
export const minWorkerQuery = lazily(() =>
  z
    .optional(z.string())
    .register(z.globalRegistry, { description: '0 unloads the model, any other number loads it.' }),
);

export const statusResponse = lazily(() => z.object({ status: z.string() }));

export const versionsResponse = lazily(() =>
  z.array(
    z.object({
      modelName: z.string(),
      modelVersion: z.string(),
      modelUrl: z.string(),
      runtime: z.string(),
      minWorkers: z.number(),
      maxWorkers: z.number(),
      batchSize: z.number(),
      maxBatchDelay: z.number(),
      workers: z.array(
        z.object({
          id: z.string(),
          startTime: z.string(),
          status: z.enum(['READY', 'LOADING']),
          memoryUsage: z.number(),
          gpu: z.boolean(),
        }),
      ),
      customizedMetadata: z.optional(z.unknown()),
    }),
  ),
);
