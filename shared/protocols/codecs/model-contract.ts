import type { InputKind } from '../../inference/input.ts';
import type { Model } from '../../inference/load-model.ts';
import { inputKindOf } from '../../inference/task.ts';
import type { Task } from '../../models/model-config.ts';
import type { TensorSpec } from '../../runtime/session.ts';

/** What a model takes, as the codecs need to know it to make tensors of JSON, CSV and the like. */
export interface ModelContract {
  readonly task: Task;
  /** What a request to its task brings. */
  readonly kind: InputKind;
  readonly inputs: readonly TensorSpec[];
  /** Names of the columns of the model's only input, or of its inputs; undefined where the config has none. */
  readonly features: readonly string[] | undefined;
  /** Those of them whose values are texts, digits or not. */
  readonly textFeatures?: readonly string[];
  /** Name of the input that takes encoded images. */
  readonly imageInput: string | undefined;
}

export function contractOf({ config, session, task }: Model): ModelContract {
  return {
    task: config.task,
    kind: inputKindOf(config),
    inputs: session.inputs,
    features: task.features?.map(({ name }) => name),
    textFeatures: task.features?.flatMap(({ name, type }) => (type === 'string' ? [name] : [])) ?? [],
    imageInput: task.encoder?.input.name,
  };
}

/** Names of inputs for an error message. */
export function describeInputs({ inputs }: ModelContract): string {
  return inputs.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';
}
