import { type Budget, waitInTime } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import { makeSpanId, type TraceContext, type TracePlace, toTraceparent } from '../http/trace-context.ts';
import { nearestName } from '../json/nearest-name.ts';
import { type ModelConfig, ModelError } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { FieldValue } from '../values/input.ts';
import { invalidField } from './invalid-field.ts';
import type { Measurements } from './measurements.ts';
import {
  isInvalidInput,
  isUnavailable,
  type Processor,
  type ProcessorContext,
  type ProcessorLog,
  type Takes,
} from './processor.ts';
import { describeKind } from './returned.ts';
import { isThenable, type Parsed, parseWith } from './schema.ts';

/** What one request gives the steps of its model. */
export interface ProcessorScope {
  readonly budget: Budget;
  readonly measurements: Measurements;
  /** The place of the request in a trace; undefined if there is no request. */
  readonly trace: TraceContext | undefined;
  /** @param step the name of the step that writes the line */
  readonly log: (step: string) => ProcessorLog;
}

/** The steps of one model, with their options. */
export interface Processors {
  /** The first step before the graph; undefined if there is none. */
  readonly first: Pick<Processor, 'name' | 'takes'> | undefined;
  /** Whether a step changes the predictions. */
  readonly hasAfter: boolean;
  /** Begins a request. */
  start(scope: ProcessorScope): ProcessorRun;
}

/** The steps of one model in one request. */
export interface ProcessorRun {
  /**
   * Runs all steps before the graph.
   *
   * @param instances with their places in the request
   * @throws InferenceError INVALID_PARAMETER_VALUE for an instance that a step refuses; PROCESSOR_FAILED
   */
  before(instances: readonly FieldValue<unknown>[]): Promise<Prepared>;
  /**
   * Runs all steps after the graph.
   *
   * @returns one value for each prediction
   * @throws InferenceError as above
   */
  after(predictions: readonly unknown[]): Promise<readonly unknown[]>;
  /** Ends the request: what steps started with its signal ends too. */
  end(): void;
}

/** What the last step before the graph returned. */
export interface Prepared {
  /** Name of that step. */
  readonly step: string;
  /** One value for each instance; something else is meant as inputs of the graph. */
  readonly returned: unknown;
}

/** A step with its options for one model. */
interface BoundProcessor {
  readonly processor: Processor;
  readonly options: unknown;
}

/**
 * Finds the steps that a model names in `processors` of its model.json, and checks their options.
 *
 * @param known the steps of this server
 * @throws ModelError for a step that does not exist, and for options that its schema refuses
 */
export async function bindProcessors(
  named: NonNullable<ModelConfig['processors']>,
  known: readonly Processor[],
  model: ModelReference,
): Promise<Processors> {
  const bound: BoundProcessor[] = [];
  for (const [index, { step, ...options }] of named.entries()) {
    const place = `processors[${index}]`;
    const processor = known.find(({ name }) => name === step) ?? refuseUnknown(step, place, known);
    bound.push({ processor, options: deepFreeze(await parseOptions(processor, options, place)) });
  }
  const hooksBefore = bound.filter(({ processor }) => processor.before !== undefined);
  const hooksAfter = bound.filter(({ processor }) => processor.after !== undefined);
  return {
    first: hooksBefore[0]?.processor,
    hasAfter: hooksAfter.length > 0,
    start: (scope) => {
      const signal = createRequestSignal(scope.budget);
      const contexts = new Map(
        bound.map((each) => [each, createContext(each, { ...scope, model, signal: signal.get })]),
      );
      const contextOf = (each: BoundProcessor) => contexts.get(each)?.() ?? never(each);
      return {
        before: (instances) => runBefore(hooksBefore, instances, contextOf, scope.budget),
        after: (predictions) => runAfter(hooksAfter, predictions, contextOf, scope.budget),
        end: signal.end,
      };
    },
  };
}

