import type { Processor } from './processor.ts';

/** What `ternion.config.ts` gives a server. */
export interface OwnCode {
  /** The steps that models can name in `processors` of their model.json. */
  readonly processors?: readonly Processor[];
  /** Routes of the project's own. They go before those of Ternion. */
  readonly routes?: readonly OwnRoute[];
  /** Functions around every request, the first one outermost. */
  readonly middleware?: readonly Middleware[];
  /**
   * Called after each answer, with what the log line has. On hosts that stop a process after its answer, it is called
   * before. What it throws is logged, and it may take at most 5 seconds.
   */
  readonly onAnswer?: (record: AnswerRecord) => void | Promise<void>;
}

export interface OwnRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parameters in braces, as in OpenAPI: `/customers/{id}`. */
  readonly path: string;
  /** What it does, for `/openapi.json`; without one it is not listed there. */
  readonly summary?: string;
  readonly handle: (request: Request, context: RouteContext) => Response | Promise<Response>;
}

/**
 * @param next answers the request, by the next function or by the server; it may be given another request
 */
export type Middleware = (
  request: Request,
  next: (request: Request) => Promise<Response>,
  context: OwnContext,
) => Response | Promise<Response>;

export interface OwnContext {
  /** Appears in the answer and in the log. */
  readonly requestId: string;
  /** The header `traceparent` for requests to others, so that their work belongs to this request in a trace. */
  readonly traceparent: string;
  /**
   * Asks a model as `POST /models/{model}/predict` does.
   *
   * @param model its name, or `name/versions/version`
   * @returns the body of the answer
   * @throws PredictError for an answer with an error
   */
  readonly predict: (model: string, body: object) => Promise<PredictAnswer>;
}

export interface RouteContext extends OwnContext {
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
}

export type PredictAnswer = Readonly<Record<string, unknown>>;

/** Marks the errors of models, in whichever copy of this package. */
const PREDICT = Symbol.for('ternion.predict');

/** A model could not answer; the message is the one that a client would get. */
export class PredictError extends Error {
  override readonly name = 'PredictError';
  readonly [PREDICT] = true;
  readonly status: number;
  /** One of the codes in docs/errors.md, such as `INVALID_PARAMETER_VALUE`. */
  readonly code: string;

  constructor(message: string, status: number, code: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }

  /** Own code is compiled with a copy of this class. */
  static override [Symbol.hasInstance](value: unknown): value is PredictError {
    return value instanceof Error && PREDICT in value;
  }
}

/** A request that was answered. Neither inputs nor outputs are part of it. */
export interface AnswerRecord {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly model: string | undefined;
  readonly modelVersion: string | undefined;
  readonly instances: number;
  readonly coldStart: boolean;
  /** Milliseconds from its arrival until its answer was made. */
  readonly durationMs: number;
  /** Milliseconds in the runtime. */
  readonly runMs: number;
}

/** The default export of `ternion.config.ts`. */
export function defineConfig(config: OwnCode): OwnCode {
  return config;
}
