import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import { shellWord } from '../../shell-word.ts';
import { CommandError } from '../console.ts';
import { FOREIGN_FILES, type ForeignFile, recogniseForeignFile } from './recognise-foreign.ts';

/** Files of other frameworks by their extension, if their content does not say what they are. */
const BY_EXTENSION: Readonly<Record<string, ForeignFile>> = {
  '.pt': 'torch',
  '.pth': 'torch',
  '.ckpt': 'torch',
  '.bin': 'torch',
  '.pkl': 'pickle',
  '.pickle': 'pickle',
  '.joblib': 'pickle',
  '.safetensors': 'safetensors',
  '.h5': 'hdf5',
  '.keras': 'keras',
  '.cbm': 'catboost',
  '.tflite': 'tflite',
  '.mlmodel': 'coreMl',
  '.mar': 'torchServe',
};

/** The command that runs the exporter of this project, which needs rows of the training data. */
function exportByFile(path: string): string {
  const stem = basename(path).replace(/\..*$/, '') || 'model';
  return `export it first: python python/ternion_export.py ${shellWord(path)} rows.csv ${shellWord(`exports/${stem}`)}, where rows.csv has the columns of the training data; see docs/models.md`;
}

/** What to do with each kind. @param path of the file, as the user wrote it */
const ADVICE: Readonly<Record<ForeignFile, (path: string) => string>> = {
  lfs: () => 'run git lfs pull',
  webPage: () => 'open it to see what the server said, and download the file again',
  torch: () =>
    'load it in Python and export the network: torch.onnx.export(model, (example,), "model.onnx"); see docs/models.md',
  torchScript: (path) =>
    `export it in Python: torch.onnx.export(torch.jit.load(${JSON.stringify(path)}), (example,), "model.onnx", dynamo=False)`,
  torchExport: (path) =>
    `export it in Python: torch.onnx.export(torch.export.load(${JSON.stringify(path)}), f="model.onnx")`,
  sklearn: exportByFile,
  xgboostPickle: exportByFile,
  lightgbmPickle: exportByFile,
  catboostPickle: exportByFile,
  pickle: exportByFile,
  xgboost: exportByFile,
  lightgbm: exportByFile,
  catboost: exportByFile,
  keras: exportKeras,
  hdf5: exportKeras,
  savedModel: (path) => {
    const folder = dirname(path);
    const to = folder === '.' ? 'model.onnx' : `${folder}.onnx`;
    return `export it first: python -m tf2onnx.convert --saved-model ${shellWord(folder)} --output ${shellWord(to)}`;
  },
  frozenGraph: (path) =>
    `export it first: python -m tf2onnx.convert --graphdef ${shellWord(path)} --inputs x:0 --outputs y:0 --output model.onnx, with the names of its inputs and outputs`,
  tensorFlowJs: () => 'export the model that it was made from',
  tflite: (path) =>
    `export it first: python -m tf2onnx.convert --tflite ${shellWord(path)} --output ${shellWord(withExtension(path))}`,
  coreMl: () => 'export the model that it was made from',
  openVino: () => 'export the model that it was made from',
  pmml: () => 'export the model that it was made from',
  safetensors: () =>
    'it has weights but no network: load them in Python and export the network; see docs/models.md',
  gguf: () => 'Ternion does not serve such language models',
  ort: () => 'name the .onnx file that it was made from',
  tensorRt: () => 'name the .onnx file that it was made from',
  torchServe: () => 'unpack it (it is a zip) and name the folder',
  numpy: () => 'it holds arrays, not a network',
  zip: () => 'unpack it and name the folder',
  compressed: (path) =>
    /\.(?:joblib|pkl|pickle)(?:\.\w+)?$/i.test(path)
      ? exportByFile(path)
      : 'unpack it and name the folder or the file in it',
  config: (path) => `name the folder that it is in: ${JSON.stringify(dirname(path))}`,
};

