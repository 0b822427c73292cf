import type { Context } from 'hono';
import { jsonAnswer } from '../../answers/answer.ts';
import type { Config } from '../../config.ts';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import { holdsImages, readImagePayload } from '../body/media.ts';
import { type Dialect, readingOf, runWith } from '../invocation.ts';
import { choiceOf, type Operation, type ProtocolOptions } from '../operation.ts';
import { encodeListed, encodeWhole, type Protocols, runPayload } from '../run-payload.ts';
import { readJson } from './decode.ts';
import { encodeStatus, tensorFlowStyle } from './encode.ts';
import { predictRequest, predictResponse, statusResponse } from './schemas.ts';

/** A model's live version. */
export const MODEL_PATH = '/v1/models/{model}';

/** The versions of a model and whether it is ready: one answer for TensorFlow Serving, KServe and OpenAI. */
function createStatusOperation(path: string, options: ProtocolOptions): Operation {
  return {
    method: 'GET',
    path,
    summary: 'List the versions of a model and their states',
    response: { 'application/json': statusResponse },
    handle: (c) => respondStatus(c, path === MODEL_PATH, options),
  };
}

async function respondStatus(
  c: Context<AppEnvironment>,
  ofAll: boolean,
  { inference }: ProtocolOptions,
): Promise<Answer> {
  // The version in question is loaded if it is not in memory: only then is it known to be ready.
  const { usage } = await inference.use(choiceOf(c), c.env, () => undefined);
  const listed = await inference.repository.versions(usage.reference.name);
  const body = encodeStatus(usage.reference, ofAll ? listed?.versions : undefined, inference);
  return { response: jsonResponse(body), usage };
}

/** Predictions, for TensorFlow Serving and for the first protocol of KServe. */
function createPredictOperation(path: string, dialect: Dialect, options: ProtocolOptions): Operation {
  return {
    method: 'POST',
    path: `${path}:predict`,
    summary: 'Run a model on instances or whole inputs',
    request: { 'application/json': predictRequest, 'image/*': null, 'multipart/form-data': null },
    response: { 'application/json': predictResponse },
    handle: runWith(dialect, options),
  };
}

/** What TensorFlow Serving and the first protocol of KServe have in common on the path of a model. */
export interface V1Operations {
  readonly status: (path: string) => Operation;
  readonly predict: (path: string) => Operation;
}

/** @param wrap wraps the predict dialect */
export function createV1Operations(
  options: ProtocolOptions,
  wrap: (dialect: Dialect) => Dialect,
): V1Operations {
  const dialect = wrap(predict);
  return {
    status: (path) => createStatusOperation(path, options),
    predict: (path) => createPredictOperation(path, dialect, options),
  };
}

/** Which protocol's form of answers counts: both have the route. */
function protocolsOf({ dialect }: Config): Protocols {
  return dialect === 'kserve' ? ['kserve', 'tensorflow-serving'] : ['tensorflow-serving', 'kserve'];
}

/**
 * Predict of TensorFlow Serving: `instances` are answered with `predictions`, `inputs` with `outputs`. KServe answers
 * both as rows with `predictions` (setting `DIALECT=kserve`), and takes an image as the body itself.
 */
export const predict: Dialect = async (invocation, options) => {
  const payload = holdsImages(invocation)
    ? readingOf(await readImagePayload(invocation, options.config.limits))
    : invocation.read((json) => readJson(json, options.config));
  const { value, usage } = await runPayload(invocation, options, payload, protocolsOf(options.config));
  const style = tensorFlowStyle(options.config);
  const body =
    payload.value.layout === 'instances'
      ? { predictions: encodeListed(value, style) }
      : { outputs: encodeWhole(value, style) };
  return { response: jsonAnswer(body, options.config), usage };
};
