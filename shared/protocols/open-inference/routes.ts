import type { Context } from 'hono';
import { answerStyle } from '../../answers/answer.ts';
import { InferenceError } from '../../errors.ts';
import { compressResponse } from '../../http/compress.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Inference, NamedChoice } from '../../inference/inference.ts';
import type { Model } from '../../inference/load-model.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelListing } from '../../models/model-reference.ts';
import { type Dialect, readInvocation } from '../invocation.ts';
import {
  type Content,
  type Handler,
  jsonContent,
  type Operation,
  type Protocol,
  type ProtocolOptions,
} from '../operation.ts';
import { infer } from './data-plane.ts';
import { readInferRequest } from './decode.ts';
import { encodeConfig, encodeInferResponse, encodeMetadata, encodeStatistics } from './encode.ts';
import { createRepositoryOperations } from './repository.ts';
import * as schemas from './schemas.ts';

/** JSON, optionally followed by the bytes of tensors. */
const INFER_REQUEST: Content = {
  'application/json': schemas.inferRequest,
  'application/octet-stream': null,
};

const INFER_RESPONSE: Content = {
  'application/json': schemas.inferResponse,
  'application/octet-stream': null,
};

/** Triton's extensions that work here, by their official names. */
const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'statistics',
];

/** Parts of Triton's interface that have no meaning on a serverless host. */
const UNSUPPORTED = [
  '/v2/logging',
  '/v2/trace/setting',
  '/v2/models/{model}/trace/setting',
  '/v2/systemsharedmemory/*',
  '/v2/cudasharedmemory/*',
  '/v2/models/{model}/generate',
  '/v2/models/{model}/generate_stream',
  '/v2/models/{model}/versions/{version}/generate',
  '/v2/models/{model}/versions/{version}/generate_stream',
  '/v2/repository/{repository}/models/{model}/load',
  '/v2/repository/{repository}/models/{model}/unload',
];

/** The Open Inference Protocol, version 2, over HTTP, with the extensions of Triton it announces. */
export function createOpenInferenceProtocol(options: ProtocolOptions): Protocol {
  const { inference, config, version } = options;
  return {
    name: 'open-inference',
    description: "The Open Inference Protocol (KServe V2) with Triton's extensions.",
    operations: [
      ...createServerOperations(inference, version),
      ...createRepositoryOperations(inference, config.adminRoutes),
      ...['/v2/models/{model}', '/v2/models/{model}/versions/{version}'].flatMap((path) =>
        createModelOperations(path, options),
      ),
      ...UNSUPPORTED.map((path): Operation => ({ method: 'ALL', path, handle: refuseUnsupported })),
    ],
  };
}

/** Answers an inference request of V2 to a model, on any route. */
export const invokeOpenInference: Dialect = async (invocation, { inference, config }) => {
  const startMs = performance.now();
  const reading = readInferRequest(invocation);
  const choice = { ...invocation.choice, kind: 'tensors' as const };
  const { value, usage } = await inference.use(choice, invocation, (model) =>
    reading.bind((decode) => infer(decode(model.contract), model, startMs)),
  );
  const response = await encodeInferResponse(value, answerStyle(config), () => invocation.budget.goOn());
  return { response: await compressResponse(invocation.request, response), usage };
};

function createServerOperations(inference: Inference, version: string): readonly Operation[] {
  const { repository } = inference;
  // KServe, MLServer and the specification use different fields for health: the answer has all of them.
  const alive = () => jsonResponse({ live: true, ready: true });
  return [
    {
      method: 'GET',
      path: '/v2',
      summary: 'Describe this server',
      response: jsonContent(schemas.serverMetadata),
      handle: () => jsonResponse({ name: 'ternion', version, extensions: EXTENSIONS }),
    },
    {
      method: 'GET',
      path: '/v2/health/live',
      summary: 'Check whether the server is alive',
      response: jsonContent(schemas.serverHealth),
      handle: alive,
    },
    {
      method: 'GET',
      path: '/v2/health/ready',
      summary: 'Check whether the server can serve models',
      response: jsonContent(schemas.serverHealth),
      handle: async (c) => {
        await inference.checkRuntime();
        await repository.list(c.env.budget);
        return alive();
      },
    },
    {
      method: 'GET',
      path: '/v2/models',
      summary: 'List the names of the models',
      response: jsonContent(schemas.modelNames),
      handle: async (c) =>
        jsonResponse({ models: (await repository.list(c.env.budget)).map(({ name }) => name) }),
    },
    // Before the routes of a model, which would take "stats" for its name.
    {
      method: 'GET',
      path: '/v2/models/stats',
      summary: 'Get the counters of all models since this instance started',
      response: jsonContent(schemas.statistics),
      handle: async (c) => {
        const all = (await repository.list(c.env.budget)).flatMap(({ name, versions }) =>
          versions.map((each) => ({ name, version: each })),
        );
        return jsonResponse({
          model_stats: all.map((reference) => encodeStatistics(inference.statistics(reference))),
        });
      },
    },
  ];
}

function createModelOperations(path: string, options: ProtocolOptions): readonly Operation[] {
  const { inference } = options;
  const { repository } = inference;
  /** An answer that describes a model; it loads the model. */
  const describe =
    (encode: (model: Model, listing: ModelListing | undefined) => WritableJson): Handler =>
    async (c) => {
      const { value: model, usage } = await inference.use(modelInPath(c), c.env, (used) => used.model);
      const listing = await repository.versions(usage.reference.name);
      return { response: jsonResponse(encode(model, listing)), usage };
    };
  return [
    {
      method: 'GET',
      path,
      summary: 'Get the inputs and outputs of a model',
      response: jsonContent(schemas.modelMetadata),
      handle: describe(encodeMetadata),
    },
    {
      method: 'GET',
      path: `${path}/ready`,
      summary: 'Check whether a model is ready',
      response: jsonContent(schemas.modelReady),
      // A model that can be loaded on demand is ready: clients would wait forever for one that is not in memory.
      handle: describe(({ reference }) => ({ name: reference.name, ready: true })),
    },
    {
      method: 'GET',
      path: `${path}/stats`,
      summary: 'Get the counters of a model since this instance started',
      response: jsonContent(schemas.statistics),
      handle: async (c) =>
        jsonResponse({
          model_stats: [
            encodeStatistics(inference.statistics(await inference.resolve(modelInPath(c), c.env))),
          ],
        }),
    },
    {
      method: 'GET',
      path: `${path}/config`,
      summary: "A model's configuration as Triton has it",
      response: jsonContent(schemas.modelConfig),
      handle: describe(encodeConfig),
    },
    {
      method: 'POST',
      path: `${path}/infer`,
      summary: 'Run a model on tensors',
      headers: { 'Inference-Header-Content-Length': schemas.jsonLength },
      request: INFER_REQUEST,
      response: INFER_RESPONSE,
      handle: async (c) =>
        await invokeOpenInference(await readInvocation(c, options, modelInPath(c)), options),
    },
  ];
}

/** The model in the path, unchanged: it has no verb after a colon. */
function modelInPath(c: Context<AppEnvironment>): NamedChoice {
  return { model: c.req.param('model') ?? '', version: c.req.param('version') };
}

function refuseUnsupported(): never {
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'This extension of Triton is not supported here; GET /v2 lists those that are.',
  );
}