function exportKeras(path: string): string {
  const to = JSON.stringify(withExtension(path));
  return `export it in Python: keras.saving.load_model(${JSON.stringify(path)}).export(${to}, format="onnx")`;
}

function withExtension(path: string): string {
  return `${path.slice(0, path.length - extname(path).length)}.onnx`;
}

/**
 * Refuses a file without a graph. The message has the name that the user wrote, because inside it is called
 * `model.onnx`.
 *
 * @throws CommandError for files of other frameworks, ModelError for any other that is not an ONNX model
 */
export function checkModelFile(path: string, title: string): void {
  try {
    readModelFile(path);
  } catch (error) {
    // Some files of other frameworks can also be read as empty messages.
    const kind = error instanceof ModelError ? kindOf(path) : undefined;
    if (kind === undefined) throw error;
    throw new CommandError(
      `${JSON.stringify(title)} is ${FOREIGN_FILES[kind]}, not an ONNX model; ${ADVICE[kind](title)}.`,
    );
  }
}

/** The kind of a file that is not a graph, by its content, else by its name; undefined for an empty file. */
function kindOf(path: string): ForeignFile | undefined {
  return withFileSource(path, (source) =>
    source.length === 0
      ? undefined
      : (recogniseForeignFile(source) ?? BY_EXTENSION[extname(path).toLowerCase()]),
  );
}

/** Most files of a folder that are opened. */
const MOST_FILES = 100;

/** Kinds of files that say most about what the folder is. */
const DECISIVE: readonly ForeignFile[] = ['lfs', 'savedModel'];
/** Kinds of files that are not models, and that are found beside models of any kind. */
const INDECISIVE: ReadonlySet<ForeignFile> = new Set(['webPage', 'config', 'numpy', 'compressed', 'zip']);

/**
 * What to do with a folder that holds a model of another framework, as the rest of a sentence after "Its"; undefined
 * for other folders.
 */
export async function adviseOnFolder(path: string, title: string): Promise<string | undefined> {
  const names = (await readdir(path)).sort();
  if (names.includes('Manifest.json') && names.includes('Data') && extname(path) === '.mlpackage') {
    return `files are those of ${FOREIGN_FILES.coreMl}, not of an ONNX model; ${ADVICE.coreMl(title)}.`;
  }
  const found = await findForeign(path, names);
  const chosen = DECISIVE.map((kind) => found.find((each) => each.kind === kind)).find(Boolean) ?? found[0];
  if (!chosen) {
    return names.includes('.git')
      ? 'files are those of a Git clone without an ONNX model: if they are in Git LFS, run git lfs pull; if the model is in a subfolder, name that.'
      : undefined;
  }
  const { name, kind } = chosen;
  const isHuggingFace = names.includes('config.json') && HUGGING_FACE.has(kind);
  if (isHuggingFace) {
    const command = `optimum-cli export onnx --model ${shellWord(title)} ${shellWord(`${basename(path)}-onnx`)}`;
    return `${name} has weights that are not in ONNX; export it first: ${command}`;
  }
  return `${name} is ${FOREIGN_FILES[kind]}, not an ONNX model; ${ADVICE[kind](join(title, name))}.`;
}

/** The formats in which transformers saves the weights of a model beside its config.json. */
const HUGGING_FACE: ReadonlySet<ForeignFile> = new Set(['safetensors', 'torch', 'pickle', 'hdf5']);

async function findForeign(
  path: string,
  names: readonly string[],
): Promise<readonly { readonly name: string; readonly kind: ForeignFile }[]> {
  const found: { name: string; kind: ForeignFile }[] = [];
  for (const name of names.slice(0, MOST_FILES)) {
    const file = join(path, name);
    if (name.startsWith('.') || !(await stat(file).catch(() => undefined))?.isFile()) continue;
    const kind = kindOf(file);
    if (kind !== undefined && !INDECISIVE.has(kind)) found.push({ name, kind });
  }
  return found;
}
