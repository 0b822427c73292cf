import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { isOneEach } from '../../tensor/tensor.ts';
import { convertsTables } from '../answer-forms.ts';
import type { ModelConfig } from '../model-config.ts';
import type { GraphView } from './format-folder.ts';
import { findScores } from './labels.ts';

/**
 * The config that a graph alone shows. Exports of scikit-learn, XGBoost and LightGBM end in operators of `ai.onnx.ml`,
 * which show whether the graph classifies or predicts numbers. Other graphs of these converters take the rows of a
 * table. Any other graph takes and returns tensors.
 */
export function configOf(view: GraphView): ModelConfig {
  if (!takesColumns(view.inputs)) return { task: 'tensor' };
  if (classifies(view)) return { task: 'tabular-classification', postprocess: [] };
  if (predictsNumbers(view)) return { task: 'tabular-regression' };
  if (!isTable(view)) return { task: 'tensor' };
  return givesNumbers(view) ? { task: 'tabular-regression' } : { task: 'tabular' };
}

/**
 * All outputs with one entry per row of a table: predicted or computed numbers, outliers, clusters, several targets.
 */
function isTable({ graph, outputs }: GraphView): boolean {
  const hasRows = outputs.every(({ batchAxis, isRankDynamic }) => batchAxis !== undefined || isRankDynamic);
  return convertsTables(graph) && hasRows;
}

/** One matrix or column, or several inputs that each say how many columns they have. */
export function takesColumns(inputs: readonly TensorSpec[]): boolean {
  return (
    inputs.length > 0 &&
    inputs.every(
      ({ shape }) => shape.length === 1 || (shape.length === 2 && (inputs.length === 1 || shape[1] !== -1)),
    )
  );
}

/**
 * A ZipMap, or an output of labels whose classes the graph names, together with an output of their scores. Several
 * labels per row, or several ZipMaps, mean several classifiers in one model.
 */
function classifies(view: GraphView): boolean {
  const { graph, outputs } = view;
  const zipMaps = new Set(graph.zipMaps.map(({ output }) => output));
  const zipped = outputs.filter(({ name }) => zipMaps.has(name));
  if (zipped.length > 0) return zipped.length === 1 && !outputs.some(holdsSeveralLabels);
  const scores = findScores(view);
  const [only, ...others] = outputs.filter(({ name }) => graph.classLabels.has(name));
  if (!only || others.length > 0 || outputs.length !== 2 || scores?.shape.length !== 2) return false;
  const width = scores.shape[1] ?? -1;
  return isOneEach(only.shape) && (width === -1 || width === graph.classLabels.get(only.name)?.length);
}

function holdsSeveralLabels({ datatype, shape }: TensorSpec): boolean {
  return DATATYPES[datatype].kind !== 'float' && shape.length === 2 && (shape[1] ?? 1) > 1;
}

function predictsNumbers(view: GraphView): boolean {
  return givesNumbers(view) && view.outputs.every(({ name }) => view.graph.regressions.has(name));
}

/** A number for each row, or a list of numbers. */
function givesNumbers({ outputs }: GraphView): boolean {
  const [only, ...others] = outputs;
  if (!only || others.length > 0) return false;
  return DATATYPES[only.datatype].kind === 'float' && only.shape.length <= 2;
}