function never({ processor }: BoundProcessor): never {
  throw new Error(`the step ${processor.name} has no context`);
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function refuseUnknown(step: string, place: string, known: readonly Processor[]): never {
  const shown = JSON.stringify(step.slice(0, 60));
  const names = known.map(({ name }) => name);
  const near = nearestName(step, names);
  const listed = names.length === 0 ? 'no steps' : names.map((name) => `"${name}"`).join(', ');
  throw new ModelError(
    `its model.json names the step ${shown} in ${place}; this server has ${listed}${near === undefined ? '' : `, perhaps "${near}" was meant`}`,
  );
}

async function parseOptions(
  { name, options: schema }: Processor,
  given: Readonly<Record<string, unknown>>,
  place: string,
): Promise<unknown> {
  if (schema === undefined) {
    const [unknown] = Object.keys(given);
    if (unknown === undefined) return {};
    throw new ModelError(
      `its model.json has the member "${unknown}" in ${place}; the step "${name}" has no options`,
    );
  }
  const parsed = await checkOptions(schema, given, { name, place });
  if ('value' in parsed) return parsed.value;
  throw new ModelError(`its model.json is not valid at ${place}${parsed.place}: ${parsed.message}`);
}

async function checkOptions(
  schema: NonNullable<Processor['options']>,
  given: unknown,
  { name, place }: { readonly name: string; readonly place: string },
): Promise<Parsed<unknown>> {
  try {
    return await parseWith(schema, given);
  } catch (cause) {
    throw new ModelError(`the step "${name}" failed to check its options in ${place} of its model.json`, {
      cause,
    });
  }
}

/** Freezes lists and plain objects. A schema can make others, such as regular expressions, which work only unfrozen. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || !isPlain(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null;
}

interface RequestParts extends ProcessorScope {
  readonly model: ModelReference;
  readonly signal: () => AbortSignal;
}

/** The context of a step is made when the step runs for the first time, and is the same for both of its functions. */
function createContext(
  { processor, options }: BoundProcessor,
  { budget, measurements, model, signal, log, trace }: RequestParts,
): () => ProcessorContext<unknown, unknown> {
  let context: ProcessorContext<unknown, unknown> | undefined;
  return () => {
    context ??= Object.freeze({
      options,
      state: processor.state?.(),
      model: Object.freeze({ ...model }),
      get signal() {
        return signal();
      },
      deadlineMs: performance.now() + budget.workMs(),
      traceparent: toTraceparent(trace ?? makeTrace()),
      log: log(processor.name),
      count: measurements.count,
      observe: measurements.observe,
    });
    return context;
  };
}

/** Work that belongs to no request, such as that of a command, begins a trace. */
function makeTrace(): TracePlace {
  return { traceId: makeSpanId() + makeSpanId(), spanId: makeSpanId(), isSampled: undefined };
}

/** Node does not support longer timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The signal of one request. Most steps need none, and it costs as much as the rest of a small request. */
interface RequestSignal {
  get(): AbortSignal;
  /** Aborts it, as nobody waits any more, and lets go of the timer and the client. */
  end(): void;
}

function createRequestSignal(budget: Budget): RequestSignal {
  let made: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;
  const { client } = budget;
  const leave = () => made?.abort();
  const startTimer = () => {
    const leftMs = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(budget.workMs())));
    timer = setTimeout(late, leftMs).unref();
  };
  const late = () => {
    // A timer can be early by a part of a millisecond, and then it would not be the time that ended the step.
    if (budget.workMs() > 0) startTimer();
    else made?.abort(new DOMException('The time of the request is over.', 'TimeoutError'));
  };
  return {
    get: () => {
      if (made !== undefined) return made.signal;
      made = new AbortController();
      if (hasEnded || client?.aborted) {
        leave();
        return made.signal;
      }
      startTimer();
      client?.addEventListener('abort', leave);
      return made.signal;
    },
    end: () => {
      hasEnded = true;
      if (made === undefined) return;
      clearTimeout(timer);
      client?.removeEventListener('abort', leave);
      leave();
    },
  };
}

type ContextOf = (each: BoundProcessor) => ProcessorContext<unknown, unknown>;

async function runBefore(
  steps: readonly BoundProcessor[],
  instances: readonly FieldValue<unknown>[],
  contextOf: ContextOf,
  budget: Budget,
): Promise<Prepared> {
  let prepared: Prepared = { step: '', returned: instances.map(({ value }) => value) };
  for (const each of steps) {
    const { processor } = each;
    const given = listOf(prepared, instances.length);
    const { input, name } = processor;
    const checked =
      input === undefined
        ? [...given]
        : await call(name, () => checkInstances(input, given, instances), budget);
    const returned = await call(
      name,
      () => processor.before?.(Object.freeze(checked), contextOf(each)),
      budget,
    );
    prepared = { step: processor.name, returned };
  }
  return prepared;
}

