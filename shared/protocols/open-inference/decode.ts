import type { Budget } from '../../budget.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import type { ModelContract } from '../../values/contract.ts';
import type { TensorInput } from '../../values/named-inputs.ts';
import { createInvocation, type Invocation, type Reading, readingOf } from '../invocation.ts';
import { type ContentTypes, checkDates, isSingle, placeInputs, readContentType } from './codecs.ts';
import { checkRequested, type InferRequest, type RequestedOutput, readHead } from './data-plane.ts';
import { readFraming } from './framing.ts';
import { decodeBinary, decodeRawTensor, type InputHead, implySize, parseTensorData } from './tensor-data.ts';

/** A request over HTTP, including how its answer is written. */
export interface HttpInferRequest extends InferRequest {
  readonly outputs: readonly HttpOutput[] | undefined;
  /** Whether outputs that are not listed come as bytes. */
  readonly isBinary: boolean;
  /** MIME type that carries the length of the JSON, if the request came with one. */
  readonly mimeType: string | undefined;
}

/** One output a request asks for, and whether it comes as bytes. */
export interface HttpOutput extends RequestedOutput {
  readonly isBinary: boolean;
  /** The codec of MLServer that writes it; undefined for none. */
  readonly contentType?: string | undefined;
}

/**
 * Reads an inference request: JSON, JSON with the bytes of tensors after it, or one raw tensor.
 * Source: Open Inference Protocol V2 and Triton's binary tensor data extension.
 *
 * @returns a function that makes the request once it is known what the model takes: a raw tensor declares nothing
 * @throws InferenceError naming the tensor or field, what came and what is expected
 */
export function readInferRequest(
  invocation: Invocation,
): Reading<(contract: ModelContract) => HttpInferRequest> {
  const { request, body, budget, choice } = invocation;
  const { jsonBytes, mimeType } = readFraming(request.headers, body.length);
  if (jsonBytes === 0 && body.length > 0) {
    return readingOf(({ inputs }) => ({
      id: undefined,
      inputs: decodeRawTensor(body, inputs),
      outputs: undefined,
      isBinary: true,
      timeoutMs: undefined,
      mimeType,
    }));
  }
  const tail = jsonBytes === undefined ? undefined : body.subarray(jsonBytes);
  const head = tail ? createInvocation(request, body.subarray(0, jsonBytes), invocation, choice) : invocation;
  // A number such as 1e30 is not a safe integer even with all its digits; it is refused when it is read again.
  return head.read((json) => {
    const { types, ...decoded } = decodeRequest(json, tail, budget);
    return (contract) => ({
      ...decoded,
      ...placeInputs(decoded.inputs, types, contract, budget),
      mimeType,
    });
  });
}

function decodeRequest(
  body: JsonValue,
  tail: Uint8Array | undefined,
  budget: Budget,
): Omit<HttpInferRequest, 'mimeType'> & { readonly types: ContentTypes } {
  if (!isJsonObject(body))
    throw invalid('The request', `is ${describeJson(body)}; expected an object with "inputs".`);
  // Some clients write absent members as null.
  const id = body.id ?? undefined;
  if (id !== undefined && typeof id !== 'string')
    throw invalid('Field "id"', `is ${describeJson(id)}; expected a string.`);
  const parameters = readParameters(body, 'parameters');
  checkAlone(parameters);
  const isBinary = readFlag(parameters, 'binary_data_output', 'parameters') ?? false;
  const whole = readContentType(parameters, 'parameters');
  const { tensors, contentTypes } = decodeInputs(body.inputs, tail, budget, whole === 'base64');
  return {
    id,
    inputs: tensors,
    types: { whole, inputs: contentTypes },
    outputs: decodeOutputs(body.outputs, isBinary),
    isBinary,
    timeoutMs: readTimeout(parameters.timeout ?? undefined),
  };
}

/** Values of `sequence_id` with which clients of Triton say that there is no sequence. */
const NO_SEQUENCE: readonly (JsonValue | undefined)[] = [undefined, null, 0, ''];

/**
 * No state is kept between requests: instances come and go, and a request of a sequence could reach any of them. The
 * first request of a sequence needs no state, so it is answered.
 *
 * @throws InferenceError for a request that depends on earlier ones
 */
function checkAlone({ sequence_id: id, sequence_start: isFirst }: JsonObject): void {
  if (NO_SEQUENCE.includes(id) || isFirst === true) return;
  throw invalid(
    'Field "parameters.sequence_id"',
    `is ${describeJson(id)}, and the request is not the first of its sequence; no state is kept between requests here, so each one brings all inputs of the graph.`,
  );
}

/** The client's timeout is in microseconds; 0 means no timeout. */
function readTimeout(timeout: JsonValue | undefined): number | undefined {
  if (timeout === undefined || timeout === 0) return undefined;
  const isWhole = typeof timeout === 'bigint' || (typeof timeout === 'number' && Number.isInteger(timeout));
  if (isWhole && timeout > 0) return Number(timeout) / 1000;
  throw invalid(
    'Field "parameters.timeout"',
    `is ${describeJson(timeout)}; expected a whole number of microseconds, or 0 for none.`,
  );
}

/**
 * The inputs of a request by name, from its JSON and from the bytes after that.
 *
 * @param tail the bytes after the JSON; undefined if the request does not say where its JSON ends
 * @param isBase64 whether the texts of an input are base64 if it does not say so itself
 * @throws InferenceError naming the input, what came and what is expected
 * @throws UnsafeIntegerError
 */
