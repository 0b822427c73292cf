import type { Budget } from '../budget.ts';
import type { InferenceError } from '../errors.ts';
import type { ModelUsage } from '../usage.ts';

/** What the host knows of a request beside HTTP. */
export interface RequestContext {
  /** Stands in the answer, in its errors and in the log. */
  readonly requestId: string;
  /** Whether this is the first request of the instance. */
  readonly coldStart: boolean;
  /** When the host gives the request up, on the clock of `performance.now()`; undefined where it does not. */
  readonly deadlineMs?: number | undefined;
  /** Aborted when the client has gone; undefined where the host cannot know. */
  readonly signal?: AbortSignal | undefined;
  /** Leaves work to be done after the answer. */
  readonly waitUntil: WaitUntil;
}

/**
 * Takes work that nobody waits for, such as sending a record of the request. It begins when the answer has left, or
 * before that on hosts that give a process no time after it.
 *
 * @param work is told by its signal that its budget is over; it is not waited for any longer then
 */
export type WaitUntil = (
  work: (signal: AbortSignal) => Promise<void>,
  options: { readonly budgetMs: number },
) => void;

/** The answer to a request with what came up while it was made: the log line and the timing header are made of it. */
export interface Answer {
  readonly response: Response;
  /** The model that was used, where one was. */
  readonly usage?: ModelUsage | undefined;
  /** Why the response says that it failed. */
  readonly error?: InferenceError | undefined;
  /** The path that was answered, where a protocol reads another one out of the request than it was sent to. */
  readonly forwardedTo?: string | undefined;
}

export type ErrorEncoder = (error: InferenceError, requestId: string) => Response;

/** Bindings that each Hono handler finds in `c.env`. */
export interface Bindings {
  readonly context: RequestContext;
  /** What the request may cost. */
  readonly budget: Budget;
  /** When the request came, on the clock of the budget. */
  readonly startMs: number;
  /** How the route writes errors, where the object for all clients will not do. */
  readonly encodeError?: ErrorEncoder | undefined;
  /** Answers another request instead of this one. */
  readonly forward: (request: Request) => Promise<Answer>;
  /** Hands the whole answer over: the router itself passes on nothing but its response. */
  readonly settle: (answer: Answer) => Response;
}

export interface AppEnvironment {
  Bindings: Bindings;
}
