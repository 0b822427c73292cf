import type { Model } from '../inference/load-model.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { ModelReference } from '../models/model-repository.ts';
import type { TensorSpec } from '../runtime/session.ts';

/** All there is to say of a model version. */
export function encodeModel(
  { reference, config, format, session, task, example }: Model,
  versions: readonly string[],
): WritableJson {
  return {
    name: reference.name,
    version: reference.version,
    versions,
    format,
    task: config.task,
    description: config.description,
    labels: task.labels,
    features: task.features?.map((feature) => ({ ...feature })),
    inputs: session.inputs.map(encodeSpec),
    outputs: session.outputs.map(encodeSpec),
    metrics: config.metrics,
    example,
    ...encodeNames(reference),
  };
}

/** How TorchServe and SageMaker's multi-model endpoints call a model and where it is; ours is inside the repository. */
export function encodeNames({ name, version }: ModelReference) {
  return { modelName: name, modelUrl: `${name}/${version}/model.onnx` };
}

/** A tensor of a graph, as the Open Inference Protocol has it. */
export function encodeSpec({ name, datatype, shape }: TensorSpec): WritableJson {
  return { name, datatype, shape };
}
