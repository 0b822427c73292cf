import type { Context } from 'hono';
import { withDeadline } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import type { Answer, AppEnvironment, Bindings } from '../http/context.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { readBody } from '../http/read-body.ts';
import { readTimeoutMs } from '../http/read-timeout.ts';
import type { ModelChoice, NamedChoice, Used } from '../inference/inference.ts';
import type { InferenceOutput } from '../inference/output.ts';
import { UnsafeIntegerError } from '../json/exact-integers.ts';
import type { JsonValue } from '../json/json-value.ts';
import { parseExactJson } from '../json/parse-json.ts';
import { parseRequestJson } from '../json/request-json.ts';
import type { InferenceInput } from '../values/input.ts';
import { checkCharset } from './body/media.ts';
import type { RequestBody } from './body/payload.ts';
import { type Content, choiceOf, type Handler, type Operation, type ProtocolOptions } from './operation.ts';

/** A request to a model with its body read, for every route and protocol. */
export interface Invocation extends InvocationContext, RequestBody {
  /** The model that its path or its headers name. */
  readonly choice: ModelChoice;
  /**
   * The body as JSON. It is parsed once.
   * @throws InferenceError BAD_REQUEST when it is not JSON
   */
  readonly json: () => JsonValue;
  /**
   * Reads the JSON as far as that can be done without knowing the model.
   * @throws InferenceError
   */
  readonly read: <T>(read: (value: JsonValue) => T) => Reading<T>;
}

/** The part of a body that is read already. The rest is read once it is known what the model takes. */
export interface Reading<T> {
  readonly value: T;
  /**
   * Makes inputs from it, and may run a model on them. If it meets a whole number beyond 2^53 that needs all its
   * digits, which happens before the run, it is called again with a body that was read with all digits.
   */
  bind<R>(bind: (value: T) => R | Promise<R>): Promise<R>;
}

/** The part that is read already of a body that is not JSON. */
export function readingOf<T>(value: T): Reading<T> {
  return { value, bind: async (bind) => await bind(value) };
}

/** Runs the task of the model a request means on its input. */
export async function predictInput(
  invocation: Invocation,
  { inference }: Pick<ProtocolOptions, 'inference'>,
  input: InferenceInput,
): Promise<Used<InferenceOutput>> {
  return await inference.use({ ...invocation.choice, kind: input.kind }, invocation, (model) =>
    model.predict(input),
  );
}

/** The context of a request. */
export type InvocationContext = Pick<Bindings, 'context' | 'budget' | 'encodeError'>;

/** A wire format of the routes that several share: it decodes, uses a model and encodes. */
export type Dialect = (invocation: Invocation, options: ProtocolOptions) => Promise<Answer>;

/** Routes that several servers have, and their formats. They are made above the protocols and passed to them. */
export interface SharedRoutes {
  /** Answers a request in the format of the server that it is written for. */
  readonly invoke: Dialect;
  /** The same for a route with the model that its path or its headers name. */
  readonly answer: (c: Context<AppEnvironment>, choice: NamedChoice) => Promise<Answer>;
  readonly ping: Operation;
  readonly invocations: Operation;
  /** The requests and answers of such routes. */
  readonly request: Content;
  readonly response: Content;
}

/** Answers a request to the model in the path. */
export function runWith(dialect: Dialect, options: ProtocolOptions): Handler {
  return async (c) => await dialect(await readInvocation(c, options, choiceOf(c)), options);
}

/**
 * How a request wants to use a model. The timeout of its client counts from the arrival of the request.
 *
 * @throws InferenceError when the body is missing, cannot be read, or is a text in another charset than UTF-8
 */
export async function readInvocation(
  c: Context<AppEnvironment>,
  { inference }: ProtocolOptions,
  choice: NamedChoice,
): Promise<Invocation> {
  const request = c.req.raw;
  const timeoutMs = readTimeoutMs(request.headers);
  const deadlineMs = timeoutMs === undefined ? undefined : c.env.startMs + timeoutMs;
  const budget = withDeadline(c.env.budget, deadlineMs);
  const { context } = c.env;
  // An unknown model is reported before the body is read.
  const resolved =
    choice.model === undefined ? undefined : inference.resolve(choice, { budget, context, request });
  const reference = resolved instanceof Promise ? await resolved : resolved;
  c.env.named = reference;
  const sent = readBody(request, c.env.budget.limits, c.env.body);
  const body = sent instanceof Promise ? await sent : sent;
  if (body.length === 0) throw new InferenceError('BAD_REQUEST', ['The request body', 'is empty.']);
  const invocation = createInvocation(
    request,
    body,
    { context, encodeError: c.env.encodeError, budget },
    reference === undefined ? choice : { reference },
  );
  checkCharset(invocation);
  // Only a version that a division of the requests has chosen has a variant already.
  if (reference?.variant === undefined || !inference.readsBody(reference.name)) return invocation;
  const again = await inference.resolve(choice, invocation);
  c.env.named = again;
  return { ...invocation, choice: { reference: again } };
}

export function createInvocation(
  request: Request,
  body: Uint8Array,
  { context, budget, encodeError }: InvocationContext,
  choice: ModelChoice,
): Invocation {
  let parsed: { readonly value: JsonValue } | { readonly error: unknown } | undefined;
  const json = (): JsonValue => {
    parsed ??= attempt(() => parseRequestJson(body, budget));
    if ('error' in parsed) throw parsed.error;
    return parsed.value;
  };
  return {
    choice,
    context,
    budget,
    encodeError,
    request,
    mediaType: mediaTypeOf(request.headers),
    body,
    json,
    read: (read) => createReading(json, () => parseExactJson(body, budget.limits.jsonDepth), read),
  };
}

/** @param exactJson the same JSON with all digits */
function createReading<T>(
  json: () => JsonValue,
  exactJson: () => JsonValue,
  read: (value: JsonValue) => T,
): Reading<T> {
  const again = (error: unknown): T => {
    if (error instanceof UnsafeIntegerError) return read(exactJson());
    throw error;
  };
  const first = (): T => {
    try {
      return read(json());
    } catch (error) {
      return again(error);
    }
  };
  const value = first();
  return {
    value,
    bind: async (bind) => {
      try {
        return await bind(value);
      } catch (error) {
        return await bind(again(error));
      }
    },
  };
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}
