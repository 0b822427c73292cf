import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import type { JsonValue } from '../../json/parse-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { parseNested } from '../../tensor/nested.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { isBase64Object } from './image-value.ts';

/**
 * A tensor for one input from nested lists, whose nesting is the shape. A missing last axis of size 1 is added, as
 * columns of a table lack it.
 *
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseTensorValues(value: JsonValue, spec: TensorSpec, field: string, limits: Limits): Tensor {
  const options = { field, elementLimit: limits.tensorElements };
  const given = spec.datatype === 'BYTES' ? decodeTexts(value, field) : value;
  const tensor = parseNested(given, spec.datatype, options);
  return isColumn(tensor.shape, spec) ? { ...tensor, shape: [...tensor.shape, 1] } : tensor;
}

function isColumn(shape: readonly number[], { shape: expected, isRankOpen }: TensorSpec): boolean {
  return !isRankOpen && shape.length === expected.length - 1 && Math.abs(expected.at(-1) ?? 0) === 1;
}

/** `{"b64": "…"}` stands for a text in base64, at any depth (TensorFlow Serving). */
function decodeTexts(value: JsonValue, field: string): JsonValue {
  if (Array.isArray(value)) return value.map((item) => decodeTexts(item, field));
  return isBase64Object(value) ? toText(decodeBase64(value.b64, field), field) : value;
}

/** The strings of the runtime are UTF-8. */
function toText(bytes: Uint8Array, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(
      `Field "${field}" holds base64 of bytes that are not UTF-8, which the strings of this model are.`,
    );
  }
}
