import * as z from 'zod/mini';
import { lazily } from '../body/lazily.ts';

const header = (text: string) =>
  lazily(() => z.optional(z.string()).register(z.globalRegistry, { description: text }));

/** The headers of SageMaker's clients. */
export const invocationHeaders = {
  'X-Amzn-SageMaker-Target-Model': header('The model, as the archive of a multi-model endpoint.'),
  'X-Amzn-SageMaker-Inference-Component': header('The model, as a component of an endpoint.'),
  'X-Amzn-SageMaker-Target-Variant': header('The version of the model.'),
  'X-Amzn-SageMaker-Custom-Attributes': header(
    'For the TensorFlow Serving container: tfs-model-name, tfs-model-version and tfs-method.',
  ),
} as const;

export const streamHeaders = {
  ...invocationHeaders,
  'X-Amzn-SageMaker-Accept': header('The type of the answer within the stream.'),
} as const;

export const executionParameters = lazily(() =>
  z.object({
    MaxConcurrentTransforms: z.number(),
    BatchStrategy: z.enum(['MULTI_RECORD', 'SINGLE_RECORD']),
    MaxPayloadInMB: z.number(),
  }),
);
