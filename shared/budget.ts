import type { Limits } from './config.ts';
import { InferenceError } from './errors.ts';

/** Resources that a request uses up: all its parts together may use no more than the limit. */
const RESOURCES = {
  values: { noun: 'arrays, objects and texts', variable: 'MAX_VALUES' },
  jsonNumbers: { noun: 'numbers in JSON', variable: 'MAX_JSON_NUMBERS' },
  imagePixels: { noun: 'pixels', variable: 'MAX_IMAGE_PIXELS' },
  textCharacters: { noun: 'characters of text', variable: 'MAX_TEXT_CHARACTERS' },
} as const satisfies Partial<Record<keyof Limits, unknown>>;

export type Resource = keyof typeof RESOURCES;

/**
 * The budget of one request. It is created once, when the request arrives, and passed down to all code that works on
 * it, so that many small parts cannot cost more than one large one.
 */
export interface Budget {
  readonly limits: Limits;
  /** The amount of a resource that is left. */
  left(resource: Resource): number;
  /**
   * Takes some of a resource.
   *
   * @param what the part of the request that needs it, to begin a sentence: `Field "text"`
   * @throws InferenceError PAYLOAD_TOO_LARGE naming the limit when less than that is left
   */
  spend(resource: Resource, amount: number, what: string): void;
  /**
   * Checks whether to continue. Call it before each longer piece of work, because nothing interrupts one.
   *
   * @throws InferenceError CLIENT_GONE when no client waits for the answer, DEADLINE_EXCEEDED when it would come too
   * late, PAYLOAD_TOO_LARGE when the request has taken all its time
   */
  goOn(): void;
  /** @throws InferenceError DEADLINE_EXCEEDED when an answer comes too late from now on */
  inTime(): void;
  /** Milliseconds until an answer comes too late; Infinity if there is no deadline. */
  leftMs(): number;
  /** Milliseconds until the request has taken all its time, or its answer comes too late. */
  workMs(): number;
  /** Aborted when the client has gone, for work that can be interrupted. */
  readonly client: ClientSignal | undefined;
}

/** Aborted when the client of a request has gone: the part of an AbortSignal that is needed, which costs less to make. */
export interface ClientSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface BudgetOptions {
  /** Aborted when the client has gone. */
  readonly signal?: ClientSignal | undefined;
  /** When an answer becomes useless, on the clock `now`; undefined for never. */
  readonly deadlineMs?: number | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export function createBudget(limits: Limits, options: BudgetOptions = {}): Budget {
  return new RequestBudget(limits, options);
}

class RequestBudget implements Budget {
  readonly limits: Limits;
  readonly #options: BudgetOptions;
  readonly #now: () => number;
  readonly #endMs: number;
  readonly #spent: Record<Resource, number> = {
    values: 0,
    jsonNumbers: 0,
    imagePixels: 0,
    textCharacters: 0,
  };

  constructor(limits: Limits, options: BudgetOptions) {
    this.limits = limits;
    this.#options = options;
    this.#now = options.now ?? monotonicMs;
    this.#endMs = this.#now() + limits.requestSeconds * 1000;
  }

  get client(): ClientSignal | undefined {
    return this.#options.signal;
  }

  left(resource: Resource): number {
    return this.limits[resource] - this.#spent[resource];
  }

