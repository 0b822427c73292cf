import type { Context } from 'hono';
import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { InferenceError } from '../../errors.ts';
import type { Answer, AppEnvironment } from '../../http/context.ts';
import { errorResponse, jsonResponse } from '../../http/respond.ts';
import type { InferenceInput } from '../../values/input.ts';
import { isLinesType } from '../../values/lines.ts';
import { answerWith } from '../answer.ts';
import { holdsJson } from '../body/json-body.ts';
import { holdsImages, readImages, readText, TEXT_TYPE } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { modelOfEndpoint } from '../endpoint-models.ts';
import { type AnswerType, chooseAnswerType, hasLines, JSON_TYPE } from '../headers/answer-type.ts';
import { isFromMlflow } from '../headers/target.ts';
import { variantOf } from '../headers/variant.ts';
import {
  type Dialect,
  type Invocation,
  predictInput,
  type Reading,
  readingOf,
  type SharedRoutes,
} from '../invocation.ts';
import { jsonContent, type Operation, type Protocol, type ProtocolOptions } from '../operation.ts';
import { runPayload } from '../run-payload.ts';
import {
  holdsArrays,
  payloadOfImages,
  payloadOfText,
  readArrays,
  readConcatenated,
  readEnvelope,
  unsupportedType,
} from './decode.ts';
import {
  type Container,
  containerOf,
  encodeLabels,
  encodeLines,
  encodeOutputs,
  encodeParts,
  encodeRuntimeError,
  encodeStreamError,
  streamOf,
} from './encode.ts';
import { EVENT_STREAM_TYPE } from './event-stream.ts';
import { holdsLines, readLines } from './read-lines.ts';
import { type Lines, PROTOCOLS, runLines } from './run-lines.ts';
import * as schemas from './schemas.ts';

const ENDPOINT_PATH = '/endpoints/{endpoint}';

const MEBIBYTE = 1024 * 1024;
/** Most bytes that batch transform allows in a request. */
const LARGEST_PAYLOAD_MB = 100;

/**
 * SageMaker from both sides: the routes of its containers, and those its SDKs call. An endpoint stands for the model of
 * its name.
 * Sources: SageMaker's developer guide (containers for hosting and for batch transform, multi-model endpoints), the
 * service model of sagemaker-runtime.
 */
export function createSageMakerProtocol(options: ProtocolOptions, shared: SharedRoutes): Protocol {
  return {
    name: 'sagemaker',
    description: "Amazon SageMaker: its containers' routes and the runtime that its SDKs call.",
    operations: [
      shared.ping,
      shared.invocations,
      createMultiModelInvoke(shared),
      createBatchParameters(options),
      ...createRuntimeOperations(options, shared),
    ],
  };
}

function createMultiModelInvoke(shared: SharedRoutes): Operation {
  return {
    method: 'POST',
    path: '/models/{model}/invoke',
    summary: 'Run one model of a multi-model container',
    request: shared.request,
    response: shared.response,
    handle: (c) => shared.answer(c, { model: c.req.param('model') }),
  };
}

/** The answer to batch transform before it sends records: many records in one request, one request after the other. */
function createBatchParameters({ config }: ProtocolOptions): Operation {
  const megabytes = Math.floor(config.limits.bodyBytes / MEBIBYTE);
  return {
    method: 'GET',
    path: '/execution-parameters',
    summary: 'Say how batch transform shall send its records',
    response: jsonContent(schemas.executionParameters),
    handle: () =>
      jsonResponse({
        MaxConcurrentTransforms: 1,
        BatchStrategy: 'MULTI_RECORD',
        MaxPayloadInMB: Math.min(Math.max(megabytes, 1), LARGEST_PAYLOAD_MB),
      }),
  };
}

function createRuntimeOperations(options: ProtocolOptions, shared: SharedRoutes): readonly Operation[] {
  const invoke = async (c: Context<AppEnvironment>): Promise<Answer> => {
    if (c.req.header('x-amzn-sagemaker-enable-explanations') !== undefined) throw unsupported('Explanations');
    const answer = await shared.answer(c, modelOfEndpoint(c.req.param('endpoint') ?? '', options.config));
    const { headers } = answer.response;
    headers.set('x-amzn-invoked-production-variant', variantOf(answer));
    headers.set('x-amzn-requestid', c.env.context.requestId);
    return answer;
  };
  return [
    {
      method: 'POST',
      path: `${ENDPOINT_PATH}/invocations`,
      summary: 'Run the model of an endpoint, as the SDKs of AWS do',
      // Only here: SageMaker itself, or any other client, reads the answers of containers.
      encodeError: encodeRuntimeError,
      headers: schemas.invocationHeaders,
      request: shared.request,
      response: shared.response,
      // `mlflow.deployments` uses this route too, and knows only MLflow's errors.
      handle: (c) => (isFromMlflow(c.req.raw.headers) ? answerMlflow(c, invoke) : invoke(c)),
    },
    {
      method: 'POST',
      path: `${ENDPOINT_PATH}/invocations-response-stream`,
      summary: 'Run the model of an endpoint, and answer with a stream of one part',
      encodeError: encodeStreamError,
      headers: schemas.streamHeaders,
      request: shared.request,
      response: { [EVENT_STREAM_TYPE]: null },
      handle: async (c) => {
        const answer = await invoke(c);
        return answer.error ? answer : { ...answer, response: await streamOf(answer.response) };
      },
    },
    {
      method: 'ALL',
      path: `${ENDPOINT_PATH}/async-invocations`,
      encodeError: encodeRuntimeError,
      handle: () => {
        throw unsupported('Asynchronous answers');
      },
    },
  ];
}

