import { type AnswerStyle, answerBytes } from '../../answers/answer.ts';
import { bestLabels, TOP_LABELS } from '../../answers/best-labels.ts';
import { encodeNamedRows, encodePredictions, encodeRows } from '../../answers/predictions.ts';
import { ERROR_KINDS, type ErrorCode, InferenceError } from '../../errors.ts';
import { BytesResponse } from '../../http/bytes.ts';
import type { ErrorEncoder } from '../../http/context.ts';
import { HeaderList } from '../../http/header-list.ts';
import { CSV_TYPE } from '../../http/media-type.ts';
import { describeError, errorHeaders, jsonResponse } from '../../http/respond.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import { JsonText, type WritableJson, writeJson } from '../../json/write-json.ts';
import type { Flavour } from '../../models/answer-forms.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { npyBytes, writeNpy } from '../../tensor/npy.ts';
import { writeNpz } from '../../tensor/npz.ts';
import { sliceRows } from '../../tensor/tensor.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import { createRests } from '../../turns.ts';
import { quoteCell, writeCsvRows } from '../../values/csv.ts';
import { isLinesType } from '../../values/lines.ts';
import { type AnswerType, JSON_TYPE, NPY_TYPE, NPZ_TYPE } from '../headers/answer-type.ts';
import { encodeListed, encodeWhole, type GraphOutputs } from '../run-payload.ts';
import { EVENT_STREAM_TYPE, encodeModelStreamError, encodePayloadParts } from './event-stream.ts';
import { joinParts, type LineOutputs, type Part } from './run-lines.ts';

/**
 * The answer to lines: as many lines, in their order, or one list or array of them. A line that could not be run is
 * `{"error": …}` among JSON lines and the single cell `ERROR: …` in CSV; other types have no place for it.
 *
 * @param container changes the JSON to the form of a container
 */
export async function encodeParts(
  { parts, form }: LineOutputs,
  type: AnswerType,
  style: AnswerStyle,
  { row = asItIs, wrap = asItIs }: Container = {},
): Promise<Response> {
  const { limitBytes } = style;
  const encode = form === 'columns' ? encodeNamedRows : encodeRows;
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(joinParts(parts), type, limitBytes);
  // Text part by part: a batch can have a million rows.
  if (type === CSV_TYPE) {
    return linesResponse(
      await writeParts(parts, limitBytes, (part) => csvRows(part, limitBytes).join('\n')),
      type,
      limitBytes,
    );
  }
  const write = (between: string) =>
    writeParts(parts, limitBytes, (part) =>
      ('error' in part ? [{ error: part.error.message }] : encode(part.outputs, style).map(row))
        .map((each) => writeJson(each, limitBytes))
        .join(between),
    );
  return isLinesType(type)
    ? linesResponse(await write('\n'), type, limitBytes)
    : textResponse(writeJson(wrap(new JsonText(`[${(await write(',')).join(',')}]`))), type, limitBytes);
}

/** How many rows are written at once: the text of a row takes several times its size until it is joined. */
const ROWS_AT_ONCE = 4096;

/**
 * The text of each part, unless they are too long together. Long parts are written in several pieces, and other requests
 * run in between.
 */
async function writeParts(
  parts: readonly Part[],
  limitBytes: number,
  write: (part: Part) => string,
): Promise<readonly string[]> {
  const rest = createRests();
  const texts: string[] = [];
  let length = 0;
  for (const part of parts) {
    for (const piece of cutPart(part)) {
      await rest();
      const text = write(piece);
      length += text.length;
      checkAnswerSize(length, limitBytes);
      texts.push(text);
    }
  }
  return texts;
}

function* cutPart(part: Part): Generator<Part> {
  if ('error' in part || part.count <= ROWS_AT_ONCE) yield part;
  else {
    for (let start = 0; start < part.count; start += ROWS_AT_ONCE) {
      const end = Math.min(part.count, start + ROWS_AT_ONCE);
      const outputs = [...part.outputs].map(
        ([name, tensor]) => [name, sliceRows(tensor, start, end)] as const,
      );
      yield { outputs: new Map(outputs), count: end - start };
    }
  }
}

