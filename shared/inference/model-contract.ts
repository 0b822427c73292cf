import type { RowFormat } from '../processing/tabular.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import type { InputKind } from './input.ts';
import type { OutputKind, TaskRunner } from './task.ts';

/** What a model takes, as all that makes tensors of JSON, CSV and the like needs to know it. */
export interface ModelContract {
  /** Name of its task. */
  readonly task: string;
  /** What a request to its task brings. */
  readonly kind: InputKind;
  /** What its task gives for each instance. */
  readonly gives: OutputKind;
  readonly inputs: readonly TensorSpec[];
  /** Names of the columns of the model's only input, or of its inputs; undefined where the config has none. */
  readonly features: readonly string[] | undefined;
  /** What the columns of a tabular model hold: one for each, or a single one for them all. */
  readonly columns?: RowFormat['columns'] | undefined;
  /** Name of the input that takes encoded images. */
  readonly imageInput: string | undefined;
}

export function contractOf(
  task: Pick<ModelContract, 'task' | 'kind' | 'gives'>,
  session: Session,
  { preprocessor }: TaskRunner,
): ModelContract {
  return {
    ...task,
    inputs: session.inputs,
    features: preprocessor?.features?.named?.map(({ name }) => name),
    columns: preprocessor?.features?.columns,
    imageInput: preprocessor?.imageInput,
  };
}

/** Names of inputs for an error message. */
export function describeInputs({ inputs }: ModelContract): string {
  return inputs.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';
}
