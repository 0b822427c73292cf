import type { Context } from 'hono';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { NamedChoice } from '../../inference/inference.ts';
import { type Dialect, readInvocation } from '../invocation.ts';
import { withCloudEvents } from '../kserve/cloud-events.ts';
import { type Handler, type Operation, type ProtocolOptions, pathParameter } from '../protocol.ts';
import { encodeStatus } from './encode-status.ts';
import { predict } from './predict.ts';
import { predictRequest, predictResponse, statusResponse } from './schemas.ts';

/** A model's live version, which is what KServe has as well. */
export const MODEL_PATH = '/v1/models/{model}';

/** The versions of a model and whether it is ready: one answer for TensorFlow Serving, KServe and OpenAI. */
export function createStatusOperation(path: string, options: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path,
    summary: 'Versions of a model and their states',
    response: { 'application/json': statusResponse },
    handle: (c) => respondStatus(c, path === MODEL_PATH, options),
  };
}

async function respondStatus(
  c: Context<AppEnvironment>,
  ofAll: boolean,
  { inference }: ProtocolOptions,
): Promise<Answer> {
  // What is asked for is loaded, if it is not: only then it is known to be ready.
  const { usage } = await inference.use(choiceOf(c), c.env, () => undefined);
  const listed = (await inference.repository.list()).find(({ name }) => name === usage.reference.name);
  const body = encodeStatus(usage.reference, ofAll ? listed?.versions : undefined, inference);
  return { response: jsonResponse(body), usage };
}

/** Predictions, for TensorFlow Serving and for the first protocol of KServe. */
export function createPredictOperation(path: string, options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: `${path}:predict`,
    summary: 'Run a model on instances or whole inputs',
    request: { 'application/json': predictRequest, 'image/*': null, 'multipart/form-data': null },
    response: { 'application/json': predictResponse },
    handle: runWith(withCloudEvents(predict), options),
  };
}

/** Answers a request to the model in the path. */
export function runWith(dialect: Dialect, options: ProtocolOptions): Handler {
  return async (c) => await dialect(await readInvocation(c, options, choiceOf(c)), options);
}

/** The model in the path. */
export function choiceOf(c: Context<AppEnvironment>): NamedChoice {
  return {
    model: pathParameter(c, 'model') ?? '',
    version: pathParameter(c, 'version'),
    alias: pathParameter(c, 'label'),
  };
}
