import { JsonText, type WritableJson } from '../json/write-json.ts';
import { type Label, topK } from '../processing/classification.ts';
import { type ElementStyle, writeFloat } from '../tensor/write-tensor.ts';

/** How many labels of an image or text an answer has by default. */
export const TOP_LABELS = 5;

/** The best labels with their scores, best first, as the pipelines of Transformers write them. */
export function bestLabels(
  scores: Float64Array,
  labels: readonly Label[],
  count: number,
  style: ElementStyle,
): readonly WritableJson[] {
  return topK(scores, count).map((id) => ({
    label: String(labels[id] ?? id),
    score: writeScore(scores[id], style),
  }));
}

export function writeScore(score: number | undefined, style: ElementStyle): JsonText {
  return new JsonText(writeFloat(score ?? Number.NaN, style));
}
