import * as z from 'zod';
import { jsonArray, jsonObject, jsonValue } from '../codecs/envelope.ts';

const signature = z
  .enum(['', 'serving_default'], 'the only signature is "serving_default"')
  .optional()
  .describe('Every model has the one signature "serving_default".');

export const predictRequest = z
  .looseObject({
    signature_name: signature,
    instances: jsonArray
      .optional()
      .describe(
        'Instances one after the other: values of the only input, or objects with one value per input.',
      ),
    inputs: jsonValue
      .optional()
      .describe('Whole inputs: the value of the only one, or an object with one value per input.'),
  })
  .describe('Exactly one of "instances" and "inputs".');

export const examplesRequest = z.looseObject({
  signature_name: signature,
  context: jsonObject.optional().describe('Features that all examples share.'),
  examples: jsonArray.describe('Objects of features by name.'),
});

export const resultsResponse = z.object({ results: z.array(z.unknown()) });

export const statusResponse = z.object({
  model_version_status: z.array(
    z.object({
      version: z.string(),
      state: z.enum(['AVAILABLE', 'LOADING', 'END']),
      status: z.object({ error_code: z.string(), error_message: z.string() }),
    }),
  ),
  name: z.string(),
  ready: z.boolean(),
});
