import { jsonResponse } from '../../http/respond.ts';
import type { Operation, Protocol, ProtocolOptions } from '../protocol.ts';
import { encodeMetadata } from './encode-metadata.ts';
import { classify, regress } from './examples.ts';
import {
  choiceOf,
  createPredictOperation,
  createStatusOperation,
  MODEL_PATH,
  runWith,
} from './model-operations.ts';
import { classifyResponse, examplesRequest, metadataResponse, regressResponse } from './schemas.ts';

/** Ways to name a model: its live version, one version, or the version an alias stands for. */
const MODEL_PATHS = [MODEL_PATH, `${MODEL_PATH}/versions/{version}`, `${MODEL_PATH}/labels/{label}`];

/**
 * The REST interface of TensorFlow Serving. Paths match in any case and no Content-Type is needed, as there. Where it
 * says 400 for a wrong method or a version that is no number, the answers here are 405 and 404: versions can have
 * names.
 * Source: TensorFlow Serving's api_rest.md and http_rest_api_handler.cc.
 */
export function createTensorFlowServingProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'tensorflow-serving',
    description: 'The REST interface of TensorFlow Serving.',
    operations: MODEL_PATHS.flatMap((path) => createModelOperations(path, options)),
  };
}

function createModelOperations(path: string, options: ProtocolOptions): readonly Operation[] {
  return [
    createStatusOperation(path, options),
    {
      method: 'GET',
      path: `${path}/metadata`,
      summary: 'Inputs and outputs of a model as a signature',
      response: { 'application/json': metadataResponse },
      handle: async (c) => {
        const { value, usage } = await options.inference.use(choiceOf(c), c.env, ({ model }) =>
          encodeMetadata(model),
        );
        return { response: jsonResponse(value), usage };
      },
    },
    createPredictOperation(path, options),
    {
      method: 'POST',
      path: `${path}:classify`,
      summary: 'Classify examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': classifyResponse },
      handle: runWith(classify, options),
    },
    {
      method: 'POST',
      path: `${path}:regress`,
      summary: 'Regress examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': regressResponse },
      handle: runWith(regress, options),
    },
  ];
}
