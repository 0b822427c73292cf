import type { ProtocolName } from '../config.ts';
import type { Answering, Flavour } from '../models/answer-forms.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { InputKind } from './input.ts';
import type { RowFormat } from './row.ts';

/** What a task gives for each instance. */
export type OutputKind = 'classification' | 'regression' | 'rows' | 'embedding' | 'tensors' | 'values';

/** What a model takes: all that code needs to make tensors from JSON, CSV and other formats. */
export interface ModelContract {
  /** Name of its task. */
  readonly task: string;
  /** The kind of input that its task takes. */
  readonly kind: InputKind;
  /** What its task gives for each instance. */
  readonly gives: OutputKind;
  /** Its inputs. Those of a table take missing numbers only if the graph does; all others may. */
  readonly inputs: readonly TensorSpec[];
  /** Names of the columns of the model's only input, or of its inputs; undefined if the config has none. */
  readonly features: readonly string[] | undefined;
  /** What the columns of a tabular model hold: one for each, or a single one for them all. */
  readonly columns?: RowFormat['columns'] | undefined;
  /** Name of the input that takes encoded images. */
  readonly imageInput: string | undefined;
  /** The form of its answers on a route that some protocols share: that of the first protocol that its config names. */
  readonly answering: (protocols: readonly [ProtocolName, ...ProtocolName[]]) => Answering;
  /** Outputs that are maps by label in the file, and tensors here, with the labels. */
  readonly maps: ReadonlyMap<string, readonly (string | number)[]>;
  /** The kind of model before its export, as far as that is known. */
  readonly flavour: Flavour | undefined;
  /** How it takes texts; undefined if texts are values like others to it. */
  readonly textInput?: TextInput | undefined;
}

/** The place of texts among the inputs of a text model. */
export interface TextInput {
  /**
   * Its only input, if the graph takes texts itself; otherwise the name that stands for texts next to the inputs of
   * tokens.
   */
  readonly name: string;
  /** Whether the graph takes something other than the original texts: tokens, or texts with a prompt before them. */
  readonly isPrepared: boolean;
  /** Whether two texts can be one instance. */
  readonly takesPairs: boolean;
}

/** Names of inputs for an error message. */
export function describeInputs({ inputs, textInput }: ModelContract): string {
  const names = inputs.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';
  const takesTokens = textInput && !inputs.some(({ name }) => name === textInput.name);
  return takesTokens ? `${names}, or texts alone` : names;
}
