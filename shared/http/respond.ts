import type { InferenceError } from '../errors.ts';
import { type WritableJson, writeJson } from '../json/write-json.ts';
import { BytesResponse } from './bytes.ts';

/** A JSON answer. The type stands without a charset: some clients compare it for equality. */
export function jsonResponse(
  body: WritableJson,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new BytesResponse(Buffer.from(writeJson(body)), {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
  });
}

/** The error answer of Ternion's own routes. */
export function errorResponse(error: InferenceError, requestId: string): Response {
  const body = { error: error.message, error_code: error.code, code: error.status, request_id: requestId };
  const headers = error.retryable ? { 'retry-after': '1', ...error.headers } : error.headers;
  return jsonResponse(body, error.status, headers);
}
