import type { Budget } from '../budget.ts';
import { invalid } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { Label } from '../processing/classification.ts';
import type { NamedTensors } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A part of a request with its place in it, for error messages: `instances[2]`, `file`. */
export interface Located<T> {
  readonly value: T;
  readonly field: string;
}

/** What a request brings, before any model has looked at it. */
export type InferenceInput =
  | { readonly kind: 'features'; readonly rows: readonly Located<JsonValue>[] }
  | { readonly kind: 'image'; readonly images: readonly Located<Uint8Array>[] }
  | { readonly kind: 'text'; readonly texts: readonly Located<string>[] }
  | { readonly kind: 'tensors'; readonly tensors: Located<JsonValue> };

export type InputKind = InferenceInput['kind'];

export interface InferenceRequest {
  /** Undefined: the default model, or the only one that takes this kind of input. */
  readonly model: string | undefined;
  /** Undefined: the live version. */
  readonly version: string | undefined;
  readonly input: InferenceInput;
  /** What the request may cost; one of its own by default. */
  readonly budget?: Budget | undefined;
}

export interface ClassificationPrediction {
  readonly label: Label;
  readonly classId: number;
  /** One score per class, in the order of `labels`. */
  readonly scores: Float64Array;
}

/** What a task makes of the outputs. One prediction per row, image or text, in order. */
export type InferenceOutput =
  | {
      readonly kind: 'classification';
      readonly labels: readonly Label[];
      readonly predictions: readonly ClassificationPrediction[];
    }
  | { readonly kind: 'regression'; readonly predictions: readonly (number | readonly number[])[] }
  | {
      readonly kind: 'embedding';
      /** A vector each, or a list of vectors (one per token or place) where the model does not pool. */
      readonly predictions: readonly Tensor[];
    }
  | { readonly kind: 'tensors'; readonly tensors: NamedTensors }
  /** What a task of its own kind makes of each instance, as protocols write it. */
  | { readonly kind: 'values'; readonly predictions: readonly PredictedValue[] };

/** The members of a prediction, such as the boxes that a detector has found. */
export type PredictedValue = Readonly<Record<string, WritableJson>>;

/** What each kind of input is called when a request brings the wrong one. */
const INPUT_NAMES: Record<InputKind, string> = {
  features: 'features, as {"features": [...]}',
  image: 'an image, as a file or as {"image": "<base64>"}',
  text: 'text, as {"text": "..."}',
  tensors: 'tensors, as {"inputs": {...}}',
};

/**
 * The input as the one kind a model takes.
 *
 * @throws InferenceError when it is of another kind
 */
export function expectInput<K extends InputKind>(
  input: InferenceInput,
  kind: K,
): Extract<InferenceInput, { kind: K }> {
  if (isInput(input, kind)) return input;
  throw invalid(`The request brings ${INPUT_NAMES[input.kind]}; this model takes ${INPUT_NAMES[kind]}.`);
}

function isInput<K extends InputKind>(
  input: InferenceInput,
  kind: K,
): input is Extract<InferenceInput, { kind: K }> {
  return input.kind === kind;
}
