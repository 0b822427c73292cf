import { bestLabels, TOP_LABELS } from '../../answers/best-labels.ts';
import { InferenceError, invalid } from '../../errors.ts';
import type { ErrorEncoder } from '../../http/context.ts';
import { errorResponse } from '../../http/respond.ts';
import type { ClassificationPrediction } from '../../inference/output.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { type Label, type ScoreStep, sigmoid, softmax } from '../../processing/classification.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import type { TaskParameters } from './schemas.ts';

const FUNCTIONS = { softmax, sigmoid };

/**
 * The best labels with their scores, best first.
 *
 * @throws InferenceError when the scores cannot be made with the function that the request names
 */
export function labelScores(
  { scores: own }: ClassificationPrediction,
  labels: readonly Label[],
  steps: readonly ScoreStep[],
  { top_k: count, function_to_apply: wanted }: TaskParameters,
  style: ElementStyle,
): readonly WritableJson[] {
  const step = steps.at(-1)?.step ?? 'none';
  const scores = wanted ? applyFunction(own, step, wanted) : own;
  return bestLabels(scores, labels, count?.value ?? TOP_LABELS, style);
}

/** Scores can be made from the values of a graph; scores that its config has made already cannot be converted. */
function applyFunction(
  scores: Float64Array,
  own: ScoreStep['step'] | 'none',
  { value: wanted, field }: NonNullable<TaskParameters['function_to_apply']>,
): Float64Array {
  if (wanted === own) return scores;
  if (own === 'none' && wanted !== 'none') return FUNCTIONS[wanted](scores);
  throw invalid(
    `Field "${field}"`,
    `is "${wanted}"; the config of this model makes its scores with "${own}", so expected "${own}".`,
  );
}

/**
 * An error for Hugging Face's clients: a model that cannot be loaded is answered with 500. After 503 the JavaScript
 * client resends its request at once, forever. Source: innerRequest of `@huggingface/inference`.
 */
export const encodeTaskError: ErrorEncoder = (error, requestId) =>
  errorResponse(
    error.code === 'MODEL_UNAVAILABLE' ? new InferenceError('INTERNAL_ERROR', error.message) : error,
    requestId,
  );
