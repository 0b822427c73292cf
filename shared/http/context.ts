import type { Budget } from '../budget.ts';
import type { InferenceError } from '../errors.ts';

/** What the host knows of a request beside HTTP. */
export interface RequestContext {
  /** Stands in the answer, in its errors and in the log. */
  readonly requestId: string;
  /** Whether this is the first request of the instance. */
  readonly coldStart: boolean;
  /** Aborted when the client has gone; undefined where the host cannot know. */
  readonly signal?: AbortSignal | undefined;
}

/** What is learned of a request while it is answered: the log line and the timing header are made of it. */
export interface RequestRecord {
  model?: { readonly name: string; readonly version: string };
  loadMs?: number;
  runMs?: number;
  error?: InferenceError;
  /** The path that was answered, where a protocol reads another one out of the request than it was sent to. */
  forwardedTo?: string;
  /** How the protocol that answers writes errors, where the object for all clients will not do. */
  encodeError?: ErrorEncoder;
}

export type ErrorEncoder = (error: InferenceError, requestId: string) => Response;

/** Bindings that each Hono handler finds in `c.env`. */
export interface Bindings {
  readonly context: RequestContext;
  readonly record: RequestRecord;
  /** What the request may cost. */
  readonly budget: Budget;
  /** Answers another request instead of this one. */
  readonly forward: (request: Request) => Promise<Response>;
}

export interface AppEnvironment {
  Bindings: Bindings;
}
