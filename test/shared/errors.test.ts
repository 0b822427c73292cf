import { describe, expect, it } from 'vitest';
import {
  ERROR_KINDS,
  type ErrorCode,
  InferenceError,
  invalid,
  overLimit,
  toInferenceError,
} from '../../shared/errors.ts';

/** Repeated here on purpose: clients rely on each row. */
const TABLE: Record<
  ErrorCode,
  readonly [status: number, retryable: boolean, logLevel: string, type: string]
> = {
  BAD_REQUEST: [400, false, 'info', 'BadRequestException'],
  INVALID_PARAMETER_VALUE: [400, false, 'info', 'BadRequestException'],
  UNAUTHENTICATED: [401, false, 'info', 'UnauthorizedException'],
  PERMISSION_DENIED: [403, false, 'info', 'ForbiddenException'],
  RESOURCE_DOES_NOT_EXIST: [404, false, 'info', 'ModelNotFoundException'],
  RESOURCE_ALREADY_EXISTS: [400, false, 'info', 'ConflictException'],
  RESOURCE_CONFLICT: [409, false, 'info', 'ConflictException'],
  ENDPOINT_NOT_FOUND: [404, false, 'info', 'ResourceNotFoundException'],
  METHOD_NOT_ALLOWED: [405, false, 'info', 'MethodNotAllowedException'],
  PAYLOAD_TOO_LARGE: [413, false, 'info', 'RequestEntityTooLargeException'],
  HEADER_TOO_LARGE: [431, false, 'info', 'BadRequestException'],
  NOT_ACCEPTABLE: [406, false, 'info', 'NotAcceptableException'],
  UNSUPPORTED_MEDIA_TYPE: [415, false, 'info', 'UnsupportedMediaTypeException'],
  NOT_IMPLEMENTED: [501, false, 'info', 'NotImplementedException'],
  PROCESSOR_FAILED: [500, false, 'error', 'InternalServerException'],
  INTERNAL_ERROR: [500, false, 'error', 'InternalServerException'],
  CLIENT_GONE: [499, false, 'info', 'ClientClosedRequestException'],
  DEADLINE_EXCEEDED: [504, true, 'warn', 'GatewayTimeoutException'],
  MODEL_UNAVAILABLE: [503, true, 'error', 'ServiceUnavailableException'],
  TEMPORARILY_UNAVAILABLE: [503, true, 'error', 'ServiceUnavailableException'],
};

describe('ERROR_KINDS', () => {
  it('has a status, whether to try again, and a log level per code', () => {
    const rows = Object.entries(ERROR_KINDS).map(([code, { status, retryable, logLevel, type }]) => [
      code,
      [status, retryable, logLevel, type],
    ]);
    expect(Object.fromEntries(rows)).toEqual(TABLE);
  });

  it('asks to try again exactly for temporary faults of the server, and raises an alarm for all its faults', () => {
    for (const { status, retryable, logLevel } of Object.values(ERROR_KINDS)) {
      expect(retryable).toBe(status >= 503);
      // A request for something that is not built is a mistake of the client, and the timeout is the client's choice:
      // neither needs an alarm.
      expect(logLevel === 'error').toBe([500, 503].includes(status));
    }
  });
});

describe('InferenceError', () => {
  it('carries its code, status, headers and cause', () => {
    const cause = new Error('inside');
    const error = new InferenceError('METHOD_NOT_ALLOWED', 'no', { cause, headers: { allow: 'GET' } });
    expect([error.name, error.code, error.status, error.message]).toEqual([
      'InferenceError',
      'METHOD_NOT_ALLOWED',
      405,
      'no',
    ]);
    expect(error.headers).toEqual({ allow: 'GET' });
    expect(error.cause).toBe(cause);
    expect(error).toBeInstanceOf(Error);
  });

  it('has its field and its problem separately, also with the model that was in use', () => {
    const usage = {
      reference: { name: 'iris', version: '2' },
      askedMs: 0,
      loadMs: 0,
      inputMs: 0,
      queueMs: 0,
      runs: 0,
      runMs: 0,
      instances: 0,
    };
    for (const error of [invalid('Field "x"', 'is null.'), invalid('Field "x"', 'is null.').during(usage)]) {
      expect([error.message, error.field, error.problem]).toEqual([
        'Field "x" is null.',
        'Field "x"',
        'is null.',
      ]);
    }
    const { field, problem, message } = overLimit('too much');
    expect([field, problem, message]).toEqual([undefined, 'too much', 'too much']);
  });

  it('has neither headers nor a cause unless given', () => {
    const error = invalid('no');
    expect([error.code, error.headers, 'cause' in error]).toEqual(['INVALID_PARAMETER_VALUE', {}, false]);
  });
});

describe('toInferenceError', () => {
  it('leaves an InferenceError as it is', () => {
    const error = invalid('no');
    expect(toInferenceError(error)).toBe(error);
  });

  it.each([new Error('/home/user/model.onnx is broken'), 'text', undefined, null, { status: 404 }])(
    'says nothing of the inside of %s, and keeps it for the log',
    (thrown) => {
      const error = toInferenceError(thrown);
      expect([error.status, error.message]).toEqual([
        500,
        'The server failed to answer this request; its log says why.',
      ]);
      expect(error.cause).toBe(thrown);
    },
  );
});
