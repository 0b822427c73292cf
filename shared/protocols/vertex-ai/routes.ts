import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { InferenceError } from '../../errors.ts';
import { toHeaderValue } from '../../http/header-value.ts';
import { jsonResponse } from '../../http/respond.ts';
import { withoutSlash } from '../../http/route-path.ts';
import type { Used } from '../../inference/inference.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { decodeRows, kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { respondHealth } from '../catalog.ts';
import type { Dialect, Invocation, SharedRoutes } from '../invocation.ts';
import {
  type Handler,
  type Operation,
  type Protocol,
  type ProtocolOptions,
  pathParameter,
} from '../operation.ts';
import { VERTEX_CONTAINER, VERTEX_REFUSED } from '../route-table.ts';
import { encodeListed, runInForm } from '../run-payload.ts';
import {
  asksForLabels,
  holdsInstances,
  readEndpoint,
  readHttpBody,
  readLabelRequest,
  readRedirect,
  restoreLists,
  unwrap,
} from './decode.ts';
import { describeModel, encodeGoogleError, encodeLabels } from './encode.ts';
import { createOtherResources, createResourceOperations, ENDPOINT_PATH } from './resources.ts';
import { containerResponse, predictRequest, predictResponse } from './schemas.ts';

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
    summary: 'Check the health of the container',
    handle: (c) => respondHealth(options, c.env.budget),
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
    healthOperation(VERTEX_CONTAINER),
    predictOperation(`${VERTEX_CONTAINER}:predict`),
  ];
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
    response: { 'application/json': null, '*/*': null },
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
  return [
    predict,
    raw,
    ...createResourceOperations(options),
    ...VERTEX_REFUSED.map(createUnsupported),
    ...createOtherResources(),
  ];
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

/** Predict of Vertex AI as its containers answer it. */
export const invokeVertexAi: Dialect = async (invocation, options) => {
  const { value: predictions, usage } = await predictInstances(invocation, options);
  return { response: jsonAnswer({ predictions }, options.config), usage };
};

/**
 * One prediction for each instance, in their order: the outputs of the graph, or labels if the request asks a model of
 * images or texts for them.
 *
 * @throws InferenceError
 */
async function predictInstances(
  invocation: Invocation,
  { inference, config }: ProtocolOptions,
): Promise<Used<WritableJson>> {
  const { headers } = invocation.request;
  const style = answerStyle(config);
  const reading = invocation.read((json) => parseEnvelope(predictRequest(), restoreLists(json, headers)));
  const choice = { ...invocation.choice, kind: kindOfValues(reading.value.instances) };
  return await inference.use(choice, invocation, (model) =>
    reading.bind(async ({ instances, parameters }) => {
      const { contract } = model;
      const isOfLabels = contract.kind !== 'features' && contract.gives === 'classification';
      if (isOfLabels && asksForLabels(instances, parameters)) {
        const asked = readLabelRequest(instances, parameters, contract, config.limits);
        return encodeLabels(await model.predict(asked.input), asked, style);
      }
      const inputs = decodeRows(instances, 'instances', contract, config.limits);
      return encodeListed(await runInForm(model, ['vertex-ai'], inputs, { layout: 'instances' }), style);
    }),
  );
}

/**
 * The requests that Vertex AI sends to a container: instances in its own format, or the body of a rawPredict, which can
 * be in the format of any server.
 *
 * @param invoke answers in that server's format
 */
function createContainer(invoke: Dialect): Dialect {
  return async (invocation, options) => {
    const isOwn = options.config.dialect === undefined && holdsInstances(invocation);
    return await (isOwn ? invokeVertexAi : invoke)(invocation, options);
  };
}

/**
 * Answers rawPredict: any body gets the same answer as from a container. Google's generated clients cannot send bodies
 * other than JSON over REST; they wrap them into a `google.api.HttpBody` and want their answer in one.
 */
function createRawPredict(container: Dialect): Dialect {
  return async (invocation, options) => {
    const wrapped = readHttpBody(invocation);
    if (!wrapped) return await container(invocation, options);
    const answer = await container(unwrap(invocation, wrapped), options);
    const { response } = answer;
    const body = {
      contentType: response.headers.get('content-type') ?? '',
      data: Buffer.from(await response.bytes()).toString('base64'),
    };
    return { ...answer, response: jsonResponse(body) };
  };
}

/** A handler that first follows a path in the header of a request, before the body is considered. */
function orRedirected(handle: Handler): Handler {
  return async (c) => {
    const redirected = await readRedirect(c.req.raw);
    return redirected ? await c.env.forward(redirected) : await handle(c);
  };
}
