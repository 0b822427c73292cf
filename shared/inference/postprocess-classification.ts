import { unexpectedOutput } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import { SHARE_ROUNDING } from '../onnx/bounds.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ScoreStep } from '../processing/classification.ts';
import { argmax, type Label, scoreRows } from '../processing/classification.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { isOneEach, type Tensor } from '../tensor/tensor.ts';
import { describeMisfit } from './describe-misfit.ts';
import type { ClassificationPrediction } from './output.ts';
import type { Postprocessor } from './task.ts';

interface ClassificationConfig {
  readonly labels?: readonly Label[] | undefined;
  readonly output?: string | { readonly probabilities: string } | undefined;
  readonly postprocess: readonly ScoreStep[];
}

/**
 * Reads classes and their scores. The class is the graph's own label output if there is one, as scikit-learn's
 * `predict` need not be the largest of its `predict_proba`; otherwise it is that of the largest score. Scores are
 * probabilities if the graph or model.json says so, regardless of their values.
 *
 * @throws ModelError when it is not clear which output holds the scores, or labels and scores differ in number
 */
export function createClassificationPostprocessor(
  session: Session,
  graph: Graph,
  config: ClassificationConfig,
): Postprocessor {
  const { output: stated, postprocess: steps } = config;
  const scoresOutput = findScores(session, graph, typeof stated === 'object' ? stated.probabilities : stated);
  const { name } = scoresOutput;
  const areProbabilities = typeof stated === 'object' || steps.length > 0 || graph.probabilities.has(name);
  const labelOutput = findLabels(session);
  const graphLabels =
    graph.zipMaps.find(({ output }) => output === name)?.labels ??
    (labelOutput && graph.classLabels.get(labelOutput.name));
  const classes = countClasses(scoresOutput);
  const known = config.labels ?? graphLabels;
  const labels = known ?? range(classes);
  const scoresOfTwo: ScoresOfTwo | undefined =
    known?.length !== 2 ? undefined : areProbabilities ? 'probability' : labelOutput ? 'margin' : 'unknown';
  if (classes === 1 && scoresOfTwo) checkOneScore(name, scoresOfTwo, steps);
  else checkClasses(scoresOutput, classes, config.labels, graphLabels);
  const areSwapped = graph.swappedScores.has(name);
  const suits = ([first]: readonly number[], scores: number, rows: number) =>
    first === rows &&
    (known ? scores === known.length || (scores === 1 && scoresOfTwo !== undefined) : scores >= 2);
  const misfit = (outputs: NamedTensors, rows: number) => {
    const size = known?.length ?? 'classes';
    const needs = `a classifier needs [${rows},${size}], one score for each class`;
    const problem = describeMisfit(outputs, name, rows, needs, (shape, each) => suits(shape, each, rows));
    if (problem !== undefined || !labelOutput) return problem;
    const needsLabels = 'a classifier needs one label for each';
    return describeMisfit(outputs, labelOutput.name, rows, needsLabels, (_, each) => each === 1);
  };
  return {
    fetches: labelOutput ? [name, labelOutput.name] : [name],
    labels,
    areProbabilities,
    scoreSteps: steps,
    misfit,
    postprocess: (outputs, { rows: count }) => {
      const problem = misfit(outputs, count);
      if (problem !== undefined) throw unexpectedOutput(`The model's ${problem}.`);
      const scores = outputs.get(name);
      const given = labelOutput && outputs.get(labelOutput.name);
      const own = scores ? scoreRows(scores, steps) : [];
      const both =
        scoresOfTwo && own[0]?.length === 1 ? own.map((row) => scoreBoth(row, labels, scoresOfTwo)) : own;
      const rows = areSwapped ? both.map((row) => row.toReversed()) : both;
      const predictions = rows.map((row, index): ClassificationPrediction => {
        const classId = classOf(given, index, graphLabels, config.labels) ?? argmax(row);
        return { classId, label: labels[classId] ?? classId, scores: row };
      });
      return { kind: 'classification', labels, areProbabilities, predictions, given };
    },
  };
}

/** The meaning of a single score for two classes. */
type ScoresOfTwo = 'probability' | 'margin' | 'unknown';

