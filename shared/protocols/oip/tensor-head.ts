import type { Limits } from '../../config.ts';
import { invalid, overLimit } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { DATATYPE_NAMES, type Datatype, isDatatype } from '../../tensor/datatype.ts';
import { elementCount } from '../../tensor/tensor.ts';
import { readParameters } from './parameters.ts';

/** An input without its elements. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;
  /** Undefined: the elements stand behind the JSON. */
  readonly data: JsonValue | undefined;
  /** As the input says; it may leave that to its shape, or to the end of the body. */
  readonly binaryBytes: number | undefined;
  /** Whether the texts of a BYTES tensor are base64. */
  readonly isBase64: boolean;
}

/**
 * Reads what an input says of itself.
 *
 * @param field where it stands in the request
 * @param isBase64 whether texts are base64 where the input does not say
 * @throws InferenceError naming the input or field, what came and what is expected
 */
export function decodeHead(input: JsonValue, field: string, limits: Limits, isBase64: boolean): TensorHead {
  if (!isJsonObject(input))
    throw invalid(`Field "${field}"`, `is ${describeJson(input)}; expected a tensor.`);
  const { name, datatype } = input;
  const data = input.data ?? undefined;
  if (typeof name !== 'string')
    throw invalid(`Field "${field}.name"`, `is ${describeJson(name)}; expected a string.`);
  if (typeof datatype !== 'string' || !isDatatype(datatype)) {
    throw invalid(
      `Input "${name}"`,
      `has the datatype ${describeJson(datatype)}; known are ${DATATYPE_NAMES.join(', ')}.`,
    );
  }
  const shape = decodeShape(input.shape, name);
  const count = elementCount(shape);
  // A zero hides how large the other axes are, which outputs can be made of.
  const extent = elementCount(shape.map((size) => Math.max(size, 1)));
  if (extent > limits.tensorElements) {
    throw overLimit(
      `Input "${name}"`,
      `has the shape [${shape}], which is more than the limit of ${limits.tensorElements} elements (MAX_TENSOR_ELEMENTS).`,
    );
  }
  const parameters = readParameters(input, `${field}.parameters`);
  const binaryBytes = decodeBinarySize(parameters.binary_data_size ?? undefined, name);
  if (data !== undefined && binaryBytes !== undefined) {
    throw invalid(`Input "${name}"`, 'has both "data" and "binary_data_size"; expected one of them.');
  }
  return {
    name,
    datatype,
    shape,
    count,
    data,
    binaryBytes,
    isBase64: parameters.content_type === undefined ? isBase64 : parameters.content_type === 'base64',
  };
}

/** More than any model has. */
const MOST_AXES = 64;

function decodeShape(shape: JsonValue | undefined, name: string): number[] {
  if (Array.isArray(shape) && shape.length > MOST_AXES)
    throw invalid(`Input "${name}"`, `has a shape of ${shape.length} axes; the limit is ${MOST_AXES}.`);
  const sizes: number[] = [];
  for (const size of Array.isArray(shape) ? shape : [undefined]) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw invalid(
        `Input "${name}"`,
        `has the shape ${describeShape(shape)}; expected whole numbers from 0 on.`,
      );
    }
    sizes.push(size);
  }
  return sizes;
}

function describeShape(shape: JsonValue | undefined): string {
  return Array.isArray(shape) ? `[${shape.slice(0, 16).map(String).join(',')}]` : describeJson(shape);
}

function decodeBinarySize(size: JsonValue | undefined, name: string): number | undefined {
  if (size === undefined || (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0))
    return size;
  throw invalid(
    `Input "${name}"`,
    `has the binary_data_size ${describeJson(size)}; expected a number of bytes.`,
  );
}
