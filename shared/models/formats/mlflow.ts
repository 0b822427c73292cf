import * as z from 'zod/mini';
import type { JsonObject, JsonValue } from '../../json/json-value.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { checkInputNames, configOfColumns } from './columns.ts';
import { type FormatFolder, type GraphView, parseJsonFile } from './format-folder.ts';
import { type Mlmodel, readMlmodel } from './mlmodel.ts';
import { configOf } from './onnx.ts';

const PLACE = 'MLmodel signature';

/** A column of a table, or a tensor; either may lack a name. */
const signatureSchema = z.array(
  z.looseObject({
    type: z.string(),
    name: z.optional(z.string()),
    'tensor-spec': z.optional(z.looseObject({})),
  }),
);

/** Both forms in which MLflow writes a table. */
const tableSchema = z.union([
  z.pipe(
    z.object({ columns: z.array(z.string()), data: z.array(z.array(z.json())).check(z.minLength(1)) }),
    z.transform(
      ({ columns, data }): JsonObject =>
        Object.fromEntries(
          columns.map((name, index): [string, JsonValue] => [name, data[0]?.[index] ?? null]),
        ),
    ),
  ),
  z.pipe(
    z.array(z.record(z.string(), z.json())).check(z.minLength(1)),
    z.transform(([first]): JsonObject => first ?? {}),
  ),
]);

/**
 * A model that MLflow saved: the graph says what it predicts, and the signature names its columns. If the graph does
 * not show what it predicts and the signature takes a table, the model predicts numbers.
 *
 * @throws ModelError when the signature does not match the graph
 */
export async function recogniseMlflow(
  folder: FormatFolder,
  view: GraphView,
): Promise<ModelConfig | undefined> {
  const mlmodel = await readMlmodel(folder);
  if (!mlmodel) return undefined;
  const text = mlmodel.signature?.inputs;
  const signature = text ? await parseJsonFile(text, PLACE, signatureSchema) : [];
  const isTable = signature.length > 0 && signature.every((input) => !input['tensor-spec']);
  if (isTable) {
    const columns = signature.map(({ name, type }) => ({ name, type, isText: type === 'string' }));
    return configOfColumns(columns, view, PLACE);
  }
  checkInputNames(signature, view.inputs, PLACE);
  return configOf(view);
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
