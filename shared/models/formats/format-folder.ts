import type * as z from 'zod/mini';
import { checkTextOf, checkValue } from '../../json/check-json.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { ModelError } from '../model-config.ts';

/** The name of a published graph. */
export const MODEL_FILE = 'model.onnx';

/** The file next to the versions of a Triton model. */
export const TRITON_FILE = 'config.pbtxt';

/** The only file of a model that may change; it is next to the folders of its versions. */
export const DEPLOYMENT_FILE = 'deployment.json';

/** The file with MLServer's settings of a model. */
export const SETTINGS_FILE = 'model-settings.json';

/** What MLflow says of a model. */
export const MLMODEL_FILE = 'MLmodel';

/** Files that name the server or the library that had the model before. */
export const SERVER_FILES: readonly string[] = [SETTINGS_FILE, MLMODEL_FILE];

/** The files of one model version, for finding out what kind of model it is. */
export interface FormatFolder {
  /** Paths below the version's folder. */
  readonly files: readonly string[];
  /** The text of one of them; undefined when it does not exist. */
  read(path: string): Promise<string | undefined>;
  /** The text of a file next to the versions, in the folder of the model; undefined when it does not exist. */
  readShared(path: string): Promise<string | undefined>;
}

/** The inputs and outputs of a graph. */
export interface GraphView {
  readonly graph: Graph;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/**
 * Reads a JSON file of a model folder.
 *
 * @returns undefined when the file does not exist
 * @throws ModelError naming the file and each field that is wrong
 */
export async function readJsonFile<T>(
  folder: FormatFolder,
  path: string,
  schema: z.ZodMiniType<T>,
): Promise<T | undefined> {
  const text = await folder.read(path);
  return text === undefined ? undefined : await parseJsonFile(text, path, schema);
}

/** @throws ModelError naming the file and each field that is wrong */
export async function parseJsonFile<T>(text: string, path: string, schema: z.ZodMiniType<T>): Promise<T> {
  const parsed = await checkTextOf(schema, text);
  if (parsed.success) return parsed.data;
  throw new ModelError(`its ${path} ${parsed.problem}`);
}

/** @throws ModelError naming the file and each field that is wrong */
export async function checkFile<T>(value: unknown, path: string, schema: z.ZodMiniType<T>): Promise<T> {
  const parsed = await checkValue(schema, value);
  if (parsed.success) return parsed.data;
  throw new ModelError(`its ${path} is not valid (${parsed.issues})`);
}
