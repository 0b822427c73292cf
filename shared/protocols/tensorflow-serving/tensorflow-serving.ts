import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { ModelReference } from '../../models/model-repository.ts';
import { type Dialect, readInvocation } from '../invocation.ts';
import { answerCloudEvent } from '../kserve/cloud-events.ts';
import { type Operation, type Protocol, type ProtocolOptions, pathParameter } from '../protocol.ts';
import { encodeMetadata } from './encode-metadata.ts';
import { encodeStatus } from './encode-status.ts';
import { classify, regress } from './examples.ts';
import { predict } from './predict.ts';
import { examplesRequest, predictRequest, resultsResponse, statusResponse } from './schemas.ts';

/** Ways to name a model: its live version, one version, or the version an alias stands for. */
const MODEL_PATHS = [
  '/v1/models/{model}',
  '/v1/models/{model}/versions/{version}',
  '/v1/models/{model}/labels/{label}',
];

/**
 * The REST interface of TensorFlow Serving, with what KServe's first protocol adds on the same routes. Paths match in
 * any case and no Content-Type is needed, as there.
 * Source: TensorFlow Serving's api_rest.md and http_rest_api_handler.cc.
 */
export function createTensorFlowServingProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'tensorflow-serving',
    description:
      'The REST interface of TensorFlow Serving, and the first protocol of KServe on the same routes.',
    operations: MODEL_PATHS.flatMap((path) => createModelOperations(path, options)),
  };
}

function createModelOperations(path: string, options: ProtocolOptions): readonly Operation[] {
  const run = (dialect: Dialect) => async (c: Context<AppEnvironment>) =>
    await answerCloudEvent(c.req.raw, options.config.limits, async (request) => {
      const reference = await resolveModel(c, options);
      const choice = { model: reference.name, version: reference.version };
      return await dialect(await readInvocation(request, c.env.record, options, choice), options);
    });
  const isPlain = !path.endsWith('}') || path === MODEL_PATHS[0];
  return [
    {
      method: 'GET',
      path,
      summary: 'Versions of a model and their states',
      response: { 'application/json': statusResponse },
      handle: async (c) => {
        const reference = await resolveModel(c, options);
        return jsonResponse(await encodeStatus(reference, isPlain, options.inference));
      },
    },
    {
      method: 'GET',
      path: `${path}/metadata`,
      summary: 'Inputs and outputs of a model as a signature',
      handle: async (c) => {
        const reference = await resolveModel(c, options);
        return jsonResponse(await options.inference.describe(reference, encodeMetadata));
      },
    },
    {
      method: 'POST',
      path: `${path}:predict`,
      summary: 'Run a model on instances or whole inputs',
      request: { 'application/json': predictRequest },
      handle: run(predict),
    },
    {
      method: 'POST',
      path: `${path}:classify`,
      summary: 'Classify examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': resultsResponse },
      handle: run(classify),
    },
    {
      method: 'POST',
      path: `${path}:regress`,
      summary: 'Regress examples',
      request: { 'application/json': examplesRequest },
      response: { 'application/json': resultsResponse },
      handle: run(regress),
    },
  ];
}

async function resolveModel(
  c: Context<AppEnvironment>,
  { inference: { repository } }: ProtocolOptions,
): Promise<ModelReference> {
  const name = pathParameter(c, 'model') ?? '';
  const label = pathParameter(c, 'label');
  return label === undefined
    ? await repository.resolve(name, pathParameter(c, 'version'))
    : await repository.resolveAlias(name, label);
}
