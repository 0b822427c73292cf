import type { JsonValue } from '../json/json-value.ts';
import type { MeasurementLabels } from '../measurement-keys.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { Label } from '../processing/classification.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Count } from './measurements.ts';
import type { Schema } from './schema.ts';

/** One thing to predict, as a client sends it: a row of a table as JSON, an encoded image, or a text. */
export type Instance = JsonValue | Uint8Array;

/** Numbers of one row, or of one axis of a tensor. */
export type Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** What a step may return for an instance or a prediction. Members that are undefined are left out. */
export type Returned =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Numbers
  | Tensor
  | readonly Returned[]
  | { readonly [key: string]: Returned };

/** Whole inputs of the graph by name, with the instances on the first axis of each. */
export interface GraphInputs {
  readonly tensors: Readonly<Record<string, Tensor>>;
}

/** The prediction of a classifier for one instance. It has `probabilities`, or `scores` if they are not known to be. */
export type ClassificationResult = {
  readonly prediction: Label;
  /** Index of the label. */
  readonly class_id: number;
  /** Probability of the label. */
  readonly confidence?: number;
  /** By label, in the order of the labels. */
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly scores?: Readonly<Record<string, number>>;
};

/** The prediction of a regression model for one instance. */
export type RegressionResult = {
  readonly prediction: number | readonly number[];
};

/** The vector of one instance. */
export type EmbeddingResult = {
  /** Of shape [dimensions], or [tokens, dimensions] if the model does not pool. */
  readonly embedding: Tensor;
};

/** The outputs of a graph for one instance, by name; or for all of them if they cannot be separated. */
export type OutputsResult = {
  /** Without the axis of instances. */
  readonly outputs: Readonly<Record<string, Tensor>>;
};

/** The prediction for one instance, by the task of the model. */
export type Prediction =
  | ClassificationResult
  | RegressionResult
  | EmbeddingResult
  | OutputsResult
  | { readonly [key: string]: Returned };

/** Writes to the log, with the request and the step. Inputs of clients do not belong there. */
export interface ProcessorLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What a step gets besides its values. */
export interface ProcessorContext<Options, State> {
  /** The options of the step in model.json. They are frozen: all requests share them. */
  readonly options: Options;
  /** What `state` of the step made for this request. */
  readonly state: State;
  readonly model: ModelReference;
  /** Aborted when the answer is too late, when the client leaves, and after the answer. */
  readonly signal: AbortSignal;
  /** When the answer is too late, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  /** The header `traceparent` for requests to others, so that their work belongs to this request in a trace. */
  readonly traceparent: string;
  readonly log: ProcessorLog;
  /**
   * Counts something: `count('unsure')`, `count('rows', 3)` or `count('unsure', { reason: 'blurred' })`. The log line of
   * the request has the sum, and `ternion_own_counts_total` of the metrics the sum of all requests, with the labels.
   */
  readonly count: Count;
  /**
   * Records a number. The log line of the request has how many there were, their sum, the least and the largest, and
   * `ternion_own_values` of the metrics how many there were and their sum, with the labels.
   */
  readonly observe: (name: string, value: number, labels?: MeasurementLabels) => void;
}

/** What a client sends to a model whose first step is before the graph. */
export type Takes = 'features' | 'image' | 'text';

/**
 * A step of own code around the graph. It keeps no state between requests: a server may have several processes.
 *
 * What a step throws is answered with 500 `PROCESSOR_FAILED` and its name; what `invalid` makes, with 400; and what
 * `unavailable` makes, with 503.
 */
export interface ProcessorDefinition<Options, Input, State, Predicted extends Prediction> {
  /** Its name as `step` in `processors` of model.json. */
  readonly name: string;
  /** Its other members there. Without a schema it has none. */
  readonly options?: Schema<Options>;
  /** What clients send, if that is not what the graph takes. */
  readonly takes?: Takes;
  /** Checked for each instance before `before`; another instance is answered with 400. */
  readonly input?: Schema<Input>;
  /** Makes what `before` and `after` of this step share in one request. */
  state?(): State;
  /**
   * Makes what the graph takes.
   *
   * @returns one value for each instance, in order; or the inputs of the graph
   */
  before?(
    instances: readonly Input[],
    context: ProcessorContext<Options, State>,
  ): readonly Returned[] | GraphInputs | Promise<readonly Returned[] | GraphInputs>;
  /**
   * Changes what is answered.
   *
   * @returns one value for each prediction, in order
   */
  after?(
    predictions: readonly Predicted[],
    context: ProcessorContext<Options, State>,
  ): readonly Returned[] | Promise<readonly Returned[]>;
}

/** A step as the server calls it, after it has checked the options and the instances. */
export interface Processor {
  readonly name: string;
  readonly options?: Schema | undefined;
  readonly takes?: Takes | undefined;
  readonly input?: Schema | undefined;
  state?(): unknown;
  before?(instances: readonly unknown[], context: ProcessorContext<unknown, unknown>): unknown;
  after?(predictions: readonly unknown[], context: ProcessorContext<unknown, unknown>): unknown;
}

/** The options of a step without a schema. */
export type NoOptions = Readonly<Record<never, never>>;

/** Defines a step of own code; a model names it in `processors` of its model.json. */
export function defineProcessor<
  Options = NoOptions,
  Input = Instance,
  State = undefined,
  Predicted extends Prediction = Prediction,
>(definition: ProcessorDefinition<Options, Input, State, Predicted>): Processor {
  return definition;
}

/** Marks the errors that `invalid` makes, in whichever copy of this package. */
const INVALID = Symbol.for('ternion.invalid');

/** A mistake of the client, which is answered with 400. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
  readonly [INVALID] = true;
  readonly field: string;
  readonly problem: string;

  constructor(field: string, problem: string) {
    super(`${field} ${problem}`);
    this.field = field;
    this.problem = problem;
  }
}

/**
 * The error for a step to throw when the client sent something wrong.
 *
 * @param field the part of the request, as in `instances[2].customer_id`
 * @param problem what came, and what is expected, to follow the name of the field: `is "x7"; expected a number.`
 */
export function invalid(field: string, problem: string): InvalidInputError {
  return new InvalidInputError(field, problem);
}

export function isInvalidInput(error: unknown): error is InvalidInputError {
  if (!(error instanceof Error && INVALID in error && 'field' in error && 'problem' in error)) return false;
  return typeof error.field === 'string' && typeof error.problem === 'string';
}

/** Marks the errors that `unavailable` makes, in whichever copy of this package. */
const UNAVAILABLE = Symbol.for('ternion.unavailable');

/** Something that a step needs is not there for now, which is answered with 503. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  readonly [UNAVAILABLE] = true;
}

/**
 * The error for a step to throw when something that it needs cannot be reached for now. The client may send the same
 * request again.
 *
 * @param reason for the log; clients do not see it
 */
export function unavailable(reason: string, options?: ErrorOptions): UnavailableError {
  return new UnavailableError(reason, options);
}

export function isUnavailable(error: unknown): error is UnavailableError {
  return error instanceof Error && UNAVAILABLE in error;
}
