import type { ModelUsage } from './usage.ts';

/** How one error code is answered and logged. */
interface ErrorKind {
  /** HTTP status of the answer. */
  readonly status: number;
  /** Whether sending the same request again later can succeed. */
  readonly retryable: boolean;
  readonly logLevel: 'info' | 'warn' | 'error';
  /** Name of the exception, as TorchServe and other servers in Java and Python give one. */
  readonly type: string;
}

/**
 * Every error a client can get, in one table. Names are MLflow's `ErrorCode` values if one fits, so that its clients
 * recognise them; the others follow the same style.
 */
export const ERROR_KINDS = {
  BAD_REQUEST: { status: 400, retryable: false, logLevel: 'info', type: 'BadRequestException' },
  INVALID_PARAMETER_VALUE: { status: 400, retryable: false, logLevel: 'info', type: 'BadRequestException' },
  UNAUTHENTICATED: { status: 401, retryable: false, logLevel: 'info', type: 'UnauthorizedException' },
  PERMISSION_DENIED: { status: 403, retryable: false, logLevel: 'info', type: 'ForbiddenException' },
  RESOURCE_DOES_NOT_EXIST: {
    status: 404,
    retryable: false,
    logLevel: 'info',
    type: 'ModelNotFoundException',
  },
  RESOURCE_ALREADY_EXISTS: { status: 400, retryable: false, logLevel: 'info', type: 'ConflictException' },
  RESOURCE_CONFLICT: { status: 409, retryable: false, logLevel: 'info', type: 'ConflictException' },
  ENDPOINT_NOT_FOUND: { status: 404, retryable: false, logLevel: 'info', type: 'ResourceNotFoundException' },
  METHOD_NOT_ALLOWED: { status: 405, retryable: false, logLevel: 'info', type: 'MethodNotAllowedException' },
  HEADER_TOO_LARGE: { status: 431, retryable: false, logLevel: 'info', type: 'BadRequestException' },
  PAYLOAD_TOO_LARGE: {
    status: 413,
    retryable: false,
    logLevel: 'info',
    type: 'RequestEntityTooLargeException',
  },
  NOT_ACCEPTABLE: { status: 406, retryable: false, logLevel: 'info', type: 'NotAcceptableException' },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    retryable: false,
    logLevel: 'info',
    type: 'UnsupportedMediaTypeException',
  },
  NOT_IMPLEMENTED: { status: 501, retryable: false, logLevel: 'info', type: 'NotImplementedException' },
  PROCESSOR_FAILED: { status: 500, retryable: false, logLevel: 'error', type: 'InternalServerException' },
  INTERNAL_ERROR: { status: 500, retryable: false, logLevel: 'error', type: 'InternalServerException' },
  CLIENT_GONE: { status: 499, retryable: false, logLevel: 'info', type: 'ClientClosedRequestException' },
  DEADLINE_EXCEEDED: { status: 504, retryable: true, logLevel: 'warn', type: 'GatewayTimeoutException' },
  MODEL_UNAVAILABLE: { status: 503, retryable: true, logLevel: 'error', type: 'ServiceUnavailableException' },
  TEMPORARILY_UNAVAILABLE: {
    status: 503,
    retryable: true,
    logLevel: 'error',
    type: 'ServiceUnavailableException',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERROR_KINDS;

export interface InferenceErrorOptions {
  /** The real cause. It goes to the log, never to a client. */
  readonly cause?: unknown;
  /** Response headers that belong to the answer, such as `allow` or `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The model that was in use, if any. */
  readonly usage?: ModelUsage | undefined;
}

/**
 * The message of an error. If it is about a part of the request, it has two parts, because that part has other names
 * elsewhere: the subject, such as `Field "features[0]"` or `The JSON body`, and the problem, such as `is null; expected
 * a number.`
 */
export type ErrorText = string | readonly [field: string, problem: string];

/** An error whose message is written for the client: it names the field, what came and what is expected. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly code: ErrorCode;
  /** The part of the request that the message begins with; undefined if it is about the whole request. */
  readonly field: string | undefined;
  /** The message without the field. */
  readonly problem: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly usage: ModelUsage | undefined;

  constructor(code: ErrorCode, text: ErrorText, options: InferenceErrorOptions = {}) {
    const [field, problem] = typeof text === 'string' ? [undefined, text] : text;
    const { cause } = options;
    super(field === undefined ? problem : `${field} ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.field = field;
    this.problem = problem;
    this.headers = options.headers ?? {};
    this.usage = options.usage;
  }

  /** The same error with the model that was in use when it came up. */
  during(usage: ModelUsage): InferenceError {
    const { code, field, problem, cause, headers } = this;
    const text: ErrorText = field === undefined ? problem : [field, problem];
    return new InferenceError(code, text, { cause, headers, usage });
  }

  /** Whether the same request can succeed later; answers say so with `retry-after`. */
  get retryable(): boolean {
    return ERROR_KINDS[this.code].retryable;
  }

  get status(): number {
    return ERROR_KINDS[this.code].status;
  }
}

/**
 * What a request or a model needs is in a package that was not installed. The message names it, and clients may see it.
 */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError';
}

/** Shorthand for the most frequent case: the model does not take a value of the request. */
export function invalid(...parts: ErrorParts): InferenceError {
  return new InferenceError('INVALID_PARAMETER_VALUE', textOf(parts));
}

/** The request is over one of its limits. The message names the limit and its variable. */
export function overLimit(...parts: ErrorParts): InferenceError {
  return new InferenceError('PAYLOAD_TOO_LARGE', textOf(parts));
}

type ErrorParts = [message: string] | [field: string, problem: string];

function textOf([first, problem]: ErrorParts): ErrorText {
  return problem === undefined ? first : [first, problem];
}

/**
 * A run gave something other than the model's config says. The request is correct, and sending it again will not help.
 */
export function unexpectedOutput(message: string): InferenceError {
  return new InferenceError('INTERNAL_ERROR', message);
}

/**
 * Turns any thrown value into an `InferenceError`. Anything unforeseen becomes a plain 500 whose text reveals nothing
 * internal: messages of the runtime and of Node contain paths of the server.
 */
export function toInferenceError(thrown: unknown): InferenceError {
  if (thrown instanceof InferenceError) return thrown;
  return new InferenceError('INTERNAL_ERROR', 'The server failed to answer this request; its log says why.', {
    cause: thrown,
  });
}

/** The code of an error of the operating system, such as `ENOENT`; undefined if it has no code. */
export function systemCodeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
