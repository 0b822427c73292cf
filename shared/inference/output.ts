import type { WritableJson } from '../json/write-json.ts';
import type { Label } from '../processing/classification.ts';
import type { NamedTensors } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { EmbeddingUsage } from '../usage.ts';

export interface ClassificationPrediction {
  readonly label: Label;
  readonly classId: number;
  /** One score per class, in the order of `labels`. */
  readonly scores: Float64Array;
}

/** The result of a task. One prediction per row, image or text, in order. */
export type InferenceOutput =
  | {
      readonly kind: 'classification';
      readonly labels: readonly Label[];
      /** Whether scores are probabilities: margins and logits are not. */
      readonly areProbabilities: boolean;
      readonly predictions: readonly ClassificationPrediction[];
      /** The graph's own labels, one for each instance, if it has such an output; a config can have other names. */
      readonly given?: Tensor | undefined;
    }
  | { readonly kind: 'regression'; readonly predictions: readonly (number | readonly number[])[] }
  | {
      readonly kind: 'embedding';
      /** One vector per instance or, if the model does not pool, a list of vectors (one per token or position). */
      readonly predictions: readonly Tensor[];
      readonly usage: EmbeddingUsage;
    }
  | { readonly kind: 'tensors'; readonly tensors: NamedTensors }
  | RowsOutput
  /** The prediction of another kind of task, or of own code, for each instance, as protocols write it. */
  | { readonly kind: 'values'; readonly predictions: readonly WritableJson[] };

/** The outputs of a tabular model that is not a single classifier or regressor: outliers, clusters, several targets. */
export interface RowsOutput {
  readonly kind: 'rows';
  /** All outputs by name; the first axis of each counts the rows. */
  readonly tensors: NamedTensors;
  /** Name of the output with the predictions: a label for each row, or one for each target. */
  readonly labels: string | undefined;
  /** Names of the outputs with scores: one, or one for each target. */
  readonly scores: readonly string[];
  readonly areProbabilities: boolean;
}
