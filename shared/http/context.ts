import type { Budget, ClientSignal } from '../budget.ts';
import type { InferenceError } from '../errors.ts';
import type { ModelUsage } from '../usage.ts';
import type { BodyPart } from './body-room.ts';
import type { TraceContext } from './trace-context.ts';

/** What the host knows about a request besides its HTTP message. */
export interface RequestContext {
  /** Appears in the answer, in its errors and in the log. */
  readonly requestId: string;
  /** Its place in a trace. */
  readonly trace: TraceContext;
  /** Whether this is the first request of the instance. */
  readonly coldStart: boolean;
  /** When the host began to receive it, on the clock of `performance.now()`. */
  readonly receivedMs?: number | undefined;
  /** When the host gives the request up, on the clock of `performance.now()`; undefined if it does not. */
  readonly deadlineMs?: number | undefined;
  /** Aborted when the client has gone; undefined if the host cannot know. */
  readonly signal?: ClientSignal | undefined;
  /** The share of its body in the memory for all bodies, if the host has counted it already. */
  readonly body?: BodyPart | undefined;
  /** Schedules work for after the answer. */
  readonly waitUntil: WaitUntil;
  /** Gets the error that the answer reports, with its causes, which clients do not see. */
  readonly onError?: ((error: InferenceError) => void) | undefined;
}

/**
 * Takes work that no client waits for, such as sending a record of the request. The work begins when the answer has
 * left, or earlier on hosts that stop a process after its answer.
 *
 * @param work its signal aborts when its budget is used up; the host then no longer waits for it
 */
export type WaitUntil = (
  work: (signal: AbortSignal) => Promise<void>,
  options: { readonly budgetMs: number },
) => void;

/** The answer to a request with what was learned while making it: the log line and the timing header use it. */
export interface Answer {
  readonly response: Response;
  /** The model that was used, if any. */
  readonly usage?: ModelUsage | undefined;
  /** The model that the request named, if it was refused before it used that. */
  readonly named?: ModelUsage['reference'] | undefined;
  /** The error that the response reports. */
  readonly error?: InferenceError | undefined;
  /**
   * The path that was answered, if a protocol reads a path from the request that differs from the one it was sent to.
   */
  readonly forwardedTo?: string | undefined;
  /** The name of the protocol that answered. */
  readonly protocol?: string | undefined;
  /** The route that answered, with names in braces. */
  readonly route?: string | undefined;
  /** When the route began, on the clock of `performance.now()`. */
  readonly handledMs?: number | undefined;
}

export type ErrorEncoder = (error: InferenceError, requestId: string) => Response;

/** Bindings that each Hono handler finds in `c.env`. */
export interface Bindings {
  readonly context: RequestContext;
  /** The model that the request names, as soon as that is known. */
  named?: ModelUsage['reference'] | undefined;
  /** The budget of the request. */
  readonly budget: Budget;
  /** The share of the request's body in the memory for all bodies. */
  readonly body: BodyPart;
  /** When the request came, on the clock of the budget. */
  readonly startMs: number;
  /** How the route writes errors, if its clients need another form than the usual object. */
  readonly encodeError?: ErrorEncoder | undefined;
  /** Answers another request instead of this one. */
  readonly forward: (request: Request) => Promise<Answer>;
  /** Hands over the whole answer: the router itself passes on only the response. */
  readonly settle: (answer: Answer) => Response;
}

export interface AppEnvironment {
  Bindings: Bindings;
}
