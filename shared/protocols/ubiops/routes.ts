import type { Context } from 'hono';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { withDeadline } from '../../budget.ts';
import type { Config } from '../../config.ts';
import { InferenceError, toInferenceError } from '../../errors.ts';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import type { JsonValue } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson } from '../body/json-body.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { type Invocation, readInvocation, readingOf } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../operation.ts';
import { runInForm } from '../run-payload.ts';
import { decodeFields, readText } from './decode.ts';
import { createResourceOperations, KINDS, type Kind, pathOfKind } from './resources.ts';
import * as schemas from './schemas.ts';

/** Requests to the default version of a deployment or pipeline, and to one version of it. */
function requestPaths(kind: Kind): readonly string[] {
  const path = `${pathOfKind(kind)}/{${kind}}`;
  return [`${path}/requests`, `${path}/versions/{version}/requests`];
}

/** Routes that need stored requests: their list, and all operations on one or many of them. */
const STORED: readonly (readonly [Operation['method'], string])[] = [
  ['GET', ''],
  ['ALL', '/{request}'],
  ['ALL', '/{request}/input'],
  ['ALL', '/{request}/output'],
];

/**
 * Direct requests of UbiOps: a deployment is a model, and so is a pipeline, as one of a single deployment.
 * Source: docs/DeploymentRequests.md and PipelineRequests.md of UbiOps' client library for Python.
 */
export function createUbiOpsProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'ubiops',
    description: 'Direct requests to deployments and pipelines of UbiOps.',
    operations: [
      ...KINDS.flatMap((kind) => requestPaths(kind).flatMap((path) => createOperations(kind, path, options))),
      ...createResourceOperations(options),
    ],
  };
}

function createOperations(kind: Kind, path: string, options: ProtocolOptions): readonly Operation[] {
  return [
    {
      method: 'POST',
      path,
      summary: 'Run a model on the fields of a request',
      query: kind === 'pipeline' ? schemas.pipelineQuery : schemas.requestQuery,
      request: { 'application/json': schemas.fieldsRequest, 'text/plain': null },
      response: { 'application/json': kind === 'pipeline' ? schemas.pipelineResponse : schemas.runResponse },
      handle: (c) => answerRequest(kind, c, options),
    },
    ...STORED.map(
      ([method, end]): Operation => ({ method, path: path + end, isLegacy: true, handle: refuseStored }),
    ),
  ];
}

function refuseStored(): never {
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'Requests are answered at once and not stored, so they cannot be batched, listed, collected or cancelled.',
  );
}

async function answerRequest(
  kind: Kind,
  c: Context<AppEnvironment>,
  options: ProtocolOptions,
): Promise<Answer> {
  const settings = kind === 'pipeline' ? schemas.pipelineSettings() : schemas.requestSettings();
  const { timeout } = parseEnvelope<{ readonly timeout: number }>(settings, c.req.query());
  const choice = modelOfEndpoint(c.req.param(kind) ?? '', options.config, c.req.param('version'));
  const deadlineMs = performance.now() + timeout * 1000;
  const invocation = await readInvocation(c, options, choice);
  const budget = withDeadline(invocation.budget, deadlineMs);
  const { value, usage } = await options.inference.use(
    invocation.choice,
    { ...invocation, budget },
    (model) => runRequest(invocation, model, deadlineMs, options.config),
  );
  const body = {
    id: invocation.context.requestId,
    [kind]: usage.reference.name,
    version: usage.reference.version,
    ...value.run,
    // The answer of a pipeline lists the requests of its steps; here nothing is kept of the only step.
    ...(kind === 'pipeline'
      ? { pipeline_timeout: timeout, deployment_requests: [], operator_requests: [], pipeline_requests: [] }
      : { timeout }),
  };
  return { response: jsonAnswer(body, options.config), usage, error: value.error };
}

interface Run {
  readonly [key: string]: WritableJson;
  readonly status: 'completed' | 'failed';
  readonly success: boolean;
  readonly result: WritableJson;
  readonly error_message: string | null;
}

/** Fields that are not inputs of the model are refused; after that check a failure is a result. */
async function runRequest(
  invocation: Invocation,
  model: ModelUse,
  deadlineMs: number,
  config: Config,
): Promise<{ readonly run: Run; readonly error?: InferenceError }> {
  const read = (json: JsonValue) => decodeFields(json, model.contract, config.limits);
  const fields = holdsJson(invocation) ? invocation.read(read) : readingOf(read(readText(invocation)));
  try {
    const result = await fields.bind(async ({ inputs, layout, encode }) => {
      const { tensors } = await runInForm(model, ['ubiops'], inputs, { layout, deadlineMs });
      return encode(tensors, answerStyle(config));
    });
    return { run: { status: 'completed', success: true, result, error_message: null } };
  } catch (thrown) {
    const error = toInferenceError(thrown);
    return { run: { status: 'failed', success: false, result: null, error_message: error.message }, error };
  }
}
