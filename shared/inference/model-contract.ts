import type { ModelConfig, Task } from '../models/model-config.ts';
import type { RowFormat } from '../processing/tabular.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import type { InputKind } from './input.ts';
import { inputKindOf, type TaskRunner } from './task.ts';

/** What a model takes, as all that makes tensors of JSON, CSV and the like needs to know it. */
export interface ModelContract {
  readonly task: Task;
  /** What a request to its task brings. */
  readonly kind: InputKind;
  readonly inputs: readonly TensorSpec[];
  /** Names of the columns of the model's only input, or of its inputs; undefined where the config has none. */
  readonly features: readonly string[] | undefined;
  /** What the columns of a tabular model hold: one for each, or a single one for them all. */
  readonly columns?: RowFormat['columns'] | undefined;
  /** Name of the input that takes encoded images. */
  readonly imageInput: string | undefined;
}

export function contractOf(config: ModelConfig, session: Session, task: TaskRunner): ModelContract {
  return {
    task: config.task,
    kind: inputKindOf(config),
    inputs: session.inputs,
    features: task.features?.named?.map(({ name }) => name),
    columns: task.features?.columns,
    imageInput: task.encoder?.input.name,
  };
}

/** Names of inputs for an error message. */
export function describeInputs({ inputs }: ModelContract): string {
  return inputs.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';
}
