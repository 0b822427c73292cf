import { InferenceError } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { MODEL_PATH, type V1Operations } from '../v1/routes.ts';
import { listResponse } from './schemas.ts';

/**
 * The first protocol of KServe, on the routes of TensorFlow Serving. Routes that both have are made by the same
 * functions and are in both lists, so that either protocol can be switched off. Source: KServe's v1_endpoints.py and
 * v1-protocol.md.
 */
export function createKServeProtocol(options: ProtocolOptions, v1: V1Operations, graph: Operation): Protocol {
  return {
    name: 'kserve',
    description: 'The first protocol of KServe, with CloudEvents; the second is the Open Inference Protocol.',
    operations: [
      createListOperation(options),
      v1.status(MODEL_PATH),
      v1.predict(MODEL_PATH),
      // Hugging Face has the same route, and takes these requests as well.
      ...(options.config.protocols.includes('hugging-face') ? [] : [graph]),
      ...['', '/versions/{version}', '/labels/{label}'].map(
        (part): Operation => ({
          method: 'ALL',
          path: `${MODEL_PATH}${part}:explain`,
          handle: refuseExplanation,
        }),
      ),
    ],
  };
}

/** The names for KServe, and the list of models as OpenAI gives it: TensorFlow Serving has no such route. */
function createListOperation({ inference: { repository } }: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path: '/v1/models',
    summary: 'List the names of the models',
    response: { 'application/json': listResponse },
    handle: async (c) => {
      const names = (await repository.list(c.env.budget)).map(({ name }) => name);
      const data = names.map((id) => ({ id, object: 'model', owned_by: 'ternion' }));
      return jsonResponse({ models: names, object: 'list', data });
    },
  };
}

function refuseExplanation(): never {
  throw new InferenceError('NOT_IMPLEMENTED', 'Explanations are not supported; use :predict.');
}
