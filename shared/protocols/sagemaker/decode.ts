import { InferenceError } from '../../errors.ts';
import { CSV_TYPE } from '../../http/media-type.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { openNpy } from '../../tensor/npy.ts';
import { isNpy } from '../../tensor/npy-header.ts';
import { isZip, readNpz } from '../../tensor/npz.ts';
import { decodeBare, inputsOfArrays } from '../../values/arrays.ts';
import type { FieldValue } from '../../values/input.ts';
import { decodeColumns, decodeRows, imagesOf, kindOfValues } from '../../values/instances.ts';
import { LINES_TYPES, splitConcatenated } from '../../values/lines.ts';
import { isUntyped } from '../body/json-body.ts';
import { TEXT_TYPE } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { JSON_TYPE, NPY_TYPE, NPZ_TYPE } from '../headers/answer-type.ts';
import type { Invocation } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { LIBSVM_TYPES } from './read-libsvm.ts';
import { createJsonLines } from './read-lines.ts';
import type { Lines } from './run-lines.ts';

/** The accepted types, for the error that refuses other types. */
const ACCEPTED_TYPES = [
  JSON_TYPE,
  ...LINES_TYPES,
  CSV_TYPE,
  ...LIBSVM_TYPES,
  NPY_TYPE,
  NPZ_TYPE,
  'image/*',
  'multipart/form-data',
  TEXT_TYPE,
];

/** Whether a body is an array of NumPy, or an archive of them. */
export function holdsArrays({ mediaType, body }: Invocation): boolean {
  const isNamed = mediaType === NPY_TYPE || mediaType === NPZ_TYPE;
  return isNamed || (isUntyped(mediaType) && (isNpy(body) || isZip(body)));
}

/**
 * Concatenated JSON values, which are not valid JSON as a whole; undefined for anything else.
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

export interface Envelope extends Payload {
  /** If instances are listed under a name, their predictions are listed under a name too. */
  readonly wrap?: (rows: WritableJson) => WritableJson;
}

/** Instances, whole inputs, or JSON without a name around it. */
export function readEnvelope(json: JsonValue, { config: { limits } }: ProtocolOptions): Envelope {
  if (isJsonObject(json) && Object.hasOwn(json, 'instances')) {
    return {
      kind: kindOfValues(json.instances),
      layout: 'instances',
      toInputs: (contract) => decodeRows(json.instances, 'instances', contract, limits),
      wrap: (predictions) => ({ predictions }),
    };
  }
  if (isJsonObject(json) && Object.hasOwn(json, 'inputs')) {
    return {
      kind: kindOfValues(json.inputs),
      layout: 'batch',
      toInputs: (contract) => decodeColumns(json.inputs, 'inputs', contract, limits),
    };
  }
  return {
    kind: kindOfValues(json),
    layout: 'batch',
    toInputs: (contract) => decodeBare(json, 'body', contract, limits),
  };
}

/** @throws InferenceError when the bytes are not such arrays, or hold too much */
export async function readArrays({ mediaType, body, budget }: Invocation): Promise<Payload> {
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
    layout: 'batch',
  };
}

/** Images for the graph itself: its outputs are not passed through the task. */
export function payloadOfImages(images: readonly FieldValue<Uint8Array>[]): Payload {
  return {
    kind: 'image',
    layout: 'batch',
    toInputs: ({ imageInput, inputs }) =>
      new Map([[imageInput ?? inputs[0]?.name ?? '', imagesOf(images.map(({ value }) => value))]]),
  };
}

/** A text for the graph. */
export function payloadOfText(
  { value, field }: FieldValue<string>,
  { config: { limits } }: ProtocolOptions,
): Payload {
  return {
    kind: 'text',
    layout: 'instances',
    toInputs: (contract) => decodeColumns(value, field, contract, limits),
  };
}

/** The error for a body of a type that is not accepted. */
export function unsupportedType(mediaType: string): InferenceError {
  const given = mediaType === '' ? 'a body without a Content-Type' : mediaType.slice(0, 80);
  return new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Unsupported Media Type: ${given}; accepted types are ${ACCEPTED_TYPES.join(', ')}.`,
  );
}
