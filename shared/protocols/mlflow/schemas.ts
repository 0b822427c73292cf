import * as z from 'zod';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

/** The four forms of data; a request has exactly one of them. */
export const DATA_KEYS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export const scoringRequest = lazily(() =>
  z
    .looseObject({
      dataframe_split: jsonValue
        .optional()
        .describe('A table in the "split" form of pandas: {"columns": [...], "data": [[...]]}.'),
      dataframe_records: jsonValue
        .optional()
        .describe('A table in the "records" form of pandas: one object per row.'),
      instances: jsonArray
        .optional()
        .describe('Instances one after the other: values, or objects by input or column.'),
      inputs: jsonValue
        .optional()
        .describe('Whole inputs: the value of the only one, or an object with one list per input or column.'),
      params: jsonObject
        .nullable()
        .optional()
        .describe('Accepted and ignored: ONNX models take no parameters.'),
    })
    .describe(`Exactly one of ${DATA_KEYS.join(', ')}.`),
);

export const scoringResponse = lazily(() => z.object({ predictions: z.unknown() }));

const COUNT = 'expected a whole number of at least 1';

export const vectorsRequest = lazily(() =>
  z.object({
    input: z
      .union([z.string(), z.array(z.string())], 'expected a text or an array of texts')
      .describe('For a model that makes vectors: one or several texts.'),
    dimensions: z.int(COUNT).min(1, COUNT).nullish().describe('How many numbers of each vector are wanted.'),
    encoding_format: z.literal('float', 'expected "float"').nullish(),
  }),
);

export const vectorsResponse = lazily(() =>
  z.object({
    object: z.literal('list'),
    model: z.string().describe('Name of the model.'),
    data: z.array(
      z.object({ object: z.literal('embedding'), index: z.int(), embedding: z.array(z.number().nullable()) }),
    ),
  }),
);

const task = lazily(() =>
  z
    .string()
    .describe('The task of the model; `unknown` if only its graph says it, because a list loads no model.'),
);

export const gatewayEndpoint = lazily(() =>
  z.object({
    name: z.string(),
    endpoint_type: task(),
    model: z.object({
      name: z.string().describe('Name of the model.'),
      provider: z.literal('ternion'),
      version: z.string().describe('The version that answers.'),
    }),
    endpoint_url: z.string().describe('Where requests go, below the address of this server.'),
    limit: z.null(),
  }),
);

export const gatewayEndpoints = lazily(() => z.object({ endpoints: z.array(gatewayEndpoint()) }));

const servingEndpoint = lazily(() =>
  z.object({
    id: z.string(),
    name: z.string(),
    task: task(),
    creation_timestamp: z.number().describe('When this instance started, in milliseconds since 1970.'),
    last_updated_timestamp: z.number(),
    state: z.object({
      ready: z
        .enum(['READY', 'NOT_READY'])
        .describe('NOT_READY after the model failed to load, or was unloaded.'),
      config_update: z.literal('NOT_UPDATING'),
    }),
    config: z.object({
      served_entities: z
        .array(
          z.object({
            name: z.string().describe('Model and version, as in the header served-model-name.'),
            entity_name: z.string().describe('Name of the model.'),
            entity_version: z.string().describe('The version that answers.'),
          }),
        )
        .length(1),
      traffic_config: z.object({
        routes: z
          .array(z.object({ served_model_name: z.string(), traffic_percentage: z.literal(100) }))
          .length(1),
      }),
    }),
  }),
);

export const servingEndpoints = lazily(() => z.object({ endpoints: z.array(servingEndpoint()) }));

export const servingEndpointDetails = lazily(() =>
  servingEndpoint().extend({
    endpoint_url: z.string().describe('The address of its invocations.'),
    permission_level: z.literal('CAN_QUERY'),
    route_optimized: z.literal(true),
    data_plane_info: z
      .object({
        query_info: z.object({
          authorization_details: z.string().describe('What the client sends to get a token.'),
          endpoint_url: z.string(),
        }),
      })
      .describe('Details that the data plane API of the SDKs needs.'),
  }),
);

export const hostMetadata = lazily(() => z.object({ oidc_endpoint: z.string() }));

export const authorizationServer = lazily(() =>
  z.object({
    issuer: z.string(),
    authorization_endpoint: z.string().describe('Sign-in does not exist here.'),
    token_endpoint: z.string(),
    grant_types_supported: z.array(z.string()),
  }),
);

export const tokenResponse = lazily(() =>
  z.object({
    access_token: z.string().describe('The same word for every client; no route checks it.'),
    token_type: z.literal('Bearer'),
    expires_in: z.number().describe('Seconds.'),
  }),
);
