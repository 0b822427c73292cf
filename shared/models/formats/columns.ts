import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import type { GraphView } from './format-folder.ts';
import { configOf, takesColumns } from './onnx.ts';

/** A column of a table, as a file of a model describes it. */
export interface NamedColumn {
  /** Undefined if the columns are identified by their order. */
  readonly name: string | undefined;
  /** Its type in the words of the file. */
  readonly type: string;
  readonly isText: boolean;
}

/**
 * The config of a model that takes a table, from a file that lists its columns. If the graph does not show what it
 * predicts, it predicts numbers.
 *
 * @param place the file or its part, for errors
 * @throws ModelError when the columns do not match the graph
 */
export function configOfColumns(
  columns: readonly NamedColumn[],
  view: GraphView,
  place: string,
): ModelConfig {
  if (!takesColumns(view.inputs)) return { task: 'tensor' };
  const owners = ownersOf(columns, view.inputs, place);
  const features = columns.map(({ name = '', type, isText }, index) => {
    const expected = owners[index]?.datatype === 'BYTES' ? ('string' as const) : ('number' as const);
    if (isText === (expected === 'string')) return { name, type: expected };
    throw new ModelError(
      `its ${place} says that "${name}" is a ${type}, but its graph takes ${expected}s there`,
    );
  });
  const named = features.every(({ name }) => name !== '') ? { features } : {};
  const config = configOf(view);
  if (config.task.startsWith('tabular')) {
    return { ...config, ...named };
  }
  const [output, ...others] = view.outputs;
  const isNumbers = output && others.length === 0 && DATATYPES[output.datatype].kind === 'float';
  return isNumbers && output.shape.length <= 2
    ? { task: 'tabular-regression', ...named }
    : { task: 'tensor' };
}

/** The input that takes each column: if there are several inputs, the one with the column's name, as in MLflow. */
function ownersOf(
  columns: readonly NamedColumn[],
  inputs: readonly TensorSpec[],
  place: string,
): readonly TensorSpec[] {
  const [only, ...others] = inputs;
  if (only && others.length === 0) {
    const width = only.shape[1] ?? 1;
    if (width === -1 || width === columns.length) return columns.map(() => only);
    throw new ModelError(`its ${place} has ${columns.length} columns, but its graph takes ${width}`);
  }
  checkInputNames(columns, inputs, place);
  const byName = new Map(inputs.map((input) => [input.name, input]));
  return columns.flatMap(({ name = '' }) => byName.get(name) ?? []);
}

/** Named inputs must match the graph's. A single input without a name stands for the graph's only input. */
export function checkInputNames(
  given: readonly { readonly name?: string | undefined }[],
  inputs: readonly TensorSpec[],
  place: string,
): void {
  if (given.length < 2 && given[0]?.name === undefined) return;
  const names = inputs.map(({ name }) => name);
  const said = given.map(({ name = '' }) => name);
  const known = new Set(said);
  if (names.length === said.length && names.every((name) => known.has(name))) return;
  throw new ModelError(
    `its ${place} takes the inputs ${said.join(', ')}, but its graph takes ${names.join(', ') || 'none'}`,
  );
}
