import * as z from 'zod/mini';
import { jsonArray, jsonObject, jsonValue } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

/** The four forms of data; a request has exactly one of them. */
export const DATA_KEYS = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

export const scoringRequest = lazily(() =>
  z
    .looseObject({
      dataframe_split: z.optional(jsonValue).register(z.globalRegistry, {
        description: 'A table in the "split" form of pandas: {"columns": [...], "data": [[...]]}.',
      }),
      dataframe_records: z.optional(jsonValue).register(z.globalRegistry, {
        description: 'A table in the "records" form of pandas: one object per row.',
      }),
      instances: z.optional(jsonArray).register(z.globalRegistry, {
        description: 'Instances one after the other: values, or objects by input or column.',
      }),
      inputs: z.optional(jsonValue).register(z.globalRegistry, {
        description:
          'Whole inputs: the value of the only one, or an object with one list per input or column.',
      }),
      params: z
        .optional(z.nullable(jsonObject))
        .register(z.globalRegistry, { description: 'Accepted and ignored: ONNX models take no parameters.' }),
    })
    .register(z.globalRegistry, { description: `Exactly one of ${DATA_KEYS.join(', ')}.` }),
);

export const scoringResponse = lazily(() => z.object({ predictions: z.unknown() }));

const COUNT = 'expected a whole number of at least 1';

export const vectorsRequest = lazily(() =>
  z.object({
    input: z
      .union([z.string(), z.array(z.string())], 'expected a text or an array of texts')
      .register(z.globalRegistry, { description: 'For a model that makes vectors: one or several texts.' }),
    dimensions: z
      .nullish(z.int(COUNT).check(z.minimum(1, COUNT)))
      .register(z.globalRegistry, { description: 'How many numbers of each vector are wanted.' }),
    encoding_format: z.nullish(z.literal('float', 'expected "float"')),
  }),
);

export const vectorsResponse = lazily(() =>
  z.object({
    object: z.literal('list'),
    model: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z.array(z.nullable(z.number())),
      }),
    ),
  }),
);

const task = lazily(() =>
  z.string().register(z.globalRegistry, {
    description: 'The task of the model; `unknown` if only its graph says it, because a list loads no model.',
  }),
);

export const gatewayEndpoint = lazily(() =>
  z.object({
    name: z.string(),
    endpoint_type: task(),
    model: z.object({
      name: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
      provider: z.literal('ternion'),
      version: z.string().register(z.globalRegistry, { description: 'The version that answers.' }),
    }),
    endpoint_url: z
      .string()
      .register(z.globalRegistry, { description: 'Where requests go, below the address of this server.' }),
    limit: z.null(),
  }),
);

export const gatewayEndpoints = lazily(() => z.object({ endpoints: z.array(gatewayEndpoint()) }));

const servingEndpoint = lazily(() =>
  z.object({
    id: z.string(),
    name: z.string(),
    task: task(),
    creation_timestamp: z
      .number()
      .register(z.globalRegistry, { description: 'When this instance started, in milliseconds since 1970.' }),
    last_updated_timestamp: z.number(),
    state: z.object({
      ready: z.enum(['READY', 'NOT_READY']).register(z.globalRegistry, {
        description: 'NOT_READY after the model failed to load, or was unloaded.',
      }),
      config_update: z.literal('NOT_UPDATING'),
    }),
    config: z.object({
      served_entities: z
        .array(
          z.object({
            name: z.string().register(z.globalRegistry, {
              description: 'Model and version, as in the header served-model-name.',
            }),
            entity_name: z.string().register(z.globalRegistry, { description: 'Name of the model.' }),
            entity_version: z
              .string()
              .register(z.globalRegistry, { description: 'The version that answers.' }),
          }),
        )
        .check(z.length(1)),
      traffic_config: z.object({
        routes: z
          .array(z.object({ served_model_name: z.string(), traffic_percentage: z.literal(100) }))
          .check(z.length(1)),
      }),
    }),
  }),
);

export const servingEndpoints = lazily(() => z.object({ endpoints: z.array(servingEndpoint()) }));

