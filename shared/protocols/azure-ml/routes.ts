import type { Context } from 'hono';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import type { Answer, AppEnvironment, ErrorEncoder } from '../../http/context.ts';
import { errorResponse } from '../../http/respond.ts';
import type { NamedChoice } from '../../inference/inference.ts';
import { answerWith } from '../answer.ts';
import { holdsJson } from '../body/json-body.ts';
import { respondHealth } from '../catalog.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { DEPLOYMENT, readDeployment } from '../headers/target.ts';
import { variantOf } from '../headers/variant.ts';
import { type Dialect, readInvocation } from '../invocation.ts';
import type { Protocol, ProtocolOptions } from '../operation.ts';
import { encodeListed, encodeWhole, runPayload } from '../run-payload.ts';
import { checkIds, readPayload } from './decode.ts';
import { describeFailure, echoIds, mark } from './encode.ts';
import { scoreHeaders, scoreQuery, scoreRequest, scoreResponse } from './schemas.ts';
import { invokeService, isServiceRequest } from './services.ts';

/**
 * The scoring route of Azure ML's online endpoints, with the headers of its inference server.
 * Source: azureml-inference-server-http, server/routes.py.
 */
export function createAzureMlProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'azure-ml',
    description: 'Scoring as on an online endpoint of Azure ML.',
    operations: [
      {
        method: 'POST',
        path: '/score',
        summary: 'Score with the default model',
        headers: scoreHeaders,
        query: scoreQuery,
        request: { 'application/json': scoreRequest, 'image/*': null },
        response: { 'application/json': scoreResponse },
        handle: (c) => score(c, options),
      },
      {
        method: 'GET',
        path: '/score',
        summary: 'Check the health of the server',
        handle: (c) => respondHealth(options, c.env.budget),
      },
    ],
  };
}

/**
 * A deployment is one that `ENDPOINT_MODELS` names, or else a version of the model. The model is the one that the query
 * names, by its own name or by one of `ENDPOINT_MODELS`, or the default one.
 */
function chooseModel(c: Context<AppEnvironment>, { config }: ProtocolOptions): NamedChoice {
  const deployment = readDeployment(c.req.raw.headers);
  const known = config.endpointModels.get(deployment ?? '');
  if (known) return known;
  const model = c.req.query('model_name');
  return model === undefined ? { version: deployment } : modelOfEndpoint(model, config, deployment);
}

async function score(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Answer> {
  const { headers } = c.req.raw;
  const { requestId } = c.env.context;
  const ids = echoIds(headers, requestId);
  const encodeError: ErrorEncoder = (error) =>
    mark(errorResponse(error, requestId), { ...ids, ...describeFailure(error.status >= 500) });
  const answered = await answerWith(requestId, encodeError, async () => {
    checkIds(headers);
    const invocation = await readInvocation(c, options, chooseModel(c, options));
    const answer = await invokeAzureMl(invocation, options);
    const time = { 'x-ms-run-fn-exec-ms': (answer.usage?.runMs ?? 0).toFixed(3) };
    mark(answer.response, { ...ids, ...time, ...describeFailure(false) });
    return answer;
  });
  // Azure's gateway says which deployment has answered. An error has it too, once the version is known.
  if (answered.usage)
    mark(answered.response, { [DEPLOYMENT]: deploymentOf(answered, readDeployment(headers), options) });
  return answered;
}

/** What a client can name to get the same deployment again. */
function deploymentOf(answered: Answer, asked: string | undefined, { config }: ProtocolOptions): string {
  return asked !== undefined && config.endpointModels.has(asked) ? asked : variantOf(answered);
}

/**
 * Scoring of an Azure ML online endpoint. The answer is the bare list of predictions; whole inputs by name are answered
 * with whole outputs. The services of AutoML and of the designer have their own forms. Source: how Azure ML serves
 * MLflow models (`input_data`), and its scoring scripts (`data`).
 */
export const invokeAzureMl: Dialect = async (invocation, options) => {
  if (holdsJson(invocation) && isServiceRequest(invocation.json())) {
    return await invokeService(invocation, options);
  }
  const payload = await readPayload(invocation, options.config.limits);
  const { value, usage } = await runPayload(invocation, options, payload, ['azure-ml']);
  const style = answerStyle(options.config);
  const predictions =
    payload.value.layout === 'instances' ? encodeListed(value, style) : encodeWhole(value, style);
  return { response: jsonAnswer(predictions, options.config), usage };
};
