import { predictionWriters } from '../../answers/prediction-objects.ts';
import type { Limits } from '../../config.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { type WritableJson, writeItems } from '../../json/write-json.ts';
import type { ModelUsage } from '../../usage.ts';
import type { DecodedBody } from './decode.ts';

/** The answer to a predict request: one prediction, or the list of them for a batch. */
export function encodeResult(
  { input, isBatch }: DecodedBody,
  output: InferenceOutput,
  { reference, runMs }: ModelUsage,
  { answerBytes }: Limits,
): WritableJson {
  const predictions = predictionWriters(output, input.kind);
  const [only] = predictions;
  return {
    ...(isBatch || !only
      ? { predictions: writeItems(predictions, (write) => write(), answerBytes) }
      : only()),
    model: reference.name,
    model_version: reference.version,
    inference_time_ms: Math.round(runMs * 1000) / 1000,
  };
}
