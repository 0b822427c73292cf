import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { readBody } from '../../http/read-body.ts';
import type { TensorInput } from '../../inference/check-feeds.ts';
import {
  describeJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseExactJson,
  parseJson,
} from '../../json/parse-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { splitElements, tensorFromBytes } from '../../tensor/bytes.ts';
import { DATATYPE_NAMES, DATATYPES, type Datatype, isDatatype } from '../../tensor/datatype.ts';
import { elementCount } from '../../tensor/tensor.ts';
import { readFraming } from './header-length.ts';
import { parseTensorData, UnsafeIntegerError } from './json-data.ts';
import { decodeRawTensor } from './raw-request.ts';

/** One output a request asks for, and how it wants it. */
export interface RequestedOutput {
  readonly name: string;
  readonly isBinary: boolean;
  /** Number of classes, for the classification extension; 0 for the tensor itself. */
  readonly classes: number;
}

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, TensorInput>;
  /** Undefined: all outputs. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs that are not listed come as bytes. */
  readonly isBinary: boolean;
  /** MIME type that carries the length of the JSON, where the request came with one. */
  readonly mimeType: string | undefined;
}

/**
 * Reads an inference request: JSON, JSON with the bytes of tensors behind it, or one raw tensor.
 * Source: Open Inference Protocol V2 and Triton's binary tensor data extension.
 *
 * @param readInputs what the model takes, asked for only by a raw tensor, which says nothing of itself
 * @throws InferenceError naming the tensor or field, what came and what is expected
 */
export async function decodeInferRequest(
  request: Request,
  limits: Limits,
  readInputs: () => Promise<readonly TensorSpec[]>,
): Promise<InferRequest> {
  const body = await readBody(request, limits.bodyBytes);
  const { jsonBytes = body.length, mimeType } = readFraming(request.headers, body.length);
  if (jsonBytes === 0 && body.length > 0) {
    const inputs = decodeRawTensor(body, await readInputs());
    return { id: undefined, inputs, outputs: undefined, isBinary: true, mimeType };
  }
  const json = body.subarray(0, jsonBytes);
  const tail = body.subarray(jsonBytes);
  try {
    return { ...decodeRequest(parseJson(json, limits.jsonDepth), tail, limits), mimeType };
  } catch (error) {
    if (!(error instanceof UnsafeIntegerError)) throw error;
    return { ...decodeExactly(json, tail, limits), mimeType };
  }
}

/** Whole numbers that even all digits do not tell, such as 1e30, are the client's mistake. */
function decodeExactly(json: Uint8Array, tail: Uint8Array, limits: Limits): Omit<InferRequest, 'mimeType'> {
  try {
    return decodeRequest(parseExactJson(json, limits.jsonDepth), tail, limits);
  } catch (error) {
    if (error instanceof UnsafeIntegerError) throw invalid(error.message);
    throw error;
  }
}

function decodeRequest(body: JsonValue, tail: Uint8Array, limits: Limits): Omit<InferRequest, 'mimeType'> {
  if (!isJsonObject(body))
    throw invalid(`The request is ${describeJson(body)}; expected an object with "inputs".`);
  // Some clients write absent members as null.
  const id = body.id ?? undefined;
  if (id !== undefined && typeof id !== 'string')
    throw invalid(`Field "id" is ${describeJson(id)}; expected a string.`);
  const parameters = readParameters(body, 'parameters');
  const isBinary = readFlag(parameters, 'binary_data_output', 'parameters') ?? false;
  return {
    id,
    inputs: decodeInputs(body.inputs, tail, limits, parameters.content_type === 'base64'),
    outputs: decodeOutputs(body.outputs, isBinary),
    isBinary,
  };
}

function decodeInputs(
  inputs: JsonValue | undefined,
  tail: Uint8Array,
  limits: Limits,
  isBase64: boolean,
): Map<string, TensorInput> {
  if (inputs !== undefined && !Array.isArray(inputs)) {
    throw invalid(`Field "inputs" is ${describeJson(inputs)}; expected an array of tensors.`);
  }
  const tensors = new Map<string, TensorInput>();
  let position = 0;
  for (const [index, input] of (inputs ?? []).entries()) {
    const head = decodeHead(input, `inputs[${index}]`, limits, isBase64);
    if (tensors.has(head.name)) throw invalid(`Input "${head.name}" is given twice.`);
    const end = position + (head.binaryBytes ?? 0);
    if (end > tail.length) {
      throw invalid(
        `Input "${head.name}" has ${tail.length - position} bytes behind the JSON; expected ${head.binaryBytes}.`,
      );
    }
    const tensor =
      head.binaryBytes === undefined
        ? parseTensorData(head)
        : decodeBinary(head, tail.subarray(position, end));
    tensors.set(head.name, tensor);
    position = end;
  }
  if (position !== tail.length) {
    throw invalid(`The body has ${tail.length - position} bytes behind the last tensor.`);
  }
  return tensors;
}

