import * as z from 'zod';
import { DATATYPE_NAMES } from '../../tensor/datatype.ts';
import { jsonArray, jsonObject } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';

// These schemas only describe: decode.ts and the code it calls read requests, because large tensors need it. A test
// checks that both agree.

const datatype = lazily(() => z.enum(DATATYPE_NAMES).describe('Datatype of the elements.'));

const contentType = lazily(() => z.string().nullish());

const parameters = lazily(() => z.looseObject({ content_type: contentType() }).nullish());

const inputTensor = lazily(() =>
  z.object({
    name: z.string().describe('Name of the input in the graph.'),
    datatype: datatype(),
    shape: z.array(z.int().min(0)).describe('Size of each axis.'),
    data: z
      .union([jsonArray, z.string()])
      .describe(
        'The elements in row-major order, flat or nested. A bare text stands for a BYTES tensor of one element.',
      ),
    parameters: parameters().describe(
      '`content_type`: `base64` for texts that stand for bytes, such as images; `np`, `str`, `datetime` and `pd_json` as in MLServer.',
    ),
  }),
);

const requestedOutput = lazily(() =>
  z.object({
    name: z.string().describe('Name of the output in the graph.'),
    parameters: z
      .object({
        classification: z
          .int()
          .min(0)
          .nullish()
          .describe('Number of best classes to return instead of the tensor, as texts `value:index:label`.'),
        binary_data: z.boolean().nullish().describe('Whether the output comes as bytes after the JSON.'),
        content_type: contentType().describe('`np`, `str`, `base64` or `datetime`, as in MLServer.'),
      })
      .nullish(),
  }),
);

export const inferRequest = lazily(() =>
  z
    .object({
      id: z.string().nullish().describe('Returned in the answer.'),
      inputs: z.array(inputTensor()).optional().describe('One tensor per input of the model.'),
      outputs: z.array(requestedOutput()).nullish().describe('The outputs wanted; all by default.'),
      parameters: z
        .object({
          binary_data_output: z
            .boolean()
            .nullish()
            .describe('Whether outputs that do not say so come as bytes.'),
          content_type: contentType().describe('`pd` for a data frame, with an input per column.'),
        })
        .nullish(),
    })
    .meta({ id: 'InferRequest' }),
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
          shape: z.array(z.int().min(0)),
          data: jsonArray
            .optional()
            .describe('The elements in row-major order, flat; null for NaN and infinity.'),
          parameters: z
            .object({
              content_type: z.string().optional().describe('The content type that was asked for.'),
              binary_data_size: z
                .int()
                .min(0)
                .optional()
                .describe('Replaces `data` if the elements are bytes after the JSON.'),
            })
            .optional(),
        }),
      ),
    })
    .meta({ id: 'InferResponse' }),
);

/** For requests and answers that are JSON followed by bytes. */
export const jsonLength = lazily(() =>
  z.int().min(0).optional().describe('Length of the JSON in bytes, if the bytes of tensors follow it.'),
);

export const serverMetadata = lazily(() =>
  z
    .object({
      name: z.string(),
      version: z.string(),
      extensions: z.array(z.string()).describe('Extensions of Triton, by their official names.'),
    })
    .meta({ id: 'ServerMetadata' }),
);

export const serverHealth = lazily(() =>
  z.object({ live: z.boolean(), ready: z.boolean() }).meta({ id: 'ServerHealth' }),
);

export const modelNames = lazily(() => z.object({ models: z.array(z.string()) }).meta({ id: 'ModelNames' }));

const tensorSpec = lazily(() =>
  z.object({
    name: z.string(),
    datatype: datatype(),
    shape: z.array(z.int().min(-1)).describe('Size of each axis, -1 for any.'),
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
    .meta({ id: 'ModelMetadata' }),
);

export const modelReady = lazily(() =>
  z.object({ name: z.string(), ready: z.boolean() }).meta({ id: 'ModelReady' }),
);

const configTensor = lazily(() =>
  z.object({
    name: z.string(),
    data_type: z.string(),
    dims: z.array(z.int().min(-1)),
  }),
);

export const modelConfig = lazily(() =>
  z
    .object({
      name: z.string(),
      platform: z.string(),
      backend: z.string(),
      version_policy: jsonObject,
      max_batch_size: z.int().min(0).describe('More than 0 if the size of the first axis is open.'),
      input: z.array(configTensor()),
      output: z.array(configTensor()),
    })
    .meta({ id: 'ModelConfig' }),
);

const duration = lazily(() => z.object({ count: z.int().min(0), ns: z.number().min(0) }));

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
          last_inference: z.number().describe('Milliseconds since 1970; 0 for never.'),
          inference_count: z.int().min(0).describe('Instances; a batch has several.'),
          execution_count: z.int().min(0),
          inference_stats: z.object({
            success: duration(),
            fail: duration(),
            queue: duration(),
            ...computeTimes(),
            cache_hit: duration(),
            cache_miss: duration(),
          }),
          response_stats: jsonObject,
          batch_stats: z.array(z.object({ batch_size: z.int().min(0), ...computeTimes() })),
          memory_usage: jsonArray,
        }),
      ),
    })
    .meta({ id: 'ModelStatistics' }),
);

// For the model repository extension, whose requests repository.ts reads.

export const repositoryIndexRequest = lazily(() =>
  z
    .object({
      ready: z.boolean().optional().describe('Whether only models that are ready are listed.'),
    })
    .meta({ id: 'RepositoryIndexRequest' }),
);

export const unloadRequest = lazily(() => z.object({}).meta({ id: 'UnloadRequest' }));

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
    .meta({ id: 'RepositoryIndex' }),
);

/** Models come from the repository, so a load takes no options. */
export const loadRequest = lazily(() =>
  z.object({ parameters: z.strictObject({}).optional() }).meta({ id: 'LoadRequest' }),
);

export const loadResponse = lazily(() =>
  z.object({ name: z.string(), load: z.literal(true) }).meta({ id: 'Loaded' }),
);

export const unloadResponse = lazily(() =>
  z.object({ name: z.string(), unload: z.literal(true) }).meta({ id: 'Unloaded' }),
);
