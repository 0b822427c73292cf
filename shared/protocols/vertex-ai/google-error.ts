import type { ErrorCode } from '../../errors.ts';
import type { ErrorEncoder } from '../../http/context.ts';
import { errorHeaders, jsonResponse } from '../../http/respond.ts';

/** Names of `google.rpc.Code`. Source: google/rpc/code.proto, whose comments give the HTTP status of each. */
const STATUSES: Record<ErrorCode, string> = {
  BAD_REQUEST: 'INVALID_ARGUMENT',
  INVALID_PARAMETER_VALUE: 'INVALID_ARGUMENT',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  RESOURCE_DOES_NOT_EXIST: 'NOT_FOUND',
  ENDPOINT_NOT_FOUND: 'NOT_FOUND',
  METHOD_NOT_ALLOWED: 'UNIMPLEMENTED',
  HEADER_TOO_LARGE: 'INVALID_ARGUMENT',
  PAYLOAD_TOO_LARGE: 'INVALID_ARGUMENT',
  NOT_ACCEPTABLE: 'INVALID_ARGUMENT',
  UNSUPPORTED_MEDIA_TYPE: 'INVALID_ARGUMENT',
  NOT_IMPLEMENTED: 'UNIMPLEMENTED',
  INTERNAL_ERROR: 'INTERNAL',
  CLIENT_GONE: 'CANCELLED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  MODEL_UNAVAILABLE: 'UNAVAILABLE',
  TEMPORARILY_UNAVAILABLE: 'UNAVAILABLE',
};

/**
 * An error as Google's clients read it. Here `error` is an object, where all other clients want text: it is for the
 * routes that only Google's clients use.
 * Source: AIP-193; google-gax and google-api-core take the class of their exception from it.
 */
export const encodeGoogleError: ErrorEncoder = (error, requestId) => {
  const body = {
    error: { code: error.status, message: error.message, status: STATUSES[error.code] },
    request_id: requestId,
  };
  return jsonResponse(body, error.status, errorHeaders(error));
};
