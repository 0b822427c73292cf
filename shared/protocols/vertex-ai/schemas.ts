import * as z from 'zod/mini';
import { jsonArray, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const predictRequest = lazily(() =>
  z.looseObject({
    instances: jsonArray.clone().register(z.globalRegistry, {
      description:
        'Values of the only input, objects with one value per input or feature, images in base64, or texts.',
    }),
    parameters: z.optional(jsonValue).register(z.globalRegistry, {
      description:
        'For image and text models "confidenceThreshold" and "maxPredictions": they ask for labels. Other parameters are ignored.',
    }),
  }),
);

const predictions = lazily(() =>
  jsonArray.clone().register(z.globalRegistry, { description: 'One for each instance, in their order.' }),
);

export const containerResponse = lazily(() => z.object({ predictions: predictions() }));

export const predictResponse = lazily(() =>
  z.object({
    predictions: predictions(),
    deployedModelId: z.string().register(z.globalRegistry, { description: 'Version of the model.' }),
    model: z.string().register(z.globalRegistry, { description: 'Resource name of the model.' }),
    modelDisplayName: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
    modelVersionId: z.string().register(z.globalRegistry, { description: 'Version of the model.' }),
  }),
);

export const endpointResponse = lazily(() =>
  z.object({
    name: z.string().register(z.globalRegistry, { description: 'Resource name of the endpoint.' }),
    displayName: z.string(),
    deployedModels: z.array(
      z.object({
        id: z.string().register(z.globalRegistry, { description: 'Version of the model.' }),
        displayName: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
        model: z.string().register(z.globalRegistry, { description: 'Resource name of the model.' }),
        modelVersionId: z.string(),
        createTime: z.string(),
        privateEndpoints: z
          .optional(z.object({ predictHttpUri: z.string(), healthHttpUri: z.string() }))
          .register(z.globalRegistry, {
            description: 'For the class PrivateEndpoint of the SDK: where it sends its requests.',
          }),
      }),
    ),
    trafficSplit: z
      .record(z.string(), z.number())
      .register(z.globalRegistry, { description: '100 for the live version.' }),
    createTime: z.string().register(z.globalRegistry, { description: 'When this instance started.' }),
    updateTime: z.string(),
    network: z.optional(z.string()).register(z.globalRegistry, {
      description: 'For the class PrivateEndpoint of the SDK, which accepts only endpoints with a network.',
    }),
  }),
);

export const endpointsQuery = {
  filter: lazily(() =>
    z.optional(z.string()).register(z.globalRegistry, {
      description: '`display_name="iris"`, or `endpoint="iris"`: the one endpoint of that name.',
    }),
  ),
  pageSize: lazily(() =>
    z
      .optional(z.string())
      .register(z.globalRegistry, { description: 'Most endpoints in the answer; all if it is missing.' }),
  ),
  pageToken: lazily(() =>
    z
      .optional(z.string())
      .register(z.globalRegistry, { description: 'The `nextPageToken` of the previous page.' }),
  ),
};

export const endpointsResponse = lazily(() =>
  z.object({ endpoints: z.array(endpointResponse()), nextPageToken: z.optional(z.string()) }),
);

const SHARE = 'expected a number from 0 to 1';
const COUNT = 'expected a whole number of at least 1';

export const labelEnvelope = lazily(() =>
  z.object({
    parameters: z.looseObject({
      confidenceThreshold: z.optional(z.number().check(z.minimum(0, SHARE), z.maximum(1, SHARE))),
      maxPredictions: z.optional(z.number().check(z.int(COUNT), z.minimum(1, COUNT))),
    }),
  }),
);
