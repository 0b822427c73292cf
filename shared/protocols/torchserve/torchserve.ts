import type { Context } from 'hono';
import { InferenceError } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { readInvocation, type SharedRoutes } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { createManagementOperations } from './management.ts';
import { invokeTorchServe } from './predict.ts';
import { predictionRequest, predictionResponse } from './schemas.ts';

/** `curl -T` sends its file with PUT, which TorchServe's own examples use. */
const METHODS = ['POST', 'PUT'] as const;

const EXPLANATIONS = ['/explanations/{model}', '/explanations/{model}/{version}'];

/**
 * TorchServe's inference and management interfaces, with the answers of the handlers it comes with.
 * Source: TorchServe's inference_api.md, management_api.md and default_handlers.md.
 */
export function createTorchServeProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  const handle = async (c: Context<AppEnvironment>) => {
    const choice = { model: c.req.param('model'), version: c.req.param('version') };
    return await invokeTorchServe(await readInvocation(c, options, choice), options);
  };
  const predict = (path: string, summary: string) =>
    METHODS.map(
      (method): Operation => ({
        method,
        path,
        summary,
        request: {
          'application/json': predictionRequest,
          'image/*': null,
          'multipart/form-data': null,
          'application/x-www-form-urlencoded': null,
        },
        response: { 'application/json': predictionResponse },
        handle,
      }),
    );
  return {
    name: 'torchserve',
    description: "TorchServe's interfaces for inference and management.",
    operations: [
      shared.ping,
      ...predict('/predictions/{model}', "Predict with a model's live version"),
      ...predict('/predictions/{model}/{version}', 'Predict with one version of a model'),
      ...EXPLANATIONS.map((path): Operation => ({ method: 'ALL', path, handle: refuseExplanation })),
      ...createManagementOperations(options),
      // Last of all: they would take the routes of others.
      ...predict('/{model}/predict', "Predict with a model's live version").map(asLegacy),
      ...predict('/{model}/{version}/predict', 'Predict with one version of a model').map(asLegacy),
    ],
  };
}

/** Older clients ask this way; nobody need learn it. */
function asLegacy(operation: Operation): Operation {
  return { ...operation, isLegacy: true };
}

function refuseExplanation(): never {
  throw new InferenceError('NOT_IMPLEMENTED', 'Models are not explained here; use /predictions/{model}.');
}
