import { jsonAnswer } from '../../answers/answer.ts';
import { invalid } from '../../errors.ts';
import type { Answer } from '../../http/context.ts';
import { describeJson, isJsonObject } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { decodeBare } from '../../values/arrays.ts';
import { kindOfValues } from '../../values/instances.ts';
import { isLinesType, splitLines } from '../../values/lines.ts';
import { holdsJson } from '../body/json-body.ts';
import { holdsImages } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { type AnswerType, chooseAnswerType, JSON_TYPE } from '../headers/answer-type.ts';
import { readTfsMethod, type TfsMethod } from '../headers/target.ts';
import { createInvocation, type Dialect, type Invocation } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { encodeListed, runPayload } from '../run-payload.ts';
import { tensorFlowStyle } from '../v1/encode.ts';
import { readConcatenated } from './decode.ts';
import { encodeParts } from './encode.ts';
import { holdsLines, readLines } from './read-lines.ts';
import { invokeSageMaker } from './routes.ts';
import { type Lines, PROTOCOLS, runLines } from './run-lines.ts';

/** How TensorFlow Serving itself answers a request. */
export type TfsMethods = Readonly<Record<TfsMethod, Dialect>>;

/** Members that show that a body is already in the format of TensorFlow Serving. */
const KEYS = ['instances', 'inputs', 'examples'];

/**
 * SageMaker's container around TensorFlow Serving: its JSON passes unchanged, anything else becomes `instances`. The
 * attributes `tfs-method`, `tfs-model-name` and `tfs-model-version` say what to do with which model. Source:
 * tensorflowServing.js of sagemaker-tensorflow-serving-container.
 */
export function createTensorFlowContainer(methods: TfsMethods): Dialect {
  return (invocation, options) => invokeTensorFlow(invocation, options, methods);
}

async function invokeTensorFlow(
  invocation: Invocation,
  options: ProtocolOptions,
  methods: TfsMethods,
): Promise<Answer> {
  const { mediaType, body, request } = invocation;
  const type = chooseAnswerType(request.headers);
  if (holdsLines(mediaType)) {
    checkPredict(request.headers);
    // Lines are answered with lines if the client asks for them, as batch transform needs it.
    return type === JSON_TYPE
      ? await answerLines(invocation, options)
      : await invokeSageMaker(invocation, options);
  }
  if (type !== JSON_TYPE && !isLinesType(type)) return await invokeSageMaker(invocation, options);
  if (holdsImages(invocation)) return withType(await methods.predict(invocation, options), type);
  if (holdsJson({ mediaType, body })) {
    return withType(await answerJson(invocation, options, methods), type);
  }
  return await invokeSageMaker(invocation, options);
}

async function answerLines(invocation: Invocation, options: ProtocolOptions): Promise<Answer> {
  const { request, body, mediaType, choice } = invocation;
  const { limits } = options.config;
  const lines = isLinesType(mediaType) ? splitLines(body, limits) : undefined;
  if (lines?.count !== 1) {
    return await answerRows(readLines(invocation, limits), invocation, options);
  }
  // A single line of JSON is the list of instances itself, not the first of them.
  return await answerBare(createInvocation(request, lines.at(0), invocation, choice), options);
}

async function answerJson(
  invocation: Invocation,
  options: ProtocolOptions,
  methods: TfsMethods,
): Promise<Answer> {
  const { headers } = invocation.request;
  const method = readTfsMethod(headers);
  const lines = readConcatenated(invocation, options);
  if (lines) {
    checkPredict(headers);
    return await answerRows(lines, invocation, options);
  }
  const json = invocation.json();
  if (isJsonObject(json) && KEYS.some((key) => Object.hasOwn(json, key))) {
    if (Object.hasOwn(json, 'examples') && method === undefined) {
      throw invalid(
        'The request',
        `is ${describeJson(json)}; examples need the custom attribute tfs-method=classify or tfs-method=regress.`,
      );
    }
    return await methods[method ?? 'predict'](invocation, options);
  }
  checkPredict(headers);
  return await answerBare(invocation, options);
}

/** JSON without a name around it: one instance, or a list of them. */
async function answerBare(invocation: Invocation, options: ProtocolOptions): Promise<Answer> {
  const { config } = options;
  const payload = invocation.read(
    (json): Payload => ({
      kind: kindOfValues(json),
      toInputs: (contract) => decodeBare(json, 'body', contract, config.limits),
      layout: 'instances',
    }),
  );
  const { value, usage } = await runPayload(invocation, options, payload, PROTOCOLS);
  const predictions = encodeListed(value, tensorFlowStyle(config));
  return { response: jsonAnswer({ predictions }, config), usage };
}

async function answerRows(lines: Lines, invocation: Invocation, options: ProtocolOptions): Promise<Answer> {
  const { value, usage } = await runLines(lines, invocation, options, false);
  const style = tensorFlowStyle(options.config);
  const wrap = (predictions: WritableJson) => ({ predictions });
  return { response: await encodeParts(value, JSON_TYPE, style, { wrap }), usage };
}

/** @throws InferenceError for a method that needs examples, which other bodies do not have */
function checkPredict(headers: Headers): void {
  const method = readTfsMethod(headers);
  if (method === undefined || method === 'predict') return;
  throw invalid(`The attribute tfs-method is "${method}", which takes JSON with "examples".`);
}

/** The same JSON under the type that was asked for: it contains no line breaks. */
function withType(answer: Answer, type: AnswerType): Answer {
  if (type !== JSON_TYPE) answer.response.headers.set('content-type', type);
  return answer;
}