export const servingEndpointDetails = lazily(() =>
  z.extend(servingEndpoint(), {
    endpoint_url: z.string().register(z.globalRegistry, { description: 'The address of its invocations.' }),
    permission_level: z.literal('CAN_QUERY'),
    route_optimized: z.literal(true),
    data_plane_info: z
      .object({
        query_info: z.object({
          authorization_details: z
            .string()
            .register(z.globalRegistry, { description: 'What the client sends to get a token.' }),
          endpoint_url: z.string(),
        }),
      })
      .register(z.globalRegistry, { description: 'Details that the data plane API of the SDKs needs.' }),
  }),
);

export const hostMetadata = lazily(() => z.object({ oidc_endpoint: z.string() }));

export const authorizationServer = lazily(() =>
  z.object({
    issuer: z.string(),
    authorization_endpoint: z
      .string()
      .register(z.globalRegistry, { description: 'Sign-in does not exist here.' }),
    token_endpoint: z.string(),
    grant_types_supported: z.array(z.string()),
  }),
);

export const tokenResponse = lazily(() =>
  z.object({
    access_token: z
      .string()
      .register(z.globalRegistry, { description: 'The same word for every client; no route checks it.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.number().register(z.globalRegistry, { description: 'Seconds.' }),
  }),
);

const modelName = lazily(() =>
  z
    .string()
    .register(z.globalRegistry, { description: 'The model, by its name in the registry or on its routes.' }),
);

export const historyQuery = {
  name: modelName,
  max_results: z.optional(z.string()).register(z.globalRegistry, {
    description: 'Most changes in the answer, from 1 to 1000; 100 if it is missing.',
  }),
  page_token: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'The `next_page_token` of the previous page.' }),
};

const percents = lazily(() => z.record(z.string(), z.number()));

export const historyResponse = lazily(() =>
  z.object({
    changes: z
      .array(
        z.object({
          revision: z.int(),
          timestamp: z.int().register(z.globalRegistry, { description: 'In milliseconds since 1970.' }),
          by: z.string(),
          why: z.string(),
          action: z
            .string()
            .register(z.globalRegistry, { description: 'What was asked for, such as `promote 3`.' }),
          live: z.nullable(z.string()).register(z.globalRegistry, {
            description: 'The version that was live then; null for the highest.',
          }),
          aliases: z.record(z.string(), z.string()),
          archived: z.array(z.string()),
          split: percents(),
          shadows: percents(),
          rules: z.array(z.object({ target: z.string(), when: z.string() })),
          key: z.nullable(z.string()),
          held_back: z
            .optional(
              z.array(
                z.object({
                  version: z.string(),
                  timestamp: z
                    .int()
                    .register(z.globalRegistry, { description: 'In milliseconds since 1970.' }),
                  instance: z.string(),
                  reason: z.string(),
                }),
              ),
            )
            .register(z.globalRegistry, {
              description:
                'Versions that an instance could not load after the change, with the first that noted it.',
            }),
        }),
      )
      .register(z.globalRegistry, { description: 'The newest first.' }),
    next_page_token: z
      .optional(z.string())
      .register(z.globalRegistry, { description: 'Where the next page begins.' }),
  }),
);

const change = lazily(() => ({
  name: modelName(),
  why: z.optional(z.string()).register(z.globalRegistry, { description: 'For the history.' }),
  expected_revision: z.optional(z.int().check(z.minimum(0))).register(z.globalRegistry, {
    description:
      'The newest revision that is known; the change is refused with status 409 if there is a newer one.',
  }),
}));

export const promoteRequest = lazily(() =>
  z.object({
    ...change(),
    version: z.string().register(z.globalRegistry, { description: 'A version, or an alias of one.' }),
  }),
);

export const splitRequest = lazily(() =>
  z.object({
    ...change(),
    shares: percents().register(z.globalRegistry, {
      description:
        'Shares in percent by version or alias; 0 takes one out, and what is not named stays as it is.',
    }),
  }),
);

export const rollbackRequest = lazily(() =>
  z.object({
    ...change(),
    revision: z.optional(z.int().check(z.minimum(0))).register(z.globalRegistry, {
      description:
        'The model becomes what it was after this change; by default after the one before the newest.',
    }),
  }),
);

export const changedModel = lazily(() => z.object({ registered_model: jsonObject }));
