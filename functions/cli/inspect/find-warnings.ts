import type { Model } from '../../../shared/inference/load-model.ts';
import { batchSizeOf } from '../../../shared/inference/run-batch.ts';
import type { TaskRunner } from '../../../shared/inference/task.ts';
import type { Graph } from '../../../shared/onnx/graph.ts';
import type { ValueInfo } from '../../../shared/onnx/value-info.ts';
import { findUnservedTask } from './find-unserved-task.ts';

/**
 * Warnings about what may surprise the people who serve the model.
 *
 * @param config text of a `config.json` beside the graph
 */
export function findWarnings(
  { contract, format, session, task }: Model,
  graph: Graph,
  config: string | undefined,
): readonly string[] {
  const sent = new Set(session.outputs.map(({ name }) => name));
  const dropped = graph.outputs.filter(({ name }) => !sent.has(name));
  const batchSize = batchSizeOf(session);
  const fixed = batchSize > 0 ? batchSize : undefined;
  const isClassifier = contract.gives === 'classification';
  const isTensors = contract.kind === 'tensors';
  const unserved =
    format === 'ternion'
      ? undefined
      : findUnservedTask({ ...contract, outputs: session.outputs }, graph, config);
  return [
    ...dropped.map(({ name, kind }) => `output "${name}" is a ${kind}, which cannot be sent to clients`),
    ...(fixed !== undefined && !isTensors
      ? [
          `its batch size is fixed, so requests are run ${fixed} at a time; export it with a dynamic batch axis`,
        ]
      : []),
    ...(fixed === undefined
      ? singleRows(
          session.inputs.map(({ name }) => name),
          graph,
        )
      : []),
    ...(isClassifier && !task.labels?.some((label) => typeof label === 'string')
      ? ['its classes have no names: add "labels" to model.json, or a labels.txt']
      : []),
    ...scoreWarnings(task, graph),
    ...(unserved === undefined ? [] : [unserved]),
    ...(isTensors && format === 'onnx' && unserved === undefined
      ? ['nothing says what its tensors mean, so clients send and get tensors; a model.json can name a task']
      : []),
  ];
}

function scoreWarnings({ postprocessor }: TaskRunner, { probabilities }: Graph): readonly string[] {
  const { scoreSteps, areProbabilities, fetches: [output = ''] = [] } = postprocessor ?? {};
  if (!scoreSteps) return [];
  const [step] = scoreSteps;
  if (step && probabilities.has(output)) {
    return [
      `its config asks for ${step.step}, but its output "${output}" already has probabilities: leave the step out of "postprocess"`,
    ];
  }
  return areProbabilities
    ? []
    : [
        `its graph does not say that the output "${output}" has probabilities: answers have "scores" without a "confidence". If they are logits, add a "postprocess" to model.json; if they are probabilities, add "output": {"probabilities": "${output}"}`,
      ];
}

/** An exporter that saw only one row may write that number into the outputs, or even into the graph. */
function singleRows(inputs: readonly string[], graph: Graph): readonly string[] {
  const batches = graph.inputs.filter(({ name }) => inputs.includes(name));
  if (batches.length === 0 || !batches.every(hasDynamicBatch)) return [];
  return graph.outputs
    .filter(({ shape = [] }) => shape.length > 1 && shape[0] === 1)
    .map(
      ({ name, shape = [] }) =>
        `the output "${name}" is [${shape.map((size) => (size === '' ? '?' : size)).join(', ')}] although the batch axis of the input is open: it was exported with an example of one row; export it with two rows to run batches`,
    );
}

function hasDynamicBatch({ shape: [rows = 1] = [] }: ValueInfo): boolean {
  return typeof rows === 'string';
}