function decodeInputs(
  inputs: JsonValue | undefined,
  tail: Uint8Array | undefined,
  budget: Budget,
  isBase64: boolean,
): { readonly tensors: Map<string, TensorInput>; readonly contentTypes: ContentTypes['inputs'] } {
  if (inputs !== undefined && !Array.isArray(inputs)) {
    throw invalid('Field "inputs"', `is ${describeJson(inputs)}; expected an array of tensors.`);
  }
  const heads = (inputs ?? []).map((input, index) =>
    decodeHead(input, `inputs[${index}]`, budget.limits, isBase64),
  );
  const tensors = new Map<string, TensorInput>();
  let rest = tail ?? new Uint8Array(0);
  for (const head of heads) {
    if (tensors.has(head.name)) throw invalid(`Input "${head.name}"`, 'is given twice.');
    if (head.data !== undefined) {
      tensors.set(head.name, parseTensorData(head));
      continue;
    }
    const size = head.binaryBytes ?? implySize(head, tail, heads.length === 1);
    if (size > rest.length) {
      throw invalid(`Input "${head.name}"`, `has ${rest.length} bytes after the JSON; expected ${size}.`);
    }
    tensors.set(head.name, decodeBinary(head, rest.subarray(0, size), budget));
    rest = rest.subarray(size);
  }
  if (rest.length > 0) throw invalid('The body', `has ${rest.length} bytes after the last tensor.`);
  const contentTypes = new Map(heads.map(({ name, contentType }) => [name, contentType]));
  for (const [name, tensor] of tensors) {
    if (contentTypes.get(name) === 'datetime') checkDates(name, tensor);
  }
  return { tensors, contentTypes };
}

/**
 * Reads what an input declares.
 *
 * @param field where it stands in the request
 * @param isBase64 whether texts are base64 if the input does not say so itself
 * @throws InferenceError naming the input or field, what came and what is expected
 */
function decodeHead(input: JsonValue, field: string, limits: Limits, isBase64: boolean): InputHead {
  if (!isJsonObject(input))
    throw invalid(`Field "${field}"`, `is ${describeJson(input)}; expected a tensor.`);
  const { name } = input;
  const data = input.data ?? undefined;
  if (typeof name !== 'string')
    throw invalid(`Field "${field}.name"`, `is ${describeJson(name)}; expected a string.`);
  const head = readHead(name, input.datatype, input.shape, limits);
  const parameters = readParameters(input, `${field}.parameters`);
  const contentType = readContentType(parameters, `${field}.parameters`);
  const binaryBytes = decodeBinarySize(parameters.binary_data_size ?? undefined, name);
  if (data !== undefined && binaryBytes !== undefined) {
    throw invalid(`Input "${name}"`, 'has both "data" and "binary_data_size"; expected one of them.');
  }
  return {
    ...head,
    data,
    binaryBytes,
    contentType,
    isBase64: contentType === undefined ? isBase64 : contentType === 'base64',
  };
}

function decodeBinarySize(size: JsonValue | undefined, name: string): number | undefined {
  if (size === undefined || (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0))
    return size;
  throw invalid(
    `Input "${name}"`,
    `has the binary_data_size ${describeJson(size)}; expected a number of bytes.`,
  );
}

/**
 * The outputs a request asks for, in its order; undefined for all.
 *
 * @param isBinary whether an output that does not say so comes as bytes
 * @throws InferenceError naming the field
 */
function decodeOutputs(outputs: JsonValue | undefined, isBinary: boolean): HttpOutput[] | undefined {
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs))
    throw invalid('Field "outputs"', `is ${describeJson(outputs)}; expected an array.`);
  if (outputs.length === 0) return undefined;
  const requested = outputs.map((output, index) => decodeOutput(output, `outputs[${index}]`, isBinary));
  checkRequested(requested);
  return requested;
}

function decodeOutput(output: JsonValue, field: string, isBinary: boolean): HttpOutput {
  if (!isJsonObject(output) || typeof output.name !== 'string') {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(output)}; expected an object with the "name" of an output.`,
    );
  }
  const parameters = readParameters(output, `${field}.parameters`);
  const classes = parameters.classification ?? 0;
  if (typeof classes !== 'number' || !Number.isSafeInteger(classes) || classes < 0) {
    throw invalid(
      `Field "${field}.parameters.classification"`,
      `is ${describeJson(classes)}; expected a number of classes.`,
    );
  }
  const contentType = readContentType(parameters, `${field}.parameters`);
  return {
    name: output.name,
    classes,
    contentType: isSingle(contentType) ? contentType : undefined,
    isBinary: readFlag(parameters, 'binary_data', `${field}.parameters`) ?? isBinary,
  };
}

/** Prefix of the parameter names that Triton reserves. */
const RESERVED = 'triton_';

/**
 * The `parameters` of a request, an input or an output. Names without a meaning here are ignored: clients of other
 * servers send some.
 *
 * @throws InferenceError when they are not an object, or hold a reserved name or one of shared memory
 */
function readParameters(holder: JsonObject, field: string): JsonObject {
  const parameters = holder.parameters ?? {};
  if (!isJsonObject(parameters))
    throw invalid(`Field "${field}"`, `is ${describeJson(parameters)}; expected an object.`);
  for (const name of Object.keys(parameters)) {
    if (name.startsWith(RESERVED)) {
      throw invalid(
        `Field "${field}"`,
        `has ${JSON.stringify(name.slice(0, 60))}; names with "${RESERVED}" are reserved.`,
      );
    }
    if (name.startsWith('shared_memory_'))
      throw invalid(`Field "${field}"`, `has "${name.slice(0, 60)}": shared memory is not supported.`);
  }
  return parameters;
}

/** @throws InferenceError when it is neither absent nor true nor false */
function readFlag(parameters: JsonObject, name: string, field: string): boolean | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`Field "${field}.${name}"`, `is ${describeJson(value)}; expected true or false.`);
}
