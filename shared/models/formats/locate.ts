import { isPlainPath } from '../file-manifest.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, MLMODEL_FILE, MODEL_FILE, SETTINGS_FILE, TRITON_FILE } from './format-folder.ts';
import { modelFileOf, readMlmodel } from './mlmodel.ts';
import { ARCHIVE_FILE, locateArchivedModel } from './model-archive.ts';

/** The paths of the graph in a version's folder: as published, and as Optimum saves it. */
const MODEL_FILES = [MODEL_FILE, `onnx/${MODEL_FILE}`];

/** Files whose mere presence makes a folder a model version. */
export const VERSION_FILES: readonly string[] = [...MODEL_FILES, MLMODEL_FILE, ARCHIVE_FILE];

/** A graph with any name in the same folders, such as `model_quantized.onnx` or `onnx/model_q4.onnx`. */
const GRAPH_FILE = /^(?:onnx\/)?[^/.][^/]*\.onnx$/i;

/** The files that make a folder a model version, for messages. */
export const VERSION_FILE_NAMES = `*.onnx, onnx/*.onnx, ${MLMODEL_FILE}, ${ARCHIVE_FILE}`;

/** Whether a file makes its folder a model version, by its path below the folder. */
export function isVersionFile(path: string): boolean {
  return VERSION_FILES.includes(path) || GRAPH_FILE.test(path);
}

/** The graphs among the files of a folder, the one with the usual name first. */
export function graphsIn(files: readonly string[]): readonly string[] {
  const usual = MODEL_FILES.filter((path) => files.includes(path));
  return [...usual, ...files.filter((path) => GRAPH_FILE.test(path) && !usual.includes(path)).sort()];
}

/**
 * The file with the graph in a folder: the one that its `model.json` or another file of its format names, else the one
 * with the usual name, else the only one.
 *
 * @throws ModelError when there is no graph, or there are several
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
  throw new ModelError(
    `its ${by} names the file ${JSON.stringify(path.slice(0, 100))}, which does not exist`,
  );
}

/** The manifest of a server is consulted only to choose among several graphs. */
async function pickGraph(folder: FormatFolder): Promise<string> {
  const graphs = graphsIn(folder.files);
  if (graphs.length < 2) return theOnly(graphs);
  const { locateStoredModel } = await import('./kserve.ts');
  return (await locateStoredModel(folder, graphs)) ?? theOnly(graphs);
}

/** Most names that a message lists. */
const SHOWN = 20;

/**
 * Ternion does not guess which of several graphs is meant: exporters write one per precision, and encoders next to
 * decoders.
 */
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

/** Few folders have such a file, and even fewer name their graph in it. */
async function locateTritonModel(folder: FormatFolder): Promise<string | undefined> {
  const text = await folder.readShared(TRITON_FILE);
  if (!text?.includes('default_model_filename')) return undefined;
  return (await import('./triton.ts')).readTritonModelFile(text);
}
