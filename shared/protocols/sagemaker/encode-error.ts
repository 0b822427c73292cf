import { ERROR_KINDS, type ErrorCode, type InferenceError } from '../../errors.ts';
import type { ErrorEncoder } from '../../http/context.ts';
import { describeError, errorHeaders, jsonResponse } from '../../http/respond.ts';

/** An error of SageMaker's runtime as its SDKs know it. Source: the service model of sagemaker-runtime. */
interface RuntimeError {
  readonly name: string;
  readonly status: number;
}

const MODEL_ERROR: RuntimeError = { name: 'ModelError', status: 424 };
const VALIDATION_ERROR: RuntimeError = { name: 'ValidationError', status: 400 };

/**
 * Errors by their names in the SDKs. What a container refuses is a `ModelError` there, with the container's own status
 * inside; what is wrong with the call itself is a `ValidationError`.
 */
const RUNTIME_ERRORS: Readonly<Partial<Record<ErrorCode, RuntimeError>>> = {
  BAD_REQUEST: MODEL_ERROR,
  INVALID_PARAMETER_VALUE: MODEL_ERROR,
  PAYLOAD_TOO_LARGE: MODEL_ERROR,
  UNSUPPORTED_MEDIA_TYPE: MODEL_ERROR,
  NOT_ACCEPTABLE: MODEL_ERROR,
  RESOURCE_DOES_NOT_EXIST: VALIDATION_ERROR,
  HEADER_TOO_LARGE: VALIDATION_ERROR,
  INTERNAL_ERROR: { name: 'InternalFailure', status: 500 },
  MODEL_UNAVAILABLE: { name: 'ModelNotReadyException', status: 429 },
  TEMPORARILY_UNAVAILABLE: { name: 'ServiceUnavailable', status: 503 },
};

/** An error as the AWS SDKs read it: its class in a header, its members beside those of all other clients. */
export const encodeRuntimeError: ErrorEncoder = (error, requestId) => {
  const { name, status } = runtimeErrorOf(error);
  const original =
    name === MODEL_ERROR.name ? { OriginalStatusCode: error.status, OriginalMessage: error.message } : {};
  return jsonResponse(
    { ...describeError(error, requestId), code: status, Message: error.message, ...original },
    status,
    { ...errorHeaders(error), 'x-amzn-errortype': name, 'x-amzn-requestid': requestId },
  );
};

function runtimeErrorOf({ code, status }: InferenceError): RuntimeError {
  return RUNTIME_ERRORS[code] ?? { name: ERROR_KINDS[code].type, status };
}
