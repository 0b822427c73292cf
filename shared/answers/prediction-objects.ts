import { nameScores } from '../inference/name-scores.ts';
import type { ClassificationPrediction, InferenceOutput } from '../inference/output.ts';
import { rowObject } from '../inference/prediction-results.ts';
import { JsonText, type WritableJson } from '../json/write-json.ts';
import { topK } from '../processing/classification.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { toNested } from '../tensor/nested.ts';
import type { InputKind } from '../values/input.ts';
import { TOP_LABELS } from './best-labels.ts';

type Members = { readonly [key: string]: WritableJson };

/**
 * One object per row or image. An image can have a thousand classes, so its object has the best five; that of a row has
 * all.
 */
export function predictionObjects(output: InferenceOutput, kind: InputKind): Members[] {
  return predictionWriters(output, kind).map((write) => write());
}

/** Functions that make each prediction, so that only the one being written is in memory. */
export function predictionWriters(output: InferenceOutput, kind: InputKind): readonly (() => Members)[] {
  switch (output.kind) {
    case 'classification':
      return output.predictions.map((prediction) => () => encodeClassification(prediction, output, kind));
    case 'regression':
      return output.predictions.map((prediction) => () => ({ prediction }));
    case 'rows':
      return rowWriters(output.tensors);
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
      return output.predictions.map((prediction) => () => membersOf(prediction));
  }
}

/** A prediction that is not an object stands under a name. */
function membersOf(prediction: WritableJson): Members {
  return isMembers(prediction) ? prediction : { prediction };
}

function isMembers(value: WritableJson): value is Members {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && !Array.isArray(value) && !(value instanceof Map) && !(value instanceof JsonText);
}

/** One object a row, made when it is written. */
function rowWriters(tensors: NamedTensors): readonly (() => Members)[] {
  const [first] = tensors.values();
  return Array.from({ length: first?.shape[0] ?? 0 }, (_, row) => () => rowObject(tensors, row));
}

type Classification = Extract<InferenceOutput, { readonly kind: 'classification' }>;

function encodeClassification(
  { label, classId, scores }: ClassificationPrediction,
  { labels, areProbabilities }: Classification,
  kind: InputKind,
): Members {
  const isImage = kind === 'image';
  const named = nameScores(isImage ? topK(scores, TOP_LABELS) : scores.keys(), labels, scores);
  const common = { prediction: label, class_id: classId };
  if (!areProbabilities) return { ...common, scores: named };
  const confidence = scores[classId];
  return isImage ? { ...common, confidence, top_5: named } : { ...common, confidence, probabilities: named };
}