/** How the answers of one container differ from those of all. */
export interface Container {
  /** The type if a request has no preference; JSON by default. */
  readonly usual?: AnswerType;
  /** Makes the JSON of a row. */
  readonly row?: (row: WritableJson) => WritableJson;
  /** Makes the JSON of the list of rows. */
  readonly wrap?: (rows: WritableJson) => WritableJson;
}

function asItIs(json: WritableJson): WritableJson {
  return json;
}

const inPredictions = (predictions: WritableJson): WritableJson => ({ predictions });

/**
 * The container that SageMaker has for a kind of model.
 * Sources: algorithm_mode/serve.py of sagemaker-xgboost-container, tensorflowServing.js of
 * sagemaker-tensorflow-serving-container.
 */
export function containerOf({ flavour, form, isStated }: Omit<LineOutputs, 'parts'>): Container {
  if (flavour === 'tensorflow' && !isStated) return { wrap: inPredictions };
  const isBoosted = flavour !== undefined && BOOSTED.includes(flavour);
  return isBoosted && form === 'values'
    ? { usual: CSV_TYPE, row: (score) => ({ score }), wrap: inPredictions }
    : {};
}

const BOOSTED: readonly Flavour[] = ['xgboost', 'lightgbm', 'booster'];

function csvRows(part: Part, limitBytes: number): readonly string[] {
  return 'error' in part
    ? [quoteCell(`ERROR: ${part.error.message}`)]
    : writeCsvRows(part.outputs, part.count, limitBytes);
}

/**
 * The outputs of a run on whole arrays: as a bare list if they have one row per instance, and as objects by name if
 * there are several outputs.
 *
 * @param listed makes the JSON of the list, if the answer must be a list
 */
