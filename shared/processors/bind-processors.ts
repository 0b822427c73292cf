import { type Budget, waitInTime } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import { nearestName } from '../json/nearest-name.ts';
import { type ModelConfig, ModelError } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { FieldValue } from '../values/input.ts';
import type { Measurements } from './measurements.ts';
import {
  isInvalidInput,
  type Processor,
  type ProcessorContext,
  type ProcessorLog,
  type Takes,
} from './processor.ts';
import { describeKind } from './returned.ts';
import { parseWith } from './schema.ts';

/** What one request gives the steps of its model. */
export interface ProcessorScope {
  readonly budget: Budget;
  readonly measurements: Measurements;
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
      const signal = lazySignal(scope.budget);
      const contexts = new Map(bound.map((each) => [each, createContext(each, { ...scope, model, signal })]));
      const contextOf = (each: BoundProcessor) => contexts.get(each)?.() ?? never(each);
      return {
        before: (instances) => runBefore(hooksBefore, instances, contextOf, scope.budget),
        after: (predictions) => runAfter(hooksAfter, predictions, contextOf, scope.budget),
      };
    },
  };
}

function never({ processor }: BoundProcessor): never {
  throw new Error(`the step ${processor.name} has no context`);
}

function refuseUnknown(step: string, place: string, known: readonly Processor[]): never {
  const shown = JSON.stringify(step.slice(0, 60));
  const names = known.map(({ name }) => name);
  const near = nearestName(step, names);
  throw new ModelError(
    `its model.json names the step ${shown} in ${place}; this server has ${names.map((name) => `"${name}"`).join(', ')}${near === undefined ? '' : `, perhaps "${near}" was meant`}`,
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
  const parsed = await parseWith(schema, given);
  if ('value' in parsed) return parsed.value;
  throw new ModelError(`its model.json is not valid at ${place}${parsed.place}: ${parsed.message}`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) {
    return value;
  }
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}

interface RequestParts extends ProcessorScope {
  readonly model: ModelReference;
  readonly signal: () => AbortSignal;
}

/** The context of a step is made when the step runs for the first time, and is the same for both of its functions. */
function createContext(
  { processor, options }: BoundProcessor,
  { budget, measurements, model, signal, log }: RequestParts,
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
      log: log(processor.name),
      count: measurements.count,
      observe: measurements.observe,
    });
    return context;
  };
}

/** Node does not support longer timers. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Most steps need no signal, which costs as much as the rest of a small request. */
function lazySignal(budget: Budget): () => AbortSignal {
  let made: AbortSignal | undefined;
  return () => {
    made ??= createSignal(budget);
    return made;
  };
}

function createSignal(budget: Budget): AbortSignal {
  const { client } = budget;
  const left = Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(budget.workMs())));
  const late = AbortSignal.timeout(left);
  if (client === undefined) return late;
  const gone = new AbortController();
  const look = () => {
    if (client.aborted) gone.abort();
  };
  look();
  client.addEventListener('abort', look);
  return AbortSignal.any([late, gone.signal]);
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
    const checked = await checkInstances(processor, given, instances);
    const returned = await call(
      processor.name,
      () => processor.before?.(Object.freeze(checked), contextOf(each)),
      budget,
    );
    prepared = { step: processor.name, returned };
  }
  return prepared;
}

async function checkInstances(
  { input }: Processor,
  given: readonly unknown[],
  instances: readonly FieldValue<unknown>[],
): Promise<unknown[]> {
  if (input === undefined) return [...given];
  const checked: unknown[] = [];
  for (const [index, value] of given.entries()) {
    const parsed = await parseWith(input, value);
    if (!('value' in parsed)) {
      const field = `Field "${instances[index]?.field ?? `instances[${index}]`}${parsed.place}"`;
      throw new InferenceError('INVALID_PARAMETER_VALUE', [field, `is not valid: ${parsed.message}.`]);
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
  const list: readonly unknown[] = returned;
  if (list.length === count) return list;
  throw misreturned(step, `returned ${list.length} values for ${count} instances`);
}

/** A step returned something that cannot be used. The request is right, so it is a failure of the server. */
export function misreturned(step: string, problem: string): InferenceError {
  return new InferenceError('PROCESSOR_FAILED', `The step "${step}" ${problem}.`);
}

/** Calls a function of a step. It waits as long as the request has time. */
async function call(step: string, work: () => unknown, budget: Budget): Promise<unknown> {
  try {
    const made = work();
    const value = isThenable(made)
      ? await waitInTime(
          Promise.resolve(made),
          () => budget.workMs(),
          () => tooSlow(step),
        )
      : made;
    budget.goOn();
    return value;
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    if (isInvalidInput(error)) {
      const { field, problem } = error;
      throw new InferenceError('INVALID_PARAMETER_VALUE', [`Field "${field}"`, problem]);
    }
    throw new InferenceError(
      'PROCESSOR_FAILED',
      `The step "${step}" failed; the log of the server says why.`,
      {
        cause: error,
      },
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
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
