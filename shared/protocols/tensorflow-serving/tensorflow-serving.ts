import { jsonResponse } from '../../http/respond.ts';
import { runWith } from '../invocation.ts';
import { choiceOf, type Operation, type Protocol, type ProtocolOptions } from '../operation.ts';
import { MODEL_PATH, type V1Operations } from '../v1/operations.ts';
import { encodeMetadata } from './encode-metadata.ts';
import { classify, regress } from './examples.ts';
import { classifyResponse, examplesRequest, metadataResponse, regressResponse } from './schemas.ts';

/** Ways to name a model: its live version, one version, or the version an alias stands for. */
const MODEL_PATHS = [MODEL_PATH, `${MODEL_PATH}/versions/{version}`, `${MODEL_PATH}/labels/{label}`];

/**
 * The REST interface of TensorFlow Serving. Paths match in any case and no Content-Type is needed, as there. Where it
 * says 400 for a wrong method or a version that is no number, the answers here are 405 and 404: versions can have
 * names.
 * Source: TensorFlow Serving's api_rest.md and http_rest_api_handler.cc.
 */
export function createTensorFlowServingProtocol(options: ProtocolOptions, v1: V1Operations): Protocol {
  return {
    name: 'tensorflow-serving',
    description: 'The REST interface of TensorFlow Serving.',
    operations: MODEL_PATHS.flatMap((path) => createModelOperations(path, options, v1)),
  };
}

function createModelOperations(
  path: string,
  options: ProtocolOptions,
  v1: V1Operations,
): readonly Operation[] {
  return [
    v1.status(path),
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
    v1.predict(path),
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