  spend(resource: Resource, amount: number, what: string): void {
    this.#spent[resource] += amount;
    const limit = this.limits[resource];
    if (this.#spent[resource] > limit) throw overspent(resource, limit, what);
  }

  goOn(): void {
    const { signal, deadlineMs } = this.#options;
    if (signal?.aborted) throw new InferenceError('CLIENT_GONE', 'The client has closed the connection.');
    const nowMs = this.#now();
    checkDeadline(deadlineMs, nowMs);
    if (nowMs <= this.#endMs) return;
    throw new OverspentError(
      `The request takes more than ${this.limits.requestSeconds} seconds, which is the limit (MAX_REQUEST_SECONDS); send less at once.`,
    );
  }

  inTime(): void {
    const { deadlineMs } = this.#options;
    if (deadlineMs !== undefined) checkDeadline(deadlineMs, this.#now());
  }

  leftMs(): number {
    const { deadlineMs } = this.#options;
    return deadlineMs === undefined ? Number.POSITIVE_INFINITY : deadlineMs - this.#now();
  }

  workMs(): number {
    return Math.min(this.leftMs(), this.#endMs - this.#now());
  }
}

/** A request with less time than this was late already: a wait so short says nothing about how long the work takes. */
const LITTLE_TIME_MS = 10;

/**
 * The error for a request that waited in vain. A request that had almost no time left when it began to wait came too
 * late by itself. For all others it is what they waited for, which says more, even if their deadline has passed, too.
 * When the wait ended says nothing: timers fire late, and in any order, while other work keeps the thread.
 *
 * @param hadMs the time that it had left when it began to wait
 */
export function waitedInVain(hadMs: number, reason: () => Error): Error {
  return hadMs < LITTLE_TIME_MS ? tooLate() : reason();
}

/** Node does not support longer timers: it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for work until its time is over. The work itself continues. A result that is there already is taken, however
 * late.
 *
 * @param leftMs called again when the time is over, as the work may have got more time
 * @param late makes the error that is thrown when no time is left
 */
export async function waitInTime<T>(work: Promise<T>, leftMs: () => number, late: () => Error): Promise<T> {
  if (leftMs() > LONGEST_TIMER_MS) return await work;
  let timer: NodeJS.Timeout | undefined;
  const lateness = new Promise<never>((_, reject) => {
    const look = () => {
      const ms = leftMs();
      if (ms > 0) timer = setTimeout(look, ms);
      else reject(late());
    };
    timer = setTimeout(look, Math.max(0, leftMs()));
  });
  try {
    return await Promise.race([work, lateness]);
  } finally {
    clearTimeout(timer);
  }
}

/** The same budget with a deadline that may be nearer: both count. */
export function withDeadline(
  budget: Budget,
  deadlineMs: number | undefined,
  now: () => number = monotonicMs,
): Budget {
  return deadlineMs === undefined ? budget : new NearerBudget(budget, deadlineMs, now);
}

class NearerBudget implements Budget {
  readonly limits: Limits;
  readonly #budget: Budget;
  readonly #deadlineMs: number;
  readonly #now: () => number;

  constructor(budget: Budget, deadlineMs: number, now: () => number) {
    this.limits = budget.limits;
    this.#budget = budget;
    this.#deadlineMs = deadlineMs;
    this.#now = now;
  }

  get client(): ClientSignal | undefined {
    return this.#budget.client;
  }

  left(resource: Resource): number {
    return this.#budget.left(resource);
  }

  spend(resource: Resource, amount: number, what: string): void {
    this.#budget.spend(resource, amount, what);
  }

  goOn(): void {
    this.#budget.goOn();
    checkDeadline(this.#deadlineMs, this.#now());
  }

  inTime(): void {
    this.#budget.inTime();
    checkDeadline(this.#deadlineMs, this.#now());
  }

  leftMs(): number {
    return Math.min(this.#budget.leftMs(), this.#deadlineMs - this.#now());
  }

  workMs(): number {
    return Math.min(this.#budget.workMs(), this.#deadlineMs - this.#now());
  }
}

function checkDeadline(deadlineMs: number | undefined, nowMs: number): void {
  if (deadlineMs !== undefined && nowMs > deadlineMs) throw tooLate();
}

function tooLate(): InferenceError {
  return new InferenceError(
    'DEADLINE_EXCEEDED',
    'The answer was not ready within the timeout of the request.',
  );
}

function monotonicMs(): number {
  return performance.now();
}

/** The request as a whole costs too much: trying its parts one by one would not help. */
export class OverspentError extends InferenceError {
  constructor(message: string) {
    super('PAYLOAD_TOO_LARGE', message);
  }
}

/** @param what the part of the request that needs more, to begin a sentence */
export function overspent(resource: Resource, limit: number, what: string): OverspentError {
  const { noun, variable } = RESOURCES[resource];
  return new OverspentError(
    `${what} brings the request to more than ${limit} ${noun}, which is the limit (${variable}).`,
  );
}
