import { ERROR_KINDS, type InferenceError } from '../errors.ts';
import { type WritableJson, writeJson } from '../json/write-json.ts';
import { BytesResponse } from './bytes.ts';

/** A JSON answer. Its type has no charset, because some clients compare it for equality. */
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
 * One object with the members of all protocols, which do not contradict each other. Each client finds the one it looks
 * for: clients of V2, TensorFlow Serving and Hugging Face read `error`, those of TorchServe `code`, `type` and
 * `message`, those of MLflow `error_code`, those of UbiOps `error_message`.
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

/** Headers of every answer to a failed request. */
export function errorHeaders(error: InferenceError): Readonly<Record<string, string>> {
  return error.retryable ? { 'retry-after': '1', ...error.headers } : error.headers;
}
