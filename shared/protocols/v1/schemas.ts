import * as z from 'zod/mini';
import { jsonArray, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const signature = lazily(() =>
  z
    .optional(z.enum(['', 'serving_default'], 'the only signature is "serving_default"'))
    .register(z.globalRegistry, { description: 'Every model has the one signature "serving_default".' }),
);

export const predictRequest = lazily(() =>
  z
    .looseObject({
      signature_name: signature(),
      instances: z.optional(jsonArray).register(z.globalRegistry, {
        description:
          'Instances one after the other: values of the only input, objects with one value per input, or texts.',
      }),
      inputs: z.optional(jsonValue).register(z.globalRegistry, {
        description: 'Whole inputs: the value of the only one, an object with one value per input, or texts.',
      }),
    })
    .register(z.globalRegistry, { description: 'Exactly one of "instances" and "inputs".' }),
);

export const predictResponse = lazily(() =>
  z.union([
    z.object({
      predictions: jsonArray.clone().register(z.globalRegistry, { description: 'One item per instance.' }),
    }),
    z.object({
      outputs: jsonValue.clone().register(z.globalRegistry, {
        description: 'The only output, or an object with one value per output.',
      }),
    }),
  ]),
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
