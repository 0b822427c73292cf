import { unexpectedOutput } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Session } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { describeMisfit } from './describe-misfit.ts';
import type { Postprocessor } from './task.ts';

/** Reads all outputs by row: labels are strings, whole numbers or booleans, scores are other numbers. */
export function createRowsPostprocessor(
  { outputs: specs }: Session,
  graph: Pick<Graph, 'probabilities'>,
): Postprocessor {
  const fetches = specs.map(({ name }) => name);
  const isScore = new Set(
    specs.filter(({ datatype }) => DATATYPES[datatype].kind === 'float').map(({ name }) => name),
  );
  const scores = fetches.filter((name) => isScore.has(name));
  const [labels, ...others] = fetches.filter((name) => !isScore.has(name));
  const areProbabilities = scores.length > 0 && scores.every((name) => graph.probabilities.has(name));
  const known = { labels: others.length === 0 ? labels : undefined, scores, areProbabilities };
  const misfit: Postprocessor['misfit'] = (outputs, rows) =>
    fetches
      .map((name) => describeMisfit(outputs, name, rows, 'a tabular model returns a value for each row'))
      .find((problem) => problem !== undefined);
  return {
    fetches,
    areProbabilities,
    misfit,
    postprocess: (tensors, { rows }) => {
      const problem = misfit(tensors, rows);
      if (problem !== undefined) throw unexpectedOutput(`The model's ${problem}.`);
      return { kind: 'rows', tensors, ...known };
    },
  };
}
