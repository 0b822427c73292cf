import { isPlainPath } from '../file-manifest.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, MLMODEL_FILE, MODEL_FILE, SETTINGS_FILE, TRITON_FILE } from './format-folder.ts';
import { modelFileOf, readMlmodel } from './mlmodel.ts';
import { ARCHIVE_FILE, locateArchivedModel } from './model-archive.ts';

/** Places of the graph in a version's folder: as published, and as Optimum leaves it in a model's own folder. */
const MODEL_FILES = [MODEL_FILE, `onnx/${MODEL_FILE}`];

/** Files that make a folder a model version by their names. */
export const VERSION_FILES: readonly string[] = [...MODEL_FILES, MLMODEL_FILE, ARCHIVE_FILE];

/** A graph of any name in one of the same places, such as `model_quantized.onnx` or `onnx/model_q4.onnx`. */
const GRAPH_FILE = /^(?:onnx\/)?[^/.][^/]*\.onnx$/i;

/** Which files make a folder a model version, in words. */
export const VERSION_FILE_NAMES = `*.onnx, onnx/*.onnx, ${MLMODEL_FILE}, ${ARCHIVE_FILE}`;

/** Whether a file, by its path below a folder, makes the folder a model version. */
export function isVersionFile(path: string): boolean {
  return VERSION_FILES.includes(path) || GRAPH_FILE.test(path);
}

/** The graphs among the files of a folder, that of the usual name first. */
export function graphsIn(files: readonly string[]): readonly string[] {
  const usual = MODEL_FILES.filter((path) => files.includes(path));
  return [...usual, ...files.filter((path) => GRAPH_FILE.test(path) && !usual.includes(path)).sort()];
}

/**
 * The file of a folder that holds the graph: the one that its `model.json` names, or another file of its format; else the
 * one of the usual name, or the only one.
 *
 * @throws ModelError when there is none, or several
 */
export async function locateModel(folder: FormatFolder, config?: ModelConfig): Promise<string> {
  const named = config ? config.file : await locateTritonModel(folder);
  if (named !== undefined) return checkNamed(named, config ? 'model.json' : TRITON_FILE, folder);
  const stated = await locateSettingsModel(folder);
  if (stated !== undefined) return stated;
  const plain = MODEL_FILES.find((path) => folder.files.includes(path));
  const mlmodel = await readMlmodel(folder);
  if (mlmodel && (plain === undefined || mlmodel.flavors.onnx)) return modelFileOf(mlmodel, folder);
  return plain ?? (await locateArchivedModel(folder)) ?? (await pickGraph(folder));
}

function checkNamed(path: string, by: string, { files }: FormatFolder): string {
  if (isPlainPath(path) && files.includes(path)) return path;
  throw new ModelError(`its ${by} names the file ${JSON.stringify(path.slice(0, 100))}, which is not there`);
}

/** Only of several graphs the manifest of a server is asked which one it served. */
async function pickGraph(folder: FormatFolder): Promise<string> {
  const graphs = graphsIn(folder.files);
  if (graphs.length < 2) return theOnly(graphs);
  const { locateStoredModel } = await import('./kserve.ts');
  return (await locateStoredModel(folder, graphs)) ?? theOnly(graphs);
}

/** Most names that are told. */
const SHOWN = 20;

/** Which of several is meant is not guessed: exporters leave one of each precision, and encoders beside decoders. */
function theOnly(graphs: readonly string[]): string {
  const [first, ...others] = graphs;
  if (first === undefined) {
    throw new ModelError(`it has none of the files ${VERSION_FILE_NAMES}`);
  }
  if (others.length === 0) return first;
  const more = graphs.length > SHOWN ? `, … (${graphs.length} in all)` : '';
  throw new ModelError(
    `it has several graphs: ${graphs.slice(0, SHOWN).join(', ')}${more}; choose one with "file" in its model.json, or with ternion add --file ${first}`,
  );
}

/** Few folders have such a file. */
async function locateSettingsModel(folder: FormatFolder): Promise<string | undefined> {
  if (!folder.files.includes(SETTINGS_FILE)) return undefined;
  const settings = await import('./model-settings.ts');
  return settings.locateSettingsModel(folder, await settings.readModelSettings(folder));
}

/** Few folders have such a file, and fewer name their graph in it. */
async function locateTritonModel(folder: FormatFolder): Promise<string | undefined> {
  const text = await folder.readShared(TRITON_FILE);
  if (!text?.includes('default_model_filename')) return undefined;
  return (await import('./triton.ts')).readTritonModelFile(text);
}
