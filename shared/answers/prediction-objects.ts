import type { ClassificationPrediction, InferenceOutput } from '../inference/output.ts';
import type { WritableJson } from '../json/write-json.ts';
import { type Label, topK } from '../processing/classification.ts';
import { toNested } from '../tensor/nested.ts';
import type { InputKind } from '../values/input.ts';
import { TOP_LABELS } from './best-labels.ts';
import { nameScores } from './name-scores.ts';

type Members = { readonly [key: string]: WritableJson };

/** One object per row or image. An image can have a thousand classes, so it gets the best five; a row gets all. */
export function predictionObjects(output: InferenceOutput, kind: InputKind): Members[] {
  return predictionWriters(output, kind).map((write) => write());
}

/** What makes each prediction, so that a long answer has no more of them in memory than the one that is written. */
export function predictionWriters(output: InferenceOutput, kind: InputKind): readonly (() => Members)[] {
  switch (output.kind) {
    case 'classification':
      return output.predictions.map(
        (prediction) => () => encodeClassification(prediction, output.labels, kind),
      );
    case 'regression':
      return output.predictions.map((prediction) => () => ({ prediction }));
    case 'embedding':
      return output.predictions.map((tensor) => () => ({
        embedding: toNested(tensor),
        dimensions: tensor.shape.at(-1) ?? 0,
      }));
    case 'tensors':
      return [
        () => ({ outputs: new Map([...output.tensors].map(([name, tensor]) => [name, toNested(tensor)])) }),
      ];
    case 'values':
      return output.predictions.map((prediction) => () => prediction);
  }
}

function encodeClassification(
  { label, classId, scores }: ClassificationPrediction,
  labels: readonly Label[],
  kind: InputKind,
): Members {
  const named = (indices: Iterable<number>) => nameScores(indices, labels, scores);
  const common = { prediction: label, class_id: classId, confidence: scores[classId] };
  return kind === 'image'
    ? { ...common, top_5: named(topK(scores, TOP_LABELS)) }
    : { ...common, probabilities: named(scores.keys()) };
}