/** @throws ModelError when labels and scores differ in number */
function checkClasses(
  { name: output, shape, batchAxis = 0 }: TensorSpec,
  classes: number | undefined,
  labels: readonly Label[] | undefined,
  graphLabels: readonly Label[] | undefined,
): void {
  if (classes === undefined) return;
  if (classes < 2 && labels?.length !== classes) {
    throw new ModelError(
      `its output "${output}" has ${classes} score per row, but a classifier needs one per class`,
    );
  }
  for (const [source, given] of [
    ['model.json', labels],
    ['graph', graphLabels],
  ] as const) {
    if (!given || given.length === classes) continue;
    const isRow = shape.toSpliced(batchAxis, 1).filter((size) => size !== 1).length <= 1;
    throw new ModelError(
      isRow
        ? `its ${source} names ${given.length} labels, output "${output}" has ${classes} scores`
        : `its output "${output}" is [${shape}], which is ${classes} scores for each instance; a classifier needs one for each of the ${given.length} labels that its ${source} names`,
    );
  }
}

/** @throws ModelError when it is not clear which of two classes a single score is for */
function checkOneScore(output: string, scoresOfTwo: ScoresOfTwo, steps: readonly ScoreStep[]): void {
  if (steps.some(({ step }) => step === 'softmax')) {
    throw new ModelError(
      `its output "${output}" has one score per row; softmax would always turn it into 1. Use sigmoid to turn a logit into a probability`,
    );
  }
  if (scoresOfTwo !== 'unknown') return;
  throw new ModelError(
    `its output "${output}" has one score for two classes, but its graph does not show what it means: if it is a logit, add "postprocess": [{"step": "sigmoid"}] to model.json; if it is a probability, add "output": {"probabilities": "${output}"}`,
  );
}

function findScores(session: Session, graph: Graph, configured: string | undefined): TensorSpec {
  const candidates = session.outputs.filter(({ datatype }) => DATATYPES[datatype].kind === 'float');
  const zipMaps = new Set(graph.zipMaps.map(({ output }) => output));
  const zipped = candidates.filter(({ name }) => zipMaps.has(name));
  const likely = zipped.length === 1 ? zipped : candidates;
  const found = configured ? session.outputs.filter(({ name }) => name === configured) : likely;
  const [scores] = found;
  if (scores && found.length === 1) return scores;
  const names = session.outputs.map(({ name }) => name).join(', ') || 'none';
  throw new ModelError(
    configured
      ? `its model.json names the output "${configured}", but the graph's outputs are: ${names}`
      : `its model.json must name the "output" that holds the scores: one of ${names}`,
  );
}

/** The predicted labels: the only output of whole numbers or strings with one value per row. */
function findLabels(session: Session): TensorSpec | undefined {
  const candidates = session.outputs.filter(
    ({ datatype, shape }) => ['INT64', 'INT32', 'BYTES'].includes(datatype) && isOneEach(shape),
  );
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** All axes except that of instances, if the graph says how long they are. */
function countClasses({ shape, batchAxis = 0 }: TensorSpec): number | undefined {
  if (shape.length < 2) return undefined;
  const sizes = shape.toSpliced(batchAxis, 1);
  return sizes.includes(-1) ? undefined : sizes.reduce((product, size) => product * size, 1);
}

function range(length: number | undefined): Label[] {
  return Array.from({ length: length ?? 0 }, (_, index) => index);
}

/**
 * The index of a row's predicted label. It is looked up in the graph's own labels, or else in the configured ones;
 * whole numbers are indices only if nothing is configured, as classes need not start at 0.
 */
function classOf(
  given: Tensor | undefined,
  row: number,
  graphLabels: readonly Label[] | undefined,
  labels: readonly Label[] | undefined,
): number | undefined {
  const value = given?.data[row];
  if (value === undefined) return undefined;
  const label = typeof value === 'string' ? value : Number(value);
  const known = graphLabels ?? labels;
  if (known === undefined) return typeof label === 'number' ? label : undefined;
  const index = known.indexOf(label);
  return index === -1 ? undefined : index;
}

/**
 * The scores of both classes if the graph only returns that of the second: the probability from a network that ends in
 * one sigmoid, or the margin of a linear classifier, which is positive for the second class.
 */
function scoreBoth(
  [score = Number.NaN]: Float64Array,
  labels: readonly Label[],
  scoresOfTwo: ScoresOfTwo,
): Float64Array {
  if (scoresOfTwo === 'margin') return Float64Array.of(-score, score);
  if (score < -SHARE_ROUNDING || score > 1 + SHARE_ROUNDING || scoresOfTwo === 'unknown') {
    throw unexpectedOutput(
      `The model gives ${score} for two classes; expected the probability of "${labels[1]}". If this is a logit, add the step "sigmoid" to "postprocess" in its model.json.`,
    );
  }
  const share = Math.min(1, Math.max(0, score));
  return Float64Array.of(1 - share, share);
}
