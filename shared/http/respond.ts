import { ERROR_KINDS, type InferenceError } from '../errors.ts';
import { type WritableJson, writeJson } from '../json/write-json.ts';
import { BytesResponse } from './bytes.ts';

/** A JSON answer. The type stands without a charset: some clients compare it for equality. */
export function jsonResponse(
  body: WritableJson,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new BytesResponse(writeJson(body), {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
  });
}

/** The error answer of nearly every protocol. */
export function errorResponse(error: InferenceError, requestId: string): Response {
  return jsonResponse(describeError(error, requestId), error.status, errorHeaders(error));
}

/**
 * One object with the members of all protocols, none of which contradicts another. Each client finds the one it looks
 * for: `error` those of V2, TensorFlow Serving and Hugging Face, `code`, `type` and `message` those of TorchServe,
 * `error_code` those of MLflow, `error_message` those of UbiOps.
 */
export function describeError(error: InferenceError, requestId: string) {
  return {
    error: error.message,
    error_code: error.code,
    code: error.status,
    type: ERROR_KINDS[error.code].type,
    message: error.message,
    error_message: error.message,
    request_id: requestId,
  };
}

/** Headers of an answer to a failed request, whatever its body. */
export function errorHeaders(error: InferenceError): Readonly<Record<string, string>> {
  return error.retryable ? { 'retry-after': '1', ...error.headers } : error.headers;
}
