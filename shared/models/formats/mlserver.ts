import type { TensorSpec } from '../../runtime/session.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { checkInputNames, configOfColumns } from './columns.ts';
import { type FormatFolder, type GraphView, SETTINGS_FILE } from './format-folder.ts';
import { type ModelSettings, readModelSettings } from './model-settings.ts';
import { configOf } from './onnx.ts';

type Inputs = NonNullable<ModelSettings['inputs']>;

/**
 * A model with MLServer's `model-settings.json`: the graph says what it predicts, and the metadata of the inputs name
 * the columns of a data frame. The outputs are MLServer's own, so they are ignored.
 *
 * @throws ModelError when the inputs do not match the graph
 */
export async function recogniseMlserver(
  folder: FormatFolder,
  view: GraphView,
): Promise<ModelConfig | undefined> {
  const settings = await readModelSettings(folder);
  if (!settings) return undefined;
  const inputs = settings.inputs ?? [];
  if (areColumns(inputs)) {
    const columns = inputs.map(({ name, datatype }, index) => ({
      name: name === `input-${index}` ? undefined : name,
      type: datatype,
      isText: datatype === 'BYTES',
    }));
    return configOfColumns(columns, view, `${SETTINGS_FILE} inputs`);
  }
  checkTensors(inputs, view.inputs);
  return configOf(view);
}

/**
 * One element per row in each input, as MLServer describes the columns of a data frame. A single input is ambiguous.
 */
function areColumns(inputs: Inputs): boolean {
  return inputs.length > 1 && inputs.every(({ shape: [, ...axes] }) => axes.every((size) => size === 1));
}

/** MLServer ignores the name of a single tensor. */
function checkTensors(inputs: Inputs, specs: readonly TensorSpec[]): void {
  if (inputs.length > 1) checkInputNames(inputs, specs, SETTINGS_FILE);
  const [only, ...more] = specs;
  for (const { name, shape } of inputs) {
    const spec = specs.find((each) => each.name === name) ?? (more.length === 0 ? only : undefined);
    if (!spec || shape.length !== spec.shape.length) continue;
    const isOther = shape.some((size, axis) => ![size, -1].includes(spec.shape[axis] ?? -1) && size !== -1);
    if (!isOther) continue;
    throw new ModelError(
      `its ${SETTINGS_FILE} says that "${name}" has the shape [${shape}], but its graph takes [${spec.shape}]`,
    );
  }
}
