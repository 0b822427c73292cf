import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelReference } from '../../models/model-reference.ts';
import type { ModelDescriber } from '../catalog.ts';
import { encodeModel, readNames } from '../encode-model.ts';
import type { ProtocolOptions } from '../operation.ts';
import { customizedQuery, versionsResponse } from './schemas.ts';

/**
 * Whether a client wants a model described as TorchServe does. Its route `GET /models/{model}` is also ours and that
 * of SageMaker's multi-model endpoints, with another answer: only this server's setting or a parameter that none but
 * TorchServe has can tell.
 */
function wantsTorchServe(c: Context<AppEnvironment>, { config }: ProtocolOptions): boolean {
  if (!config.protocols.includes('torchserve')) return false;
  return config.dialect === 'torchserve' || c.req.query('customized') !== undefined;
}

/** Versions of a model as TorchServe's management interface lists them, each with its worker. */
export async function describeVersions(
  c: Context<AppEnvironment>,
  references: readonly ModelReference[],
  options: ProtocolOptions,
): Promise<Response> {
  const isCustomized = c.req.query('customized') === 'true';
  const versions = references.map(({ version }) => version);
  const described: WritableJson[] = [];
  for (const reference of references) {
    const customizedMetadata = isCustomized
      ? await options.inference.use({ reference }, c.env, ({ model }) => encodeModel(model, versions))
      : undefined;
    described.push({
      ...(await encodeVersion(reference, options)),
      customizedMetadata: customizedMetadata?.value,
    });
  }
  return jsonResponse(described);
}

/** The one worker is this instance. A model that is not in memory is READY all the same: it is loaded on demand. */
async function encodeVersion(reference: ModelReference, { inference }: ProtocolOptions) {
  const state = inference.state(reference);
  const status = state === 'loading' ? 'LOADING' : 'READY';
  const worker = { id: '1', startTime: STARTED, status, memoryUsage: 0, gpu: false };
  return {
    ...(await readNames(reference, inference.repository)),
    modelVersion: reference.version,
    runtime: 'onnxruntime',
    minWorkers: 1,
    maxWorkers: 1,
    batchSize: 1,
    maxBatchDelay: 0,
    workers: state === 'failed' ? [] : [worker],
  };
}

const STARTED = new Date(performance.timeOrigin).toISOString();

/** How TorchServe describes models on a route that it has in common with others. */
export function createVersionDescriber(options: ProtocolOptions): ModelDescriber {
  return {
    isAsked: (c) => wantsTorchServe(c, options),
    describe: (c, references) => describeVersions(c, references, options),
    query: { customized: customizedQuery },
    response: versionsResponse,
  };
}
