import { answerStyle } from '../../answers/answer.ts';
import { predictionWriters } from '../../answers/prediction-objects.ts';
import { encodePredictions } from '../../answers/predictions.ts';
import type { Config } from '../../config.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { isTableForm } from '../../inference/table-form.ts';
import { type WritableJson, writeItems } from '../../json/write-json.ts';
import type { AnswerForm } from '../../models/answer-forms.ts';
import type { ModelUsage } from '../../usage.ts';
import type { DecodedBody } from './decode.ts';

/** The answer to a predict request: one prediction, or the list of them for a batch. */
export function encodeResult(
  { input, isBatch }: DecodedBody,
  { output, form }: { readonly output: InferenceOutput; readonly form: AnswerForm },
  { reference, runMs }: ModelUsage,
  config: Config,
): WritableJson {
  const { answerBytes } = config.limits;
  const predictions = isTableForm(form)
    ? encodePredictions(output, answerStyle(config), form).map((prediction) => () => ({ prediction }))
    : predictionWriters(output, input.kind);
  // Whole inputs of a graph can have several instances, of which own code predicts each.
  const [only, ...others] = predictions;
  return {
    ...(isBatch || !only || others.length > 0
      ? { predictions: writeItems(predictions, (write) => write(), answerBytes) }
      : only()),
    model: reference.name,
    model_version: reference.version,
    inference_time_ms: Math.round(runMs * 1000) / 1000,
  };
}
