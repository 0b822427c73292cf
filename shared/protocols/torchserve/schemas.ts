import * as z from 'zod';
import { jsonArray, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const predictionRequest = lazily(() =>
  z.union([
    z.looseObject({ data: jsonValue.describe('An image in base64, or a list of numbers.') }),
    z.looseObject({ instances: jsonArray.describe("Several of them, in KServe's envelope.") }),
    jsonArray.describe('A list of numbers.'),
  ]),
);

export const predictionResponse = lazily(() =>
  z.union([
    z.record(z.string(), z.number()).describe('The five best labels of an image, the best first.'),
    jsonArray.describe('A list with one item per image or row, or the nested lists of a tensor.'),
    z.object({ predictions: jsonArray.describe("One for each of the instances of KServe's envelope.") }),
  ]),
);

export const customizedQuery = lazily(() =>
  z
    .enum(['true', 'false'])
    .optional()
    .describe('Asks for the TorchServe list of versions; `true` asks for all details of each version.'),
);
export const minWorkerQuery = lazily(() =>
  z.string().optional().describe('0 unloads the model, any other number loads it.'),
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
      customizedMetadata: z.unknown().optional(),
    }),
  ),
);
