import { type Context, Hono } from 'hono';
import type { Config } from '../../config.ts';
import { InferenceError } from '../../errors.ts';
import { compressResponse } from '../../http/compress.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Inference } from '../../inference/inference.ts';
import type { Model } from '../../inference/load-model.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { hasOpenBatch } from './batching.ts';
import { decodeInferRequest } from './decode-request.ts';
import { encodeInferResponse } from './encode-response.ts';
import { encodeStatistics } from './encode-statistics.ts';
import { createRepositoryRoutes } from './repository.ts';

/** What works here of Triton's extensions, by their official names. */
const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'statistics',
];

/** Parts of Triton's interface that a serverless host has nothing behind. */
const UNSUPPORTED = [
  '/v2/logging',
  '/v2/trace/setting',
  '/v2/models/:model/trace/setting',
  '/v2/systemsharedmemory/*',
  '/v2/cudasharedmemory/*',
  '/v2/models/:model/generate',
  '/v2/models/:model/generate_stream',
  '/v2/models/:model/versions/:version/generate',
  '/v2/models/:model/versions/:version/generate_stream',
  '/v2/repository/:repository/models/:model/load',
  '/v2/repository/:repository/models/:model/unload',
];

/** The Open Inference Protocol, version 2, over HTTP, with the extensions of Triton it announces. */
export function createOpenInferenceProtocol(
  inference: Inference,
  config: Config,
  version: string,
): Hono<AppEnvironment> {
  const { repository } = inference;
  const { limits } = config;
  const routes = new Hono<AppEnvironment>({ strict: false });
  const resolve = (c: Context<AppEnvironment>) =>
    repository.resolve(c.req.param('model') ?? '', c.req.param('version'));

  async function infer(c: Context<AppEnvironment>): Promise<Response> {
    const { record } = c.env;
    const startMs = performance.now();
    const reference = await resolve(c);
    record.model = reference;
    const readInputs = () => inference.describe(reference, ({ session }) => session.inputs);
    const request = await decodeInferRequest(c.req.raw, limits, readInputs);
    const outputs = request.outputs?.map(({ name }) => name);
    const deadlineMs = request.timeoutMs === undefined ? undefined : startMs + request.timeoutMs;
    const result = await inference.inferTensors({ reference, inputs: request.inputs, outputs, deadlineMs });
    record.loadMs = result.loadMs;
    record.runMs = result.runMs;
    return await compressResponse(c.req.raw, encodeInferResponse(request, result, config.nonFiniteJson));
  }

  // Health of KServe, MLServer and the specification differ in their field: both are there for every client.
  const alive = () => jsonResponse({ live: true, ready: true });
  routes
    .get('/v2', () => jsonResponse({ name: 'ternion', version, extensions: EXTENSIONS }))
    .get('/v2/health/live', alive)
    .get('/v2/health/ready', async () => {
      await inference.checkRuntime();
      await repository.list();
      return alive();
    })
    .get('/v2/models', async () =>
      jsonResponse({ models: (await repository.list()).map(({ name }) => name) }),
    );
  // Before the routes of a model, which would take "stats" for its name.
  routes.get('/v2/models/stats', async () => {
    const live = (await repository.list()).flatMap(({ name, versions }) =>
      versions.map((each) => ({ name, version: each })),
    );
    return jsonResponse({
      model_stats: live.map((reference) => encodeStatistics(inference.statistics(reference))),
    });
  });
  routes.route('/', createRepositoryRoutes(inference, limits, config.adminRoutes));
  for (const model of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    routes
      .get(model, async (c) => {
        const reference = await resolve(c);
        const listing = (await repository.list()).find(({ name }) => name === reference.name);
        return jsonResponse(
          await inference.describe(reference, (found) => encodeMetadata(found, listing?.versions ?? [])),
        );
      })
      .get(`${model}/ready`, async (c) => {
        // A model that can be loaded on demand is ready: clients would wait for ever for one that is not in memory.
        const reference = await resolve(c);
        return jsonResponse(
          await inference.describe(reference, () => ({ name: reference.name, ready: true })),
        );
      })
      .get(`${model}/stats`, async (c) =>
        jsonResponse({ model_stats: [encodeStatistics(inference.statistics(await resolve(c)))] }),
      )
      .get(`${model}/config`, async (c) =>
        jsonResponse(await inference.describe(await resolve(c), encodeConfig)),
      )
      .post(`${model}/infer`, infer);
  }
  for (const path of UNSUPPORTED) {
    routes.all(path, () => {
      throw new InferenceError(
        'NOT_IMPLEMENTED',
        'This extension of Triton is not supported here; GET /v2 lists those that are.',
      );
    });
  }
  return routes;
}

function encodeMetadata({ reference, session }: Model, versions: readonly string[]): WritableJson {
  return {
    name: reference.name,
    versions,
    platform: 'onnxruntime_onnx',
    inputs: session.inputs.map(encodeSpec),
    outputs: session.outputs.map(encodeSpec),
  };
}

function encodeSpec({ name, datatype, shape }: TensorSpec): WritableJson {
  return { name, datatype, shape };
}

/** As much of Triton's ModelConfig as its clients read. Source: model_config.proto of Triton. */
function encodeConfig({ reference, session }: Model): WritableJson {
  const batches = hasOpenBatch(session);
  const encode = ({ name, datatype, shape }: TensorSpec): WritableJson => ({
    name,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: batches ? shape.slice(1) : shape,
  });
  return {
    name: reference.name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    // Without a bound of its own; clients only ask whether it is more than 0.
    max_batch_size: batches ? 1024 : 0,
    input: session.inputs.map(encode),
    output: session.outputs.map(encode),
  };
}
