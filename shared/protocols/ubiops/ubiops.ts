import type { Context } from 'hono';
import { InferenceError, toInferenceError } from '../../errors.ts';
import type { AppEnvironment } from '../../http/context.ts';
import type { JsonValue } from '../../json/parse-json.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { parseEnvelope } from '../codecs/envelope.ts';
import { holdsJson, unsupportedBody } from '../codecs/json-body.ts';
import { contractOf } from '../codecs/model-contract.ts';
import { type Invocation, openModel, readInvocation, runTensors } from '../invocation.ts';
import type { Operation, Protocol, ProtocolOptions } from '../protocol.ts';
import { decodeFields, type FieldsCall } from './decode-fields.ts';
import { fieldsRequest, requestQuery, requestSettings, runResponse } from './schemas.ts';

const DEPLOYMENT_PATH = '/v2.1/projects/{project}/deployments/{deployment}';

/** Requests to the default version of a deployment, and to one version of it. */
const REQUEST_PATHS = [`${DEPLOYMENT_PATH}/requests`, `${DEPLOYMENT_PATH}/versions/{version}/requests`];

/** What would need requests to be stored. */
const STORED_PATHS = ['', '/{request}', '/{request}/input', '/{request}/output'];

/**
 * Direct requests of UbiOps: a deployment is a model.
 * Source: docs/DeploymentRequests.md of UbiOps' client library for Python.
 */
export function createUbiOpsProtocol(options: ProtocolOptions): Protocol {
  return {
    name: 'ubiops',
    description: 'Direct requests to deployments of UbiOps.',
    operations: REQUEST_PATHS.flatMap((path) => createOperations(path, options)),
  };
}

function createOperations(path: string, options: ProtocolOptions): readonly Operation[] {
  return [
    {
      method: 'POST',
      path,
      summary: 'Run a model on the fields of a request',
      query: requestQuery,
      request: { 'application/json': fieldsRequest, 'text/plain': null },
      response: { 'application/json': runResponse },
      handle: (c) => answerRequest(c, options),
    },
    ...STORED_PATHS.map((end): Operation => ({ method: 'ALL', path: path + end, handle: refuseStored })),
  ];
}

function refuseStored(): never {
  throw new InferenceError(
    'NOT_IMPLEMENTED',
    'Requests are answered at once and not stored, so that none can be batched, listed, collected or cancelled.',
  );
}

async function answerRequest(c: Context<AppEnvironment>, options: ProtocolOptions): Promise<Response> {
  const { record, context } = c.env;
  const { timeout } = parseEnvelope(requestSettings(), c.req.query());
  const choice = { model: c.req.param('deployment') ?? '', version: c.req.param('version') };
  const invocation = await readInvocation(c.req.raw, c.env, options, choice);
  const run = await runRequest(invocation, options);
  const body = {
    id: context.requestId,
    deployment: record.model?.name,
    version: record.model?.version,
    ...run,
    timeout,
  };
  return jsonAnswer(body, options.config);
}

interface Run {
  readonly [key: string]: WritableJson;
  readonly status: 'completed' | 'failed';
  readonly success: boolean;
  readonly result: WritableJson;
  readonly error_message: string | null;
}

/** Fields that are no inputs of the model are refused; from there on a failure is a result. */
async function runRequest(invocation: Invocation, options: ProtocolOptions): Promise<Run> {
  const { record } = invocation;
  const { seen } = await openModel(invocation, options, 'tensors', contractOf);
  const read = (json: JsonValue) => decodeFields(json, seen, options.config.limits);
  const call = holdsJson(invocation) ? await invocation.decode(read) : read(readText(invocation));
  try {
    const result = await runCall(call, invocation, options);
    return { status: 'completed', success: true, result, error_message: null };
  } catch (thrown) {
    const error = toInferenceError(thrown);
    record.error = error;
    return { status: 'failed', success: false, result: null, error_message: error.message };
  }
}

async function runCall(
  { inputs, isBatch, encode }: FieldsCall,
  invocation: Invocation,
  options: ProtocolOptions,
): Promise<WritableJson> {
  const { outputs } = await runTensors(invocation, options, {
    kind: 'tensors',
    decode: () => inputs,
    isBatch,
  });
  return encode(outputs, answerStyle(options.config));
}

/** The request to a deployment with plain input is the text itself. */
function readText({ mediaType, body }: Invocation): string {
  if (mediaType === '' || mediaType === 'text/plain') {
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  }
  throw unsupportedBody(mediaType, 'application/json and text/plain');
}
