import * as z from 'zod/mini';
import { DATATYPE_NAMES } from '../../tensor/datatype.ts';
import { jsonArray, jsonObject } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

// These schemas only describe: decode.ts and the code it calls read requests, because large tensors need it. A test
// checks that both agree.

const datatype = lazily(() =>
  z.enum(DATATYPE_NAMES).register(z.globalRegistry, { description: 'Datatype of the elements.' }),
);

const contentType = lazily(() => z.nullish(z.string()));

const parameters = lazily(() => z.nullish(z.looseObject({ content_type: contentType() })));

const inputTensor = lazily(() =>
  z.object({
    name: z.string().register(z.globalRegistry, { description: 'Name of the input in the graph.' }),
    datatype: datatype(),
    shape: z
      .array(z.int().check(z.minimum(0)))
      .register(z.globalRegistry, { description: 'Size of each axis.' }),
    data: z.union([jsonArray, z.string()]).register(z.globalRegistry, {
      description:
        'The elements in row-major order, flat or nested. A bare text stands for a BYTES tensor of one element.',
    }),
    parameters: parameters().clone().register(z.globalRegistry, {
      description:
        '`content_type`: `base64` for texts that stand for bytes, such as images; `np`, `str`, `datetime` and `pd_json` as in MLServer.',
    }),
  }),
);

const requestedOutput = lazily(() =>
  z.object({
    name: z.string().register(z.globalRegistry, { description: 'Name of the output in the graph.' }),
    parameters: z.nullish(
      z.object({
        classification: z.nullish(z.int().check(z.minimum(0))).register(z.globalRegistry, {
          description:
            'Number of best classes to return instead of the tensor, as texts `value:index:label`.',
        }),
        binary_data: z
          .nullish(z.boolean())
          .register(z.globalRegistry, { description: 'Whether the output comes as bytes after the JSON.' }),
        content_type: contentType().clone().register(z.globalRegistry, {
          description: '`np`, `str`, `base64` or `datetime`, as in MLServer.',
        }),
      }),
    ),
  }),
);

export const inferRequest = lazily(() =>
  z
    .object({
      id: z.nullish(z.string()).register(z.globalRegistry, { description: 'Returned in the answer.' }),
      inputs: z
        .optional(z.array(inputTensor()))
        .register(z.globalRegistry, { description: 'One tensor per input of the model.' }),
      outputs: z
        .nullish(z.array(requestedOutput()))
        .register(z.globalRegistry, { description: 'The outputs wanted; all by default.' }),
      parameters: z.nullish(
        z.object({
          binary_data_output: z
            .nullish(z.boolean())
            .register(z.globalRegistry, { description: 'Whether outputs that do not say so come as bytes.' }),
          content_type: contentType()
            .clone()
            .register(z.globalRegistry, { description: '`pd` for a data frame, with an input per column.' }),
        }),
      ),
    })
    .register(z.globalRegistry, { id: 'InferRequest' }),
);

export const inferResponse = lazily(() =>
  z
    .object({
      id: z.string(),
      model_name: z.string(),
      model_version: z.string(),
      outputs: z.array(
        z.object({
          name: z.string(),
          datatype: datatype(),
          shape: z.array(z.int().check(z.minimum(0))),
          data: z.optional(jsonArray).register(z.globalRegistry, {
            description: 'The elements in row-major order, flat; null for NaN and infinity.',
          }),
          parameters: z.optional(
            z.object({
              content_type: z
                .optional(z.string())
                .register(z.globalRegistry, { description: 'The content type that was asked for.' }),
              binary_data_size: z.optional(z.int().check(z.minimum(0))).register(z.globalRegistry, {
                description: 'Replaces `data` if the elements are bytes after the JSON.',
              }),
            }),
          ),
        }),
      ),
    })
    .register(z.globalRegistry, { id: 'InferResponse' }),
);

/** For requests and answers that are JSON followed by bytes. */
export const jsonLength = lazily(() =>
  z.optional(z.int().check(z.minimum(0))).register(z.globalRegistry, {
    description: 'Length of the JSON in bytes, if the bytes of tensors follow it.',
  }),
);

export const serverMetadata = lazily(() =>
  z
    .object({
      name: z.string(),
      version: z.string(),
      extensions: z
        .array(z.string())
        .register(z.globalRegistry, { description: 'Extensions of Triton, by their official names.' }),
    })
    .register(z.globalRegistry, { id: 'ServerMetadata' }),
);

