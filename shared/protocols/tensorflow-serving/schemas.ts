import * as z from 'zod';
import { jsonArray, jsonObject, jsonValue } from '../codecs/envelope.ts';
import { lazily } from '../codecs/lazily.ts';

const signature = lazily(() =>
  z
    .enum(['', 'serving_default'], 'the only signature is "serving_default"')
    .optional()
    .describe('Every model has the one signature "serving_default".'),
);

export const predictRequest = lazily(() =>
  z
    .looseObject({
      signature_name: signature(),
      instances: jsonArray
        .optional()
        .describe(
          'Instances one after the other: values of the only input, or objects with one value per input.',
        ),
      inputs: jsonValue
        .optional()
        .describe('Whole inputs: the value of the only one, or an object with one value per input.'),
    })
    .describe('Exactly one of "instances" and "inputs".'),
);

export const examplesRequest = lazily(() =>
  z.looseObject({
    signature_name: signature(),
    context: jsonObject.optional().describe('Features that all examples share.'),
    examples: jsonArray.describe('Objects of features by name.'),
  }),
);

export const predictResponse = lazily(() =>
  z.union([
    z.object({ predictions: jsonArray.describe('One item per instance.') }),
    z.object({ outputs: jsonValue.describe('The only output, or an object with one value per output.') }),
  ]),
);

export const classifyResponse = lazily(() =>
  z.object({
    results: jsonArray.describe('For each example, a list of [label, score], one per class.'),
  }),
);

export const regressResponse = lazily(() =>
  z.object({ results: jsonArray.describe('One number per example.') }),
);

/** The name stands twice in TensorFlow Serving. */
export const metadataResponse = lazily(() =>
  z.object({
    model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
    metadata: z.object({ signature_def: z.object({ signature_def: jsonObject }) }),
  }),
);

export const statusResponse = lazily(() =>
  z.object({
    model_version_status: z.array(
      z.object({
        version: z.string(),
        state: z.enum(['AVAILABLE', 'LOADING', 'END']),
        status: z.object({ error_code: z.string(), error_message: z.string() }),
      }),
    ),
    name: z.string(),
    ready: z.boolean(),
    id: z.string(),
    object: z.literal('model'),
  }),
);
