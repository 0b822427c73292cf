import * as z from 'zod';
import type { JsonObject, JsonValue } from '../../json/json-value.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, type GraphView, parseJsonFile } from './format-folder.ts';
import { type Mlmodel, readMlmodel } from './mlmodel.ts';
import { configOf, takesColumns } from './onnx.ts';

const PLACE = 'MLmodel signature';

/** A column of a table, or a tensor; both can be without a name. */
const signatureSchema = z.array(
  z.looseObject({
    type: z.string(),
    name: z.string().optional(),
    'tensor-spec': z.looseObject({}).optional(),
  }),
);

type Signature = z.infer<typeof signatureSchema>;

/** Both forms in which MLflow writes a table. */
const tableSchema = z.union([
  z
    .object({ columns: z.array(z.string()), data: z.array(z.array(z.json())).min(1) })
    .transform(
      ({ columns, data }): JsonObject =>
        Object.fromEntries(
          columns.map((name, index): [string, JsonValue] => [name, data[0]?.[index] ?? null]),
        ),
    ),
  z
    .array(z.record(z.string(), z.json()))
    .min(1)
    .transform(([first]): JsonObject => first ?? {}),
]);

/**
 * A model that MLflow saved: the graph says what it predicts, the signature how its columns are called. A graph that
 * says nothing of itself gives numbers where its signature takes a table.
 *
 * @throws ModelError when the signature is not one of the graph
 */
export async function recogniseMlflow(
  folder: FormatFolder,
  view: GraphView,
): Promise<ModelConfig | undefined> {
  const mlmodel = await readMlmodel(folder);
  if (!mlmodel) return undefined;
  const text = mlmodel.signature?.inputs;
  const signature = text ? parseJsonFile(text, PLACE, signatureSchema) : [];
  const isTable = signature.length > 0 && signature.every((input) => !input['tensor-spec']);
  if (!isTable) checkNames(signature, view.inputs);
  return isTable ? tableConfig(signature, view) : configOf(view);
}

/** The first row of the input example that was saved with the model, as a predict request. */
export async function readMlflowExample(
  folder: FormatFolder,
  config: ModelConfig,
): Promise<JsonObject | undefined> {
  const mlmodel: Mlmodel | undefined = await readMlmodel(folder);
  const path = mlmodel?.saved_input_example_info?.artifact_path;
  if (path === undefined || config.features === undefined) return undefined;
  // A model is served even when its example is broken or too large.
  const text = folder.files.includes(path) ? await folder.read(path).catch(ignoreModelError) : undefined;
  const table = text === undefined ? undefined : tableSchema.safeParse(parseLoosely(text));
  return table?.success ? { features: table.data } : undefined;
}

function ignoreModelError(error: unknown): undefined {
  if (!(error instanceof ModelError)) throw error;
}

function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Tensors with names are the inputs of the graph by these names. */
function checkNames(signature: Signature, inputs: readonly TensorSpec[]): void {
  if (signature.length < 2 && signature[0]?.name === undefined) return;
  const names = inputs.map(({ name }) => name);
  const given = signature.map(({ name = '' }) => name);
  const known = new Set(given);
  if (names.length === given.length && names.every((name) => known.has(name))) return;
  throw new ModelError(
    `its ${PLACE} takes the inputs ${given.join(', ')}, its graph takes ${names.join(', ') || 'none'}`,
  );
}

function tableConfig(signature: Signature, view: GraphView): ModelConfig {
  if (!takesColumns(view.inputs)) return { task: 'tensor' };
  const owners = ownersOf(signature, view.inputs);
  const features = signature.map(({ name = '', type }, index) => {
    const expected = owners[index]?.datatype === 'BYTES' ? ('string' as const) : ('number' as const);
    if ((type === 'string') === (expected === 'string')) return { name, type: expected };
    throw new ModelError(`its ${PLACE} says that "${name}" is a ${type}, its graph takes ${expected}s there`);
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

/** The input that takes each column: the one of its name where there are several, as MLflow feeds them. */
function ownersOf(signature: Signature, inputs: readonly TensorSpec[]): readonly TensorSpec[] {
  const [only, ...others] = inputs;
  if (only && others.length === 0) {
    const width = only.shape[1] ?? 1;
    if (width === -1 || width === signature.length) return signature.map(() => only);
    throw new ModelError(`its ${PLACE} has ${signature.length} columns, its graph takes ${width}`);
  }
  checkNames(signature, inputs);
  const byName = new Map(inputs.map((input) => [input.name, input]));
  return signature.flatMap(({ name = '' }) => byName.get(name) ?? []);
}
