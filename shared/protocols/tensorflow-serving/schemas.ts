import * as z from 'zod/mini';
import { jsonArray, jsonObject } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';
import { signature } from '../v1/schemas.ts';

export const examplesRequest = lazily(() =>
  z.looseObject({
    signature_name: signature(),
    context: z
      .optional(jsonObject)
      .register(z.globalRegistry, { description: 'Features that all examples share.' }),
    examples: jsonArray.clone().register(z.globalRegistry, { description: 'Objects of features by name.' }),
  }),
);

export const classifyResponse = lazily(() =>
  z.object({
    results: jsonArray.clone().register(z.globalRegistry, {
      description: 'For each example, a list of [label, score], one per class.',
    }),
  }),
);

export const regressResponse = lazily(() =>
  z.object({
    results: jsonArray.clone().register(z.globalRegistry, { description: 'One number per example.' }),
  }),
);

/** TensorFlow Serving uses the name twice. */
export const metadataResponse = lazily(() =>
  z.object({
    model_spec: z.object({ name: z.string(), signature_name: z.string(), version: z.string() }),
    metadata: z.object({ signature_def: z.object({ signature_def: jsonObject }) }),
  }),
);
