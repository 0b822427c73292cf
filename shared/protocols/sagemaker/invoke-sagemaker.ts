import { answerStyle } from '../../answers/answer.ts';
import { InferenceError } from '../../errors.ts';
import type { Answer } from '../../http/context.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { JsonText, WritableJson } from '../../json/write-json.ts';
import { openNpy } from '../../tensor/npy.ts';
import { isNpy } from '../../tensor/npy-header.ts';
import { isZip, readNpz } from '../../tensor/npz.ts';
import { decodeBare, inputsOfArrays } from '../../values/arrays.ts';
import { CSV_TYPE } from '../../values/csv.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../../values/instances.ts';
import { LINES_TYPES, splitConcatenated } from '../../values/lines.ts';
import { holdsJson, isUntyped } from '../body/json-body.ts';
import { holdsImages } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import {
  type AnswerType,
  chooseAnswerType,
  hasLines,
  JSON_TYPE,
  NPY_TYPE,
  NPZ_TYPE,
} from '../headers/answer-type.ts';
import { type Dialect, type Invocation, readingOf, runPayload } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { answerImages } from './answer-images.ts';
import { encodeOutputs, encodeParts } from './encode-answer.ts';
import { createJsonLines, holdsLines, type Lines, readLines } from './read-lines.ts';
import { runLines } from './run-lines.ts';

/** What is taken, for the error that refuses anything else. */
const ACCEPTED_TYPES = [
  JSON_TYPE,
  ...LINES_TYPES,
  CSV_TYPE,
  NPY_TYPE,
  NPZ_TYPE,
  'image/*',
  'multipart/form-data',
];

/**
 * A container of SageMaker, as its inference toolkit has them: CSV, JSON lines, NumPy arrays, bare JSON and images in;
 * what the Accept header asks for out, as a bare list where that is JSON.
 * Sources: SageMaker's common data formats for inference, sagemaker-inference-toolkit, and Hugging Face's container for
 * the labels of images.
 */
export const invokeSageMaker: Dialect = async (invocation, options) => {
  const { mediaType, body } = invocation;
  // Told before the model runs.
  const type = chooseAnswerType(invocation.request.headers);
  if (holdsLines(mediaType)) {
    return await answerLines(readLines(invocation, options.config.limits), invocation, options, type);
  }
  if (holdsArrays(invocation)) {
    const { value, usage } = await runPayload(invocation, options, readingOf(await readArrays(invocation)));
    return { response: await encodeOutputs(value, type, answerStyle(options.config)), usage };
  }
  if (holdsImages(invocation)) return await answerImages(invocation, options, type);
  if (!holdsJson({ mediaType, body })) throw unsupported(mediaType);
  const lines = readConcatenated(invocation, options);
  return lines
    ? await answerLines(lines, invocation, options, type)
    : await answerJson(invocation, options, type);
};

function holdsArrays({ mediaType, body }: Invocation): boolean {
  const isNamed = mediaType === NPY_TYPE || mediaType === NPZ_TYPE;
  return isNamed || (isUntyped(mediaType) && (isNpy(body) || isZip(body)));
}

/** As many lines as came, where lines are asked for; a list or an array otherwise, which one bad line spoils. */
async function answerLines(
  lines: Lines,
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Answer> {
  const { value, usage } = await runLines(lines, invocation, options, hasLines(type));
  return { response: await encodeParts(value, type, answerStyle(options.config)), usage };
}

/**
 * JSON values one behind the other, which are no JSON together; undefined for all else.
 *
 * @throws InferenceError when the body is neither
 */
export function readConcatenated(
  { json, body }: Invocation,
  { config: { limits } }: ProtocolOptions,
): Lines | undefined {
  try {
    json();
    return undefined;
  } catch (error) {
    const values = splitConcatenated(body, limits);
    if (values.count < 2) throw error;
    return createJsonLines(values, limits);
  }
}

async function answerJson(
  invocation: Invocation,
  options: ProtocolOptions,
  type: AnswerType,
): Promise<Answer> {
  const envelope = invocation.read((json) => readEnvelope(json, options));
  const { value, usage } = await runPayload(invocation, options, envelope);
  const style = answerStyle(options.config);
  return { response: await encodeOutputs(value, type, style, envelope.value.wrap), usage };
}

interface Envelope extends Payload {
  /** Instances that are listed under a name have their predictions under one. */
  readonly wrap?: (rows: JsonText) => WritableJson;
}

function readEnvelope(json: JsonValue, { config: { limits } }: ProtocolOptions): Envelope {
  if (isJsonObject(json) && Object.hasOwn(json, 'instances')) {
    return {
      kind: kindOfValues(json.instances),
      isBatch: true,
      toInputs: (contract) => decodeRows(json.instances, 'instances', contract, limits),
      wrap: (predictions) => ({ predictions }),
    };
  }
  if (isJsonObject(json) && Object.hasOwn(json, 'inputs')) {
    return {
      kind: kindOfValues(json.inputs),
      isBatch: true,
      toInputs: (contract) => decodeColumns(json.inputs, 'inputs', contract, limits),
    };
  }
  return {
    kind: kindOfValues(json),
    isBatch: true,
    toInputs: (contract) => decodeBare(json, 'body', contract, limits),
  };
}

async function readArrays({ mediaType, body, budget }: Invocation): Promise<Payload> {
  const { limits } = budget;
  const readOptions = {
    field: 'body',
    elementLimit: limits.tensorElements,
    byteLimit: limits.bodyBytes,
    spend: (texts: number) => budget.spend('values', texts, 'The array'),
  };
  const isArchive = mediaType === NPZ_TYPE || isZip(body);
  const arrays = isArchive
    ? await readNpz(body, readOptions)
    : new Map([['body', openNpy(body, readOptions)]]);
  const isMatrix = [...arrays.values()].every(({ shape }) => shape.length <= 2);
  return {
    kind: isMatrix ? 'features' : 'tensors',
    toInputs: (contract) => inputsOfArrays(arrays, contract, limits),
    isBatch: true,
  };
}

function unsupported(mediaType: string): InferenceError {
  const given = mediaType === '' ? 'a body without a Content-Type' : mediaType.slice(0, 80);
  return new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Unsupported Media Type: ${given}; accepted are ${ACCEPTED_TYPES.join(', ')}.`,
  );
}
