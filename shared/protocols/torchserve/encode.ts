import { TOP_LABELS, writeScore } from '../../answers/best-labels.ts';
import { encodePredictions } from '../../answers/predictions.ts';
import { nameScores } from '../../inference/name-scores.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { topK } from '../../processing/classification.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';

/** How many labels an image or a text gets. */

/** The best labels with their probabilities; other outputs unchanged. */
export function encodeScores(output: InferenceOutput, style: ElementStyle): readonly WritableJson[] {
  if (output.kind !== 'classification') return encodePredictions(output, style);
  return output.predictions.map(({ scores }) =>
    nameScores(topK(scores, TOP_LABELS), output.labels, scores, (score) => writeScore(score, style)),
  );
}

/** The answer to several items is a list; the answer to a single item is not in a list. */
export function unlist(items: readonly WritableJson[], isList: boolean): WritableJson {
  return isList ? items : items[0];
}
