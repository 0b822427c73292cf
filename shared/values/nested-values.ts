import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import type { JsonValue } from '../json/json-value.ts';
import { type WritableJson, writeJson } from '../json/write-json.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { float16ToNumber } from '../tensor/float16.ts';
import { appendPath, parseNested } from '../tensor/nested.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isMissing } from './cell.ts';
import { isBase64Object } from './image-value.ts';
import { REFUSED_VALUES } from './refused-values.ts';

/** Where an item of a value stands in the request, by its indices. */
export type Locate = (path: readonly number[]) => string;

/**
 * A tensor for one input from nested lists, whose nesting is the shape. A missing last axis of size 1 is added, as
 * columns of a table lack it.
 *
 * @param field where the value stands in the request, for errors
 * @param locate where its items stand, if not at their indices after `field`
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseTensorValues(
  value: JsonValue,
  spec: TensorSpec,
  field: string,
  limits: Limits,
  locate: Locate = (path) => appendPath(field, path),
): Tensor {
  const { takesBooleans, allowsMissing = false } = spec;
  const given = spec.datatype === 'BYTES' ? decodeTexts(value, [], locate, allowsMissing) : value;
  let tensor: Tensor;
  try {
    tensor = parseNested(given, spec.datatype, {
      field,
      locate,
      elementLimit: limits.tensorElements,
      takesBooleans,
    });
    if (!allowsMissing) checkNumbers(tensor, locate);
  } catch (error) {
    if (error instanceof Error) REFUSED_VALUES.set(error, { [spec.name]: given });
    throw error;
  }
  return isColumn(tensor.shape, spec) ? { ...tensor, shape: [...tensor.shape, 1] } : tensor;
}

/** Values as texts of JSON, one for each instance. */
export function jsonTexts(values: readonly WritableJson[]): Tensor {
  return {
    datatype: 'BYTES',
    shape: [values.length],
    data: values.map((value) => writeJson(value)),
    isJson: true,
  };
}

/** @throws InferenceError for a number that is missing */
function checkNumbers({ datatype, shape, data }: Tensor, locate: Locate): void {
  if (DATATYPES[datatype].kind !== 'float') return;
  const index =
    datatype === 'FP16'
      ? data.findIndex((bits) => Number.isNaN(float16ToNumber(Number(bits))))
      : data.findIndex((value) => Number.isNaN(value));
  if (index === -1) return;
  const path: number[] = [];
  shape.reduceRight((rest, size) => {
    path.unshift(rest % size);
    return Math.floor(rest / size);
  }, index);
  throw invalid(
    `Field "${locate(path)}"`,
    'is null or NaN; this model takes no missing numbers, expected a number.',
  );
}

function isColumn(shape: readonly number[], { shape: expected, isRankDynamic }: TensorSpec): boolean {
  return !isRankDynamic && shape.length === expected.length - 1 && Math.abs(expected.at(-1) ?? 0) === 1;
}

/**
 * `{"b64": "…"}` stands for a text in base64, at any depth (TensorFlow Serving). A missing text becomes the empty text if
 * the model allows it.
 */
function decodeTexts(
  value: JsonValue,
  path: readonly number[],
  locate: Locate,
  allowsMissing: boolean,
): JsonValue {
  if (Array.isArray(value)) {
    // There can be millions of texts: a place is made only for a value that is not a text.
    return value.map((item, index) =>
      typeof item === 'string' ? item : decodeTexts(item, [...path, index], locate, allowsMissing),
    );
  }
  if (allowsMissing && isMissing(value)) return '';
  if (!isBase64Object(value)) return value;
  const field = locate(path);
  return decodeUtf8(decodeBase64(value.b64, field), field);
}

/**
 * Bytes as a text: the strings of the runtime are UTF-8.
 *
 * @throws InferenceError for other bytes
 */
export function decodeUtf8(bytes: Uint8Array, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(
      `Field "${field}"`,
      'holds base64 of bytes that are not UTF-8; this model takes UTF-8 strings.',
    );
  }
}
