import * as z from 'zod/mini';
import { isPlainPath } from '../file-manifest.ts';
import { ModelError } from '../model-config.ts';
import { checkFile, type FormatFolder, MLMODEL_FILE, MODEL_FILE } from './format-folder.ts';

// Unused members are not copied: an alias in each of many flavors can stand for a large object.
const mlmodelSchema = z.object({
  flavors: z.record(
    z.string(),
    z.nullable(
      z.object({
        data: z.nullish(z.string()),
        model_class: z.nullish(z.string()),
        model_type: z.nullish(z.string()),
      }),
    ),
  ),
  signature: z.nullish(z.object({ inputs: z.nullish(z.string()), outputs: z.nullish(z.string()) })),
  saved_input_example_info: z.nullish(z.object({ artifact_path: z.string() })),
});

/** The members of MLflow's `MLmodel` that matter. */
export type Mlmodel = z.infer<typeof mlmodelSchema>;

/**
 * Reads the `MLmodel` of a folder that MLflow saved.
 *
 * @returns undefined when there is no `MLmodel`
 * @throws ModelError when it is not valid
 */
export async function readMlmodel(folder: FormatFolder): Promise<Mlmodel | undefined> {
  const text = await folder.read(MLMODEL_FILE);
  if (text === undefined) return undefined;
  // Few starts need it.
  const { readYaml, YamlError } = await import('./yaml.ts');
  try {
    return await checkFile(readYaml(text), MLMODEL_FILE, mlmodelSchema);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ModelError(`its ${MLMODEL_FILE} cannot be read: ${error.message}`, { cause: error });
  }
}

/**
 * The file that holds the graph, below the version's folder.
 *
 * @throws ModelError when the model has no flavour that can be served, or the file does not exist
 */
export function modelFileOf({ flavors }: Mlmodel, { files }: FormatFolder): string {
  const { onnx } = flavors;
  if (!onnx) {
    const names = Object.keys(flavors).join(', ') || 'none';
    throw new ModelError(
      `its ${MLMODEL_FILE} has the flavors ${names}; only models of the flavor onnx can be served`,
    );
  }
  const path = onnx.data ?? MODEL_FILE;
  if (isPlainPath(path) && files.includes(path)) return path;
  throw new ModelError(
    `its ${MLMODEL_FILE} names the file ${JSON.stringify(path.slice(0, 100))}, which does not exist`,
  );
}
