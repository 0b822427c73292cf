import { ModelError } from '../model-config.ts';
import { type FormatFolder, MODEL_FILE } from './format-folder.ts';
import { MLMODEL_FILE, modelFileOf, readMlmodel } from './mlmodel.ts';
import { ARCHIVE_FILE, locateArchivedModel } from './model-archive.ts';

/** Places of the graph in a version's folder: as published, and as Optimum leaves it in a model's own folder. */
const MODEL_FILES = [MODEL_FILE, `onnx/${MODEL_FILE}`];

/** Files that make a folder a model version. */
export const VERSION_FILES: readonly string[] = [...MODEL_FILES, MLMODEL_FILE, ARCHIVE_FILE];

/**
 * The file of a folder that holds the graph.
 *
 * @throws ModelError when there is none
 */
export async function locateModel(folder: FormatFolder): Promise<string> {
  const plain = MODEL_FILES.find((path) => folder.files.includes(path));
  const mlmodel = await readMlmodel(folder);
  if (mlmodel && (plain === undefined || mlmodel.flavors.onnx)) return modelFileOf(mlmodel, folder);
  const found = plain ?? (await locateArchivedModel(folder));
  if (found !== undefined) return found;
  throw new ModelError(`it has none of the files ${VERSION_FILES.join(', ')}`);
}
