import { readdir } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { readModelFile } from '../../shared/inference/load-model.ts';
import { ModelError } from '../../shared/models/model-config.ts';
import { shellWord } from '../shell-word.ts';
import { CommandError } from './console.ts';

const EXPORT_FIRST = 'export it first, docs/models.md shows how';

/** Files that models are kept in elsewhere, by the ends of their names, and what to do about them. */
const FOREIGN: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['.pt', '.pth', '.ckpt', '.pkl', '.pickle', '.joblib', '.safetensors', '.h5', '.keras', '.bin'].map(
      (extension) => [extension, EXPORT_FIRST],
    ),
  ),
  '.mar': 'it is an archive of TorchServe, so unpack it (it is a zip) and name the folder',
};

/**
 * Refuses a file that holds no graph by the name it was given: inside it is called `model.onnx`.
 *
 * @throws CommandError for files of other frameworks, ModelError for any other that is no ONNX model
 */
export function checkModelFile(path: string, title: string): void {
  try {
    readModelFile(path);
  } catch (error) {
    const advice = FOREIGN[extname(path).toLowerCase()];
    if (!(error instanceof ModelError) || advice === undefined) throw error;
    throw new CommandError(`${JSON.stringify(title)} is not an ONNX model; ${advice}.`);
  }
}

/** What to do with a folder that holds a model of another framework; undefined for other folders. */
export async function adviseOnFolder(path: string, title: string): Promise<string | undefined> {
  const names = (await readdir(path)).sort();
  const foreign = names.find((name) => FOREIGN[extname(name).toLowerCase()] !== undefined);
  if (foreign === undefined) return undefined;
  const advice = FOREIGN[extname(foreign).toLowerCase()];
  if (!names.includes('config.json') || advice !== EXPORT_FIRST) {
    return `${foreign} is not an ONNX model; ${advice}.`;
  }
  const command = `optimum-cli export onnx --model ${shellWord(title)} ${shellWord(`${basename(path)}-onnx`)}`;
  return `${foreign} has weights that are not in ONNX; export it first: ${command}`;
}
