import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { ModelReference } from '../../models/model-reference.ts';
import { type Dialect, readInvocation } from '../invocation.ts';
import { withCloudEvents } from '../kserve/cloud-events.ts';
import { type Handler, type Operation, type ProtocolOptions, pathParameter } from '../protocol.ts';
import { encodeStatus } from './encode-status.ts';
import { predict } from './predict.ts';
import { predictRequest, predictResponse, statusResponse } from './schemas.ts';

/** A model's live version, which is what KServe has as well. */
export const MODEL_PATH = '/v1/models/{model}';

/** The versions of a model and whether it is ready: one answer for TensorFlow Serving, KServe and OpenAI. */
export function createStatusOperation(path: string, options: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path,
    summary: 'Versions of a model and their states',
    response: { 'application/json': statusResponse },
    handle: async (c) => {
      const reference = await resolveModel(c, options);
      return jsonResponse(await encodeStatus(reference, path === MODEL_PATH, options.inference));
    },
  };
}

/** Predictions, for TensorFlow Serving and for the first protocol of KServe. */
export function createPredictOperation(path: string, options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: `${path}:predict`,
    summary: 'Run a model on instances or whole inputs',
    request: { 'application/json': predictRequest, 'image/*': null, 'multipart/form-data': null },
    response: { 'application/json': predictResponse },
    handle: runWith(withCloudEvents(predict), options),
  };
}

/** Answers a request to the model in the path. */
export function runWith(dialect: Dialect, options: ProtocolOptions): Handler {
  return async (c) => {
    const reference = await resolveModel(c, options);
    const choice = { model: reference.name, version: reference.version };
    return await dialect(await readInvocation(c.req.raw, c.env, options, choice), options);
  };
}

/** @throws InferenceError RESOURCE_DOES_NOT_EXIST */
export async function resolveModel(
  c: Context<AppEnvironment>,
  { inference: { repository } }: ProtocolOptions,
): Promise<ModelReference> {
  const name = pathParameter(c, 'model') ?? '';
  const label = pathParameter(c, 'label');
  return label === undefined
    ? await repository.resolve(name, pathParameter(c, 'version'))
    : await repository.resolveAlias(name, label);
}
