import type { Budget } from '../../budget.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import type { TensorInput } from '../../values/named-inputs.ts';
import { createInvocation, type Invocation, type Reading, readingOf } from '../invocation.ts';
import { decodeInputs } from './decode-inputs.ts';
import { decodeOutputs, type RequestedOutput } from './decode-outputs.ts';
import { readFraming } from './header-length.ts';
import { readFlag, readParameters } from './parameters.ts';
import { decodeRawTensor } from './raw-request.ts';

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, TensorInput>;
  /** Undefined: all outputs. */
  readonly outputs: readonly RequestedOutput[] | undefined;
  /** Whether outputs that are not listed come as bytes. */
  readonly isBinary: boolean;
  /** How long the client waits, from the arrival of the request; undefined for as long as it takes. */
  readonly timeoutMs: number | undefined;
  /** MIME type that carries the length of the JSON, where the request came with one. */
  readonly mimeType: string | undefined;
}

/**
 * Reads an inference request: JSON, JSON with the bytes of tensors behind it, or one raw tensor.
 * Source: Open Inference Protocol V2 and Triton's binary tensor data extension.
 *
 * @returns the request, once it is known what the model takes: a raw tensor says nothing of itself
 * @throws InferenceError naming the tensor or field, what came and what is expected
 */
export function readInferRequest(
  invocation: Invocation,
): Reading<(inputs: readonly TensorSpec[]) => InferRequest> {
  const { request, body, budget, choice } = invocation;
  const { jsonBytes, mimeType } = readFraming(request.headers, body.length);
  if (jsonBytes === 0 && body.length > 0) {
    return readingOf((specs) => ({
      id: undefined,
      inputs: decodeRawTensor(body, specs),
      outputs: undefined,
      isBinary: true,
      timeoutMs: undefined,
      mimeType,
    }));
  }
  const tail = jsonBytes === undefined ? undefined : body.subarray(jsonBytes);
  const head = tail ? createInvocation(request, body.subarray(0, jsonBytes), invocation, choice) : invocation;
  // A number that even all digits do not tell, such as 1e30, is refused when it is read once more.
  return head.read((json) => {
    const decoded = { ...decodeRequest(json, tail, budget), mimeType };
    return () => decoded;
  });
}

function decodeRequest(
  body: JsonValue,
  tail: Uint8Array | undefined,
  budget: Budget,
): Omit<InferRequest, 'mimeType'> {
  if (!isJsonObject(body))
    throw invalid('The request', `is ${describeJson(body)}; expected an object with "inputs".`);
  // Some clients write absent members as null.
  const id = body.id ?? undefined;
  if (id !== undefined && typeof id !== 'string')
    throw invalid('Field "id"', `is ${describeJson(id)}; expected a string.`);
  const parameters = readParameters(body, 'parameters');
  const isBinary = readFlag(parameters, 'binary_data_output', 'parameters') ?? false;
  return {
    id,
    inputs: decodeInputs(body.inputs, tail, budget, parameters.content_type === 'base64'),
    outputs: decodeOutputs(body.outputs, isBinary),
    isBinary,
    timeoutMs: readTimeout(parameters.timeout ?? undefined),
  };
}

/** The client's timeout is in microseconds; 0 is none. */
function readTimeout(timeout: JsonValue | undefined): number | undefined {
  if (timeout === undefined || timeout === 0) return undefined;
  const isWhole = typeof timeout === 'bigint' || (typeof timeout === 'number' && Number.isInteger(timeout));
  if (isWhole && timeout > 0) return Number(timeout) / 1000;
  throw invalid(
    'Field "parameters.timeout"',
    `is ${describeJson(timeout)}; expected a whole number of microseconds, or 0 for none.`,
  );
}