export const serverHealth = lazily(() =>
  z.object({ live: z.boolean(), ready: z.boolean() }).register(z.globalRegistry, { id: 'ServerHealth' }),
);

export const modelNames = lazily(() =>
  z.object({ models: z.array(z.string()) }).register(z.globalRegistry, { id: 'ModelNames' }),
);

const tensorSpec = lazily(() =>
  z.object({
    name: z.string(),
    datatype: datatype(),
    shape: z
      .array(z.int().check(z.minimum(-1)))
      .register(z.globalRegistry, { description: 'Size of each axis, -1 for any.' }),
  }),
);

export const modelMetadata = lazily(() =>
  z
    .object({
      name: z.string(),
      versions: z.array(z.string()),
      platform: z.literal('onnxruntime_onnx'),
      inputs: z.array(tensorSpec()),
      outputs: z.array(tensorSpec()),
    })
    .register(z.globalRegistry, { id: 'ModelMetadata' }),
);

export const modelReady = lazily(() =>
  z.object({ name: z.string(), ready: z.boolean() }).register(z.globalRegistry, { id: 'ModelReady' }),
);

const configTensor = lazily(() =>
  z.object({
    name: z.string(),
    data_type: z.string(),
    dims: z.array(z.int().check(z.minimum(-1))),
  }),
);

export const modelConfig = lazily(() =>
  z
    .object({
      name: z.string(),
      platform: z.string(),
      backend: z.string(),
      version_policy: jsonObject,
      max_batch_size: z
        .int()
        .check(z.minimum(0))
        .register(z.globalRegistry, { description: 'More than 0 if the size of the first axis is open.' }),
      input: z.array(configTensor()),
      output: z.array(configTensor()),
    })
    .register(z.globalRegistry, { id: 'ModelConfig' }),
);

const duration = lazily(() =>
  z.object({ count: z.int().check(z.minimum(0)), ns: z.number().check(z.minimum(0)) }),
);

const computeTimes = lazily(() => ({
  compute_input: duration(),
  compute_infer: duration(),
  compute_output: duration(),
}));

export const statistics = lazily(() =>
  z
    .object({
      model_stats: z.array(
        z.object({
          name: z.string(),
          version: z.string(),
          last_inference: z
            .number()
            .register(z.globalRegistry, { description: 'Milliseconds since 1970; 0 for never.' }),
          inference_count: z
            .int()
            .check(z.minimum(0))
            .register(z.globalRegistry, { description: 'Instances; a batch has several.' }),
          execution_count: z.int().check(z.minimum(0)),
          inference_stats: z.object({
            success: duration(),
            fail: duration(),
            queue: duration(),
            ...computeTimes(),
            cache_hit: duration(),
            cache_miss: duration(),
          }),
          response_stats: jsonObject,
          batch_stats: z.array(z.object({ batch_size: z.int().check(z.minimum(0)), ...computeTimes() })),
          memory_usage: jsonArray,
        }),
      ),
    })
    .register(z.globalRegistry, { id: 'ModelStatistics' }),
);

// For the model repository extension, whose requests repository.ts reads.

export const repositoryIndexRequest = lazily(() =>
  z
    .object({
      ready: z
        .optional(z.boolean())
        .register(z.globalRegistry, { description: 'Whether only models that are ready are listed.' }),
    })
    .register(z.globalRegistry, { id: 'RepositoryIndexRequest' }),
);

export const unloadRequest = lazily(() => z.object({}).register(z.globalRegistry, { id: 'UnloadRequest' }));

export const repositoryIndex = lazily(() =>
  z
    .array(
      z.object({
        name: z.string(),
        version: z.string(),
        state: z.enum(['READY', 'LOADING', 'UNAVAILABLE']),
        reason: z.string(),
      }),
    )
    .register(z.globalRegistry, { id: 'RepositoryIndex' }),
);

/** Models come from the repository, so a load takes no options. */
export const loadRequest = lazily(() =>
  z.object({ parameters: z.optional(z.strictObject({})) }).register(z.globalRegistry, { id: 'LoadRequest' }),
);

export const loadResponse = lazily(() =>
  z.object({ name: z.string(), load: z.literal(true) }).register(z.globalRegistry, { id: 'Loaded' }),
);

export const unloadResponse = lazily(() =>
  z.object({ name: z.string(), unload: z.literal(true) }).register(z.globalRegistry, { id: 'Unloaded' }),
);
