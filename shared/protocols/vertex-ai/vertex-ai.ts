import type { Context } from 'hono';
import { jsonAnswer } from '../../answers/answer.ts';
import { InferenceError } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { toHeaderValue } from '../../http/header-value.ts';
import type { NamedChoice } from '../../inference/inference.ts';
import type { ModelReference } from '../../models/model-reference.ts';
import { respondHealth } from '../catalog.ts';
import { type Dialect, type Invocation, readInvocation, type SharedRoutes } from '../invocation.ts';
import { type Operation, type Protocol, type ProtocolOptions, pathParameter } from '../operation.ts';
import { describeEndpoint } from './describe-endpoint.ts';
import { encodeGoogleError } from './google-error.ts';
import { predictInstances } from './predict.ts';
import { createContainer, createRawPredict } from './raw-predict.ts';
import { orRedirected } from './redirect.ts';
import { containerResponse, endpointResponse, predictRequest, predictResponse } from './schemas.ts';

/** Where Vertex AI calls a container whose routes are not set. */
const CONTAINER_PATH = '/v1/endpoints/{endpoint}/deployedModels/{deployedModel}';

/** Where its clients call an endpoint. */
const ENDPOINT_PATH = '/v1/projects/{project}/locations/{location}/endpoints/{endpoint}';

/** Methods of endpoints that have no meaning for the models here, or no answer over HTTP. */
const UNSUPPORTED = [
  'explain',
  'directPredict',
  'directRawPredict',
  'streamRawPredict',
  'serverStreamingPredict',
];

/**
 * Prediction of Vertex AI on both of its sides: the routes on which the service calls a container, and those on which
 * clients call the service.
 * Source: the requirements of custom containers, and google/cloud/aiplatform/v1/prediction_service.proto.
 */
export function createVertexAiProtocol(options: ProtocolOptions, { invoke }: SharedRoutes): Protocol {
  const container = createContainer(invoke);
  return {
    name: 'vertex-ai',
    description: 'Prediction of Vertex AI, as its containers answer it and as its clients ask for it.',
    operations: [
      ...createContainerOperations(options, container),
      ...createEndpointOperations(options, container),
    ],
  };
}

function createContainerOperations(options: ProtocolOptions, container: Dialect): readonly Operation[] {
  const { health, predict } = options.config.vertexRoutes;
  const healthOperation = (path: string): Operation => ({
    method: 'GET',
    path: withoutSlash(path),
    summary: 'Whether the container is well',
    handle: () => respondHealth(options),
  });
  const predictOperation = (path: string): Operation => ({
    method: 'POST',
    path: withoutSlash(path),
    summary: 'Predict as a container of Vertex AI',
    request: { 'application/json': predictRequest },
    response: { 'application/json': containerResponse },
    handle: orRedirected(async (c) => await container(await readEndpoint(c, options), options)),
  });
  return [
    ...(health === undefined ? [] : [healthOperation(health)]),
    ...(predict === undefined ? [] : [predictOperation(predict)]),
    healthOperation(CONTAINER_PATH),
    predictOperation(`${CONTAINER_PATH}:predict`),
  ];
}

/** Paths of requests come without a slash at their end. */
function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

function createEndpointOperations(options: ProtocolOptions, container: Dialect): readonly Operation[] {
  const rawPredict = createRawPredict(container);
  const predict: Operation = {
    method: 'POST',
    path: `${ENDPOINT_PATH}:predict`,
    summary: 'Predict with the model of an endpoint',
    request: { 'application/json': predictRequest },
    response: { 'application/json': predictResponse },
    encodeError: encodeGoogleError,
    handle: async (c) => {
      const invocation = await readEndpoint(c, options);
      const { value: predictions, usage } = await predictInstances(invocation, options);
      const body = { predictions, ...describeModel(c, usage.reference) };
      return { response: jsonAnswer(body, options.config), usage };
    },
  };
  const raw: Operation = {
    method: 'POST',
    path: `${ENDPOINT_PATH}:rawPredict`,
    summary: 'Predict with a request in the format of any server',
    request: { 'application/json': predictRequest, '*/*': null },
    response: { '*/*': null },
    encodeError: encodeGoogleError,
    handle: orRedirected(async (c) => {
      const invocation = await readEndpoint(c, options);
      const answer = await rawPredict(invocation, options);
      const { headers } = answer.response;
      headers.set('x-vertex-ai-endpoint-id', toHeaderValue(pathParameter(c, 'endpoint') ?? ''));
      headers.set('x-vertex-ai-deployed-model-id', answer.usage?.reference.version ?? '');
      return answer;
    }),
  };
  const describe: Operation = {
    method: 'GET',
    path: ENDPOINT_PATH,
    summary: 'An endpoint with the versions of its model',
    response: { 'application/json': endpointResponse },
    encodeError: encodeGoogleError,
    handle: (c) => describeEndpoint(c, options),
  };
  return [predict, raw, describe, ...UNSUPPORTED.map(createUnsupported)];
}

function createUnsupported(verb: string): Operation {
  return {
    method: 'ALL',
    path: `${ENDPOINT_PATH}:${verb}`,
    encodeError: encodeGoogleError,
    handle: () => {
      const text = `Method ${verb} is not supported; use predict or rawPredict.`;
      throw new InferenceError('NOT_IMPLEMENTED', text);
    },
  };
}

async function readEndpoint(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Invocation> {
  return await readInvocation(c, options, await chooseModel(c, options));
}

/**
 * An endpoint called like a model means that model, and a deployed model called like one of its versions that version.
 * Vertex AI itself makes numbers of both, which say nothing here: then the model is the default one, or the only one
 * that takes such input.
 */
async function chooseModel(
  c: Context<AppEnvironment>,
  { inference: { repository } }: ProtocolOptions,
): Promise<NamedChoice> {
  const endpoint = pathParameter(c, 'endpoint');
  if (endpoint === undefined) return {};
  const listing = await repository.versions(endpoint);
  if (!listing) return {};
  const version = pathParameter(c, 'deployedModel');
  return version !== undefined && listing.versions.includes(version)
    ? { model: listing.name, version }
    : { model: listing.name };
}

function describeModel(c: Context<AppEnvironment>, { name, version }: ModelReference) {
  const { project, location } = c.req.param();
  return {
    deployedModelId: version,
    model: `projects/${project}/locations/${location}/models/${name}`,
    modelDisplayName: name,
    modelVersionId: version,
  };
}
