import * as z from 'zod';
import { jsonArray, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

export const predictRequest = lazily(() =>
  z.looseObject({
    instances: jsonArray.describe(
      'Values of the only input, objects with one value per input or feature, images in base64, or texts.',
    ),
    parameters: jsonValue
      .optional()
      .describe(
        'For image and text models "confidenceThreshold" and "maxPredictions": they ask for labels. Other parameters are ignored.',
      ),
  }),
);

const predictions = lazily(() => jsonArray.describe('One for each instance, in their order.'));

export const containerResponse = lazily(() => z.object({ predictions: predictions() }));

export const predictResponse = lazily(() =>
  z.object({
    predictions: predictions(),
    deployedModelId: z.string().describe('Version of the model.'),
    model: z.string().describe('Resource name of the model.'),
    modelDisplayName: z.string().describe('Name of the model.'),
    modelVersionId: z.string().describe('Version of the model.'),
  }),
);

export const endpointResponse = lazily(() =>
  z.object({
    name: z.string().describe('Resource name of the endpoint.'),
    displayName: z.string(),
    deployedModels: z.array(
      z.object({
        id: z.string().describe('Version of the model.'),
        displayName: z.string().describe('Name of the model.'),
        model: z.string().describe('Resource name of the model.'),
        modelVersionId: z.string(),
        createTime: z.string(),
        privateEndpoints: z
          .object({ predictHttpUri: z.string(), healthHttpUri: z.string() })
          .optional()
          .describe('For the class PrivateEndpoint of the SDK: where it sends its requests.'),
      }),
    ),
    trafficSplit: z.record(z.string(), z.number()).describe('100 for the live version.'),
    createTime: z.string().describe('When this instance started.'),
    updateTime: z.string(),
    network: z
      .string()
      .optional()
      .describe('For the class PrivateEndpoint of the SDK, which accepts only endpoints with a network.'),
  }),
);

export const endpointsQuery = {
  filter: lazily(() =>
    z
      .string()
      .optional()
      .describe('`display_name="iris"`, or `endpoint="iris"`: the one endpoint of that name.'),
  ),
  pageSize: lazily(() =>
    z.string().optional().describe('Most endpoints in the answer; all if it is missing.'),
  ),
  pageToken: lazily(() => z.string().optional().describe('The `nextPageToken` of the previous page.')),
};

export const endpointsResponse = lazily(() =>
  z.object({ endpoints: z.array(endpointResponse()), nextPageToken: z.string().optional() }),
);

const SHARE = 'expected a number from 0 to 1';
const COUNT = 'expected a whole number of at least 1';

export const labelEnvelope = lazily(() =>
  z.object({
    parameters: z.looseObject({
      confidenceThreshold: z.number().min(0, SHARE).max(1, SHARE).optional(),
      maxPredictions: z.number().int(COUNT).min(1, COUNT).optional(),
    }),
  }),
);