/** An input without its elements. */
export interface TensorHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;
  readonly data: JsonValue | undefined;
  readonly binaryBytes: number | undefined;
  /** Whether the texts of a BYTES tensor are base64. */
  readonly isBase64: boolean;
}

function decodeHead(input: JsonValue, field: string, limits: Limits, isBase64: boolean): TensorHead {
  if (!isJsonObject(input)) throw invalid(`Field "${field}" is ${describeJson(input)}; expected a tensor.`);
  const { name, datatype } = input;
  const data = input.data ?? undefined;
  if (typeof name !== 'string')
    throw invalid(`Field "${field}.name" is ${describeJson(name)}; expected a string.`);
  if (typeof datatype !== 'string' || !isDatatype(datatype)) {
    throw invalid(
      `Input "${name}" has the datatype ${describeJson(datatype)}; known are ${DATATYPE_NAMES.join(', ')}.`,
    );
  }
  const shape = decodeShape(input.shape, name);
  const count = elementCount(shape);
  // A zero hides how large the other axes are, which outputs can be made of.
  const extent = elementCount(shape.map((size) => Math.max(size, 1)));
  if (extent > limits.tensorElements) {
    throw invalid(
      `Input "${name}" has the shape [${shape}], which is more than the limit of ${limits.tensorElements} elements (MAX_TENSOR_ELEMENTS).`,
    );
  }
  const parameters = readParameters(input, `${field}.parameters`);
  if (parameters.shared_memory_region !== undefined)
    throw invalid(`Input "${name}": shared memory is not supported.`);
  const binaryBytes = decodeBinarySize(parameters.binary_data_size ?? undefined, name);
  if ((data === undefined) === (binaryBytes === undefined)) {
    const both = data === undefined ? 'neither' : 'both';
    throw invalid(`Input "${name}" has ${both} "data" and "binary_data_size"; expected one of them.`);
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

function decodeShape(shape: JsonValue | undefined, name: string): number[] {
  const sizes: number[] = [];
  for (const size of Array.isArray(shape) ? shape : [undefined]) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw invalid(
        `Input "${name}" has the shape ${describeShape(shape)}; expected whole numbers from 0 on.`,
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
    `Input "${name}" has the binary_data_size ${describeJson(size)}; expected a number of bytes.`,
  );
}

function decodeBinary(head: TensorHead, bytes: Uint8Array): TensorInput {
  const { name, datatype, shape, count } = head;
  if (datatype === 'BYTES')
    return { datatype, shape, elements: splitElements(bytes, count, `Input "${name}"`) };
  const expected = count * DATATYPES[datatype].elementBytes;
  if (bytes.length !== expected) {
    throw invalid(`Input "${name}" has ${bytes.length} bytes; ${datatype} [${shape}] takes ${expected}.`);
  }
  return tensorFromBytes(datatype, shape, bytes);
}

function decodeOutputs(outputs: JsonValue | undefined, isBinary: boolean): RequestedOutput[] | undefined {
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs))
    throw invalid(`Field "outputs" is ${describeJson(outputs)}; expected an array.`);
  if (outputs.length === 0) return undefined;
  const requested = outputs.map((output, index) => decodeOutput(output, `outputs[${index}]`, isBinary));
  const twice = requested.find(
    ({ name }, index) => requested.findIndex((other) => other.name === name) < index,
  );
  if (twice) throw invalid(`Output "${twice.name}" is asked for twice.`);
  return requested;
}

function decodeOutput(output: JsonValue, field: string, isBinary: boolean): RequestedOutput {
  if (!isJsonObject(output) || typeof output.name !== 'string') {
    throw invalid(
      `Field "${field}" is ${describeJson(output)}; expected an object with the "name" of an output.`,
    );
  }
  const parameters = readParameters(output, `${field}.parameters`);
  if (parameters.shared_memory_region !== undefined) {
    throw invalid(`Output "${output.name}": shared memory is not supported.`);
  }
  const classes = parameters.classification ?? 0;
  if (typeof classes !== 'number' || !Number.isSafeInteger(classes) || classes < 0) {
    throw invalid(
      `Field "${field}.parameters.classification" is ${describeJson(classes)}; expected a number of classes.`,
    );
  }
  return {
    name: output.name,
    classes,
    isBinary: readFlag(parameters, 'binary_data', `${field}.parameters`) ?? isBinary,
  };
}

function readParameters(holder: JsonObject, field: string): JsonObject {
  const parameters = holder.parameters ?? {};
  if (isJsonObject(parameters)) return parameters;
  throw invalid(`Field "${field}" is ${describeJson(parameters)}; expected an object.`);
}

function readFlag(parameters: JsonObject, name: string, field: string): boolean | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`Field "${field}.${name}" is ${describeJson(value)}; expected true or false.`);
}