export async function encodeOutputs(
  value: GraphOutputs,
  type: AnswerType,
  style: AnswerStyle,
  container: Container,
  listed?: Container['wrap'],
): Promise<Response> {
  const { tensors: outputs, areRows, form } = value;
  const { limitBytes } = style;
  if (type === NPY_TYPE || type === NPZ_TYPE) return await encodeArrays(outputs, type, limitBytes);
  const count = areRows ? countRows(outputs) : undefined;
  const isWhole = form === 'columns' && type === JSON_TYPE;
  if (count !== undefined && !isWhole) {
    const wrap = listed ?? container.wrap;
    return await encodeParts({ ...value, parts: [{ outputs, count }] }, type, style, {
      ...container,
      ...(wrap && { wrap }),
    });
  }
  const whole = listed
    ? listed(new JsonText(writeJson(encodeListed(value, style), limitBytes)))
    : encodeWhole(value, style);
  if (isLinesType(type)) return linesResponse([writeJson(whole, limitBytes)], type, limitBytes);
  if (type === JSON_TYPE) return textResponse(writeJson(whole, limitBytes), type, limitBytes);
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The outputs of this model have no rows, which ${type} needs; ask for ${JSON_TYPE} or ${NPZ_TYPE}.`,
  );
}

/** How many instances the outputs have; undefined if they have no common axis of instances. */
function countRows(outputs: NamedTensors): number | undefined {
  const [first] = outputs.values();
  const count = first?.shape[0];
  return [...outputs.values()].every(({ shape }) => shape[0] === count) ? count : undefined;
}

async function encodeArrays(outputs: NamedTensors, type: AnswerType, limitBytes: number): Promise<Response> {
  const bytes = [...outputs.values()].reduce((sum, tensor) => sum + npyBytes(tensor), 0);
  checkAnswerSize(bytes, limitBytes);
  if (type === NPZ_TYPE) return answerBytes(await writeNpz(outputs), type, limitBytes);
  const [only, ...others] = outputs.values();
  if (only && others.length === 0) return answerBytes(writeNpy(only), type, limitBytes);
  const names = [...outputs.keys()].map((name) => `"${name}"`).join(', ');
  throw new InferenceError(
    'NOT_ACCEPTABLE',
    `The model has the outputs ${names}, which one array (${NPY_TYPE}) cannot hold; ask for ${NPZ_TYPE} or ${JSON_TYPE}.`,
  );
}

/** Every line, including the last one, ends with a line break: SageMaker joins the answers of a batch unchanged. */
function linesResponse(lines: readonly string[], type: string, limitBytes: number): Response {
  return textResponse(lines.map((line) => `${line}\n`).join(''), type, limitBytes);
}

function textResponse(text: string, type: string, limitBytes: number): Response {
  return answerBytes(Buffer.from(text), type, limitBytes);
}

/** One JSON text a line. */
export function encodeLines(answers: readonly WritableJson[], type: string, limitBytes: number): Response {
  return linesResponse(
    answers.map((answer) => writeJson(answer, limitBytes)),
    type,
    limitBytes,
  );
}

/** For each image or text its best labels with scores, best first, or the other outputs of the model. */
export function encodeLabels(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) => bestLabels(scores, output.labels, TOP_LABELS, style));
}

/** An error of SageMaker's runtime as its SDKs know it. Source: the service model of sagemaker-runtime. */
interface RuntimeError {
  readonly name: string;
  readonly status: number;
}

const MODEL_ERROR: RuntimeError = { name: 'ModelError', status: 424 };
const VALIDATION_ERROR: RuntimeError = { name: 'ValidationError', status: 400 };

/**
 * Errors by their names in the SDKs. If a container refuses a request, that is a `ModelError`, with the container's own
 * status inside; a mistake in the call itself is a `ValidationError`.
 */
const RUNTIME_ERRORS: Readonly<Partial<Record<ErrorCode, RuntimeError>>> = {
  BAD_REQUEST: MODEL_ERROR,
  INVALID_PARAMETER_VALUE: MODEL_ERROR,
  PAYLOAD_TOO_LARGE: MODEL_ERROR,
  UNSUPPORTED_MEDIA_TYPE: MODEL_ERROR,
  NOT_ACCEPTABLE: MODEL_ERROR,
  RESOURCE_DOES_NOT_EXIST: VALIDATION_ERROR,
  HEADER_TOO_LARGE: VALIDATION_ERROR,
  INTERNAL_ERROR: { name: 'InternalFailure', status: 500 },
  PROCESSOR_FAILED: MODEL_ERROR,
  MODEL_UNAVAILABLE: { name: 'ModelNotReadyException', status: 429 },
  TEMPORARILY_UNAVAILABLE: { name: 'ServiceUnavailable', status: 503 },
};

/** An error as the AWS SDKs read it: its class in a header, its members together with those for all other clients. */
export const encodeRuntimeError: ErrorEncoder = (error, requestId) => {
  const { name, status } = runtimeErrorOf(error);
  const original =
    name === MODEL_ERROR.name ? { OriginalStatusCode: error.status, OriginalMessage: error.message } : {};
  return jsonResponse(
    { ...describeError(error, requestId), code: status, Message: error.message, ...original },
    status,
    { ...errorHeaders(error), 'x-amzn-errortype': name, 'x-amzn-requestid': requestId },
  );
};

/**
 * An error of a request for a stream. Nothing was sent yet, so nearly all errors have the same status as without a
 * stream, and SDKs map them to the same classes. Only a late answer is reported in the stream, as SageMaker does it.
 */
export const encodeStreamError: ErrorEncoder = (error, requestId) => {
  if (error.code !== 'DEADLINE_EXCEEDED') return encodeRuntimeError(error, requestId);
  const bytes = encodeModelStreamError(error.message, 'ModelInvocationTimeExceeded');
  return new BytesResponse(bytes, {
    headers: { 'content-type': EVENT_STREAM_TYPE, 'x-amzn-requestid': requestId },
  });
};

/**
 * An answer as a stream of its bytes, which names their type in a separate header. JSON ends with a line break in a
 * stream: without one the `LineIterator` of SageMaker's SDK waits forever.
 */
export async function streamOf(response: Response): Promise<Response> {
  const headers = new HeaderList(response.headers);
  const type = headers.get('content-type') ?? '';
  headers.set('x-amzn-sagemaker-content-type', type);
  headers.set('content-type', EVENT_STREAM_TYPE);
  const bytes = await response.bytes();
  const ended = type === JSON_TYPE ? Buffer.concat([bytes, Buffer.from('\n')]) : bytes;
  return new BytesResponse(encodePayloadParts(ended), { headers });
}

function runtimeErrorOf({ code, status }: InferenceError): RuntimeError {
  return RUNTIME_ERRORS[code] ?? { name: ERROR_KINDS[code].type, status };
}