/** Only schemas that ask somebody else take time, and these one instance after the other. */
async function checkInstances(
  input: NonNullable<Processor['input']>,
  given: readonly unknown[],
  instances: readonly FieldValue<unknown>[],
): Promise<unknown[]> {
  const checked: unknown[] = [];
  for (const [index, value] of given.entries()) {
    const result = parseWith(input, value);
    const parsed = isThenable(result) ? await result : result;
    if (!('value' in parsed)) {
      const field = `${instances[index]?.field ?? `instances[${index}]`}${parsed.place}`;
      throw invalidField(field, `is not valid: ${parsed.message.replace(/\.$/, '')}.`);
    }
    checked.push(parsed.value);
  }
  return checked;
}

async function runAfter(
  steps: readonly BoundProcessor[],
  predictions: readonly unknown[],
  contextOf: ContextOf,
  budget: Budget,
): Promise<readonly unknown[]> {
  let current = predictions;
  for (const each of steps) {
    const { processor } = each;
    const returned = await call(
      processor.name,
      () => processor.after?.(Object.freeze([...current]), contextOf(each)),
      budget,
    );
    current = listOf({ step: processor.name, returned }, predictions.length);
  }
  return current;
}

/**
 * What a step returned, as a list with a value for each instance.
 *
 * @throws InferenceError PROCESSOR_FAILED
 */
export function listOf({ step, returned }: Prepared, count: number): readonly unknown[] {
  if (!Array.isArray(returned))
    throw misreturned(step, `returned ${describeKind(returned)}; expected an array`);
  // A hole becomes undefined: methods of arrays would skip it.
  const list: readonly unknown[] = Array.from(returned);
  if (list.length === count) return list;
  throw misreturned(step, `returned ${countOf(list.length, 'value')} for ${countOf(count, 'instance')}`);
}

/** A step returned something that cannot be used. The request is right, so it is a failure of the server. */
export function misreturned(step: string, problem: string): InferenceError {
  return new InferenceError('PROCESSOR_FAILED', `The step "${step}" ${problem}.`);
}

/** Calls a function of a step. It waits as long as the request has time, and a client is there. */
async function call<T>(step: string, work: () => T | PromiseLike<T>, budget: Budget): Promise<T> {
  budget.goOn();
  try {
    const made = work();
    const value = isThenable(made) ? await waitForStep(step, Promise.resolve(made), budget) : made;
    checkStepTime(step, budget);
    return value;
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    if (isInvalidInput(error)) throw invalidField(error.field, error.problem);
    // What a step started with its signal fails when nobody waits for it.
    checkStepTime(step, budget);
    if (isUnavailable(error)) {
      const message = `The step "${step}" cannot reach what it needs; the log of the server says why.`;
      throw new InferenceError('TEMPORARILY_UNAVAILABLE', message, { cause: error });
    }
    const message = `The step "${step}" failed; the log of the server says why.`;
    throw new InferenceError('PROCESSOR_FAILED', message, { cause: error });
  }
}

/**
 * Checks whether to continue after a step. The clock decides, and not which came first, the end of the step or the timer
 * that waits for it: if the time is over, the step took too long.
 */
function checkStepTime(step: string, budget: Budget): void {
  if (!budget.client?.aborted && budget.workMs() <= 0) throw tooSlow(step);
  budget.goOn();
}

async function waitForStep<T>(step: string, work: Promise<T>, budget: Budget): Promise<T> {
  const { client } = budget;
  const inTime = waitInTime(
    work,
    () => budget.workMs(),
    () => tooSlow(step),
  );
  if (client === undefined) return await inTime;
  let leave = () => {};
  const gone = new Promise<never>((_, reject) => {
    leave = () => {
      try {
        budget.goOn();
      } catch (error) {
        reject(error);
      }
    };
  });
  client.addEventListener('abort', leave);
  try {
    return await Promise.race([inTime, gone]);
  } finally {
    client.removeEventListener('abort', leave);
  }
}

function tooSlow(step: string): InferenceError {
  return new InferenceError(
    'DEADLINE_EXCEEDED',
    `The step "${step}" did not end within the time of the request.`,
  );
}

/** What clients send to a model whose first step has not said it. */
export function takesOf({ takes }: Pick<Processor, 'takes'>, kind: string): Takes {
  if (takes !== undefined) return takes;
  return kind === 'image' || kind === 'text' ? kind : 'features';
}