/** Errors are written as MLflow writes them, even for a format with its own errors. */
async function answerMlflow(
  c: Context<AppEnvironment>,
  invoke: (c: Context<AppEnvironment>) => Promise<Answer>,
): Promise<Answer> {
  c.env = { ...c.env, encodeError: errorResponse };
  return await answerWith(c.env.context.requestId, errorResponse, () => invoke(c));
}

function unsupported(what: string): InferenceError {
  return new InferenceError(
    'NOT_IMPLEMENTED',
    `${what} are not supported here; POST /endpoints/{endpoint}/invocations answers at once.`,
  );
}

/**
 * A container of SageMaker, as its inference toolkit has them: CSV, JSON lines, NumPy arrays, bare JSON and images as
 * input; the type in the Accept header as output, where JSON is a bare list. Sources: SageMaker's common data formats
 * for inference, sagemaker-inference-toolkit, and Hugging Face's container for the labels of images.
 */
export const invokeSageMaker: Dialect = async (invocation, options) => {
  const { mediaType, body } = invocation;
  // Reported before the model runs.
  const type = chooseAnswerType(invocation.request.headers);
  if (holdsLines(mediaType)) {
    return await answerLines(readLines(invocation, options.config.limits), invocation, options, type);
  }
  if (holdsArrays(invocation)) {
    return await answerPayload(readingOf(await readArrays(invocation)), invocation, options);
  }
  if (holdsImages(invocation)) {
    const images = await readImages(invocation, options.config.limits);
    return await answerInput({ kind: 'image', images }, payloadOfImages(images), invocation, options, type);
  }
  if (!holdsJson({ mediaType, body })) {
    if (mediaType !== TEXT_TYPE) throw unsupportedType(mediaType);
    const text = readText(invocation);
    const payload = payloadOfText(text, options);
    return await answerInput({ kind: 'text', texts: [text] }, payload, invocation, options, type);
  }
  const lines = readConcatenated(invocation, options);
  return lines ? await answerLines(lines, invocation, options, type) : await answerJson(invocation, options);
};

/**
 * One line for each line that came, if the client asked for lines; otherwise a list or an array, for which a single bad
 * line is an error.
 */
async function answerLines(
  lines: Lines,
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Answer> {
  const { value, usage } = await runLines(lines, invocation, options, hasLines(type));
  const container = containerOf(value);
  const known = chooseAnswerType(invocation.request.headers, container.usual);
  return { response: await encodeParts(value, known, answerStyle(options.config), container), usage };
}

async function answerJson(invocation: Invocation, options: ProtocolOptions): Promise<Answer> {
  const envelope = invocation.read((json) => readEnvelope(json, options));
  return await answerPayload(envelope, invocation, options, envelope.value.wrap);
}

/** @param listed makes the JSON of a list, if the answer must be a list */
async function answerPayload(
  payload: Reading<Payload>,
  invocation: Invocation,
  options: ProtocolOptions,
  listed?: Container['wrap'],
): Promise<Answer> {
  const { value, usage } = await runPayload(invocation, options, payload, PROTOCOLS);
  const container = containerOf(value);
  const type = chooseAnswerType(invocation.request.headers, container.usual);
  const style = answerStyle(options.config);
  return { response: await encodeOutputs(value, type, style, container, listed), usage };
}

/**
 * The answer to images, or to a text: for JSON their labels with scores, best first, or their vectors; for other types
 * the model's outputs. A single image or text has a list of labels, several images in a form have a list of such lists.
 * Source: image and text classification of Hugging Face's SageMaker container.
 */
async function answerInput(
  input: InferenceInput,
  payload: Payload,
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Answer> {
  const style = answerStyle(options.config);
  if (type !== JSON_TYPE && !isLinesType(type)) {
    return await answerPayload(readingOf(payload), invocation, options);
  }
  const { value, usage } = await predictInput(invocation, options, input);
  const answers = encodeLabels(value, style);
  if (isLinesType(type)) return { response: encodeLines(answers, type, style.limitBytes), usage };
  const [first] = answers;
  const body = answers.length === 1 && first !== undefined ? first : answers;
  return { response: jsonAnswer(body, options.config), usage };
}
