import type { WritableJson } from '../json/write-json.ts';
import type { Label } from '../processing/classification.ts';
import type { NamedTensors } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';

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
      /** Whether scores are probabilities: margins and logits are not. */
      readonly areProbabilities: boolean;
      readonly predictions: readonly ClassificationPrediction[];
      /** The labels as the graph gives them, one for each instance, where it does; a config can have other names. */
      readonly given?: Tensor | undefined;
    }
  | { readonly kind: 'regression'; readonly predictions: readonly (number | readonly number[])[] }
  | {
      readonly kind: 'embedding';
      /** A vector each, or a list of vectors (one per token or place) where the model does not pool. */
      readonly predictions: readonly Tensor[];
    }
  | { readonly kind: 'tensors'; readonly tensors: NamedTensors }
  | RowsOutput
  /** What a task of its own kind makes of each instance, as protocols write it. */
  | { readonly kind: 'values'; readonly predictions: readonly PredictedValue[] };

/** The outputs of a table that is neither classified nor regressed alone: outliers, clusters, several targets. */
export interface RowsOutput {
  readonly kind: 'rows';
  /** All outputs by name; the first axis of each are the rows. */
  readonly tensors: NamedTensors;
  /** Name of the output that holds what was predicted: a label for each row, or one for each target. */
  readonly labels: string | undefined;
  /** Names of the outputs that hold numbers: one, or one for each target. */
  readonly scores: readonly string[];
  readonly areProbabilities: boolean;
}

/** The members of a prediction, such as the boxes that a detector has found. */
export type PredictedValue = Readonly<Record<string, WritableJson>>;
