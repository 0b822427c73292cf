import type { WritableJson } from '../json/write-json.ts';
import type {
  ClassificationResult,
  EmbeddingResult,
  OutputsResult,
  RegressionResult,
} from '../processors/processor.ts';
import type { NamedTensors, Session } from '../runtime/session.ts';
import { toNested } from '../tensor/nested.ts';
import { sliceRows, type Tensor } from '../tensor/tensor.ts';
import { uniqueNames } from './name-scores.ts';
import type { InferenceOutput } from './output.ts';
import { isByInstance } from './run-batch.ts';

/**
 * The predictions of a task, one for each instance, as a step of own code gets them.
 *
 * @param rows how many instances tensors are for, if that is known
 */
export function resultsOf(
  output: InferenceOutput,
  session: Session,
  rows: number | undefined,
): readonly unknown[] {
  switch (output.kind) {
    case 'classification':
      return output.predictions.map(({ label, classId, scores }): ClassificationResult => {
        const names = uniqueNames(output.labels);
        const named = Object.fromEntries(Array.from(scores, (score, id) => [names[id] ?? String(id), score]));
        return output.areProbabilities
          ? {
              prediction: label,
              class_id: classId,
              confidence: scores[classId] ?? Number.NaN,
              probabilities: named,
            }
          : { prediction: label, class_id: classId, scores: named };
      });
    case 'regression':
      return output.predictions.map((prediction): RegressionResult => ({ prediction }));
    case 'embedding':
      return output.predictions.map((embedding): EmbeddingResult => ({ embedding }));
    case 'rows':
      return rowObjects(output.tensors);
    case 'tensors':
      return outputsByRow(output.tensors, session, rows);
    case 'values':
      return output.predictions;
  }
}

/** Each row as an object of all outputs by name; a single number is not wrapped in a list. */
export function rowObjects(tensors: NamedTensors): { readonly [key: string]: WritableJson }[] {
  const [first] = tensors.values();
  return Array.from({ length: first?.shape[0] ?? 0 }, (_, row) => rowObject(tensors, row));
}

export function rowObject(tensors: NamedTensors, row: number): { readonly [key: string]: WritableJson } {
  const cells = [...tensors].map(([name, tensor]): [string, WritableJson] => {
    const { shape, ...cell } = sliceRows(tensor, row, row + 1);
    const isOne = cell.data.length === 1;
    return [name, toNested({ ...cell, shape: isOne ? [] : shape.slice(1) })];
  });
  return Object.fromEntries(cells);
}

/** The outputs of each instance; of all of them together if they have no axis of instances. */
function outputsByRow(
  tensors: NamedTensors,
  session: Session,
  rows: number | undefined,
): readonly OutputsResult[] {
  const areRows = session.outputs.every((spec) => {
    const tensor = tensors.get(spec.name);
    return !tensor || (isByInstance(spec, session) && tensor.shape[0] === rows);
  });
  if (!areRows || rows === undefined) return [{ outputs: Object.fromEntries(tensors) }];
  return Array.from({ length: rows }, (_, row) => ({
    outputs: Object.fromEntries([...tensors].map(([name, tensor]) => [name, rowOf(tensor, row)])),
  }));
}

/** One row without its first axis. */
function rowOf(tensor: Tensor, row: number): Tensor {
  const { shape, ...rest } = sliceRows(tensor, row, row + 1);
  return { ...rest, shape: shape.slice(1) };
}
