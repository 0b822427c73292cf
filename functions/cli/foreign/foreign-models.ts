import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import { readMlmodel } from '../../../shared/models/formats/mlmodel.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import { shellWord } from '../../shell-word.ts';
import { CommandError } from '../console.ts';
import { exportByScript, FOREIGN_KINDS, type ForeignFile, kindOfName } from './foreign-kinds.ts';
import { recogniseForeignFile } from './recognise-foreign.ts';

/**
 * Refuses a file without a graph. The message has the name that the user wrote, because inside it is called
 * `model.onnx`.
 *
 * @throws CommandError for files of other frameworks, ModelError for any other that is not an ONNX model
 */
export async function checkModelFile(path: string, title: string): Promise<void> {
  try {
    await readModelFile(path);
  } catch (error) {
    // Some files of other frameworks can also be read as empty messages.
    const kind = error instanceof ModelError ? kindOf(path) : undefined;
    if (kind === undefined) throw error;
    throw new CommandError(
      `${JSON.stringify(title)} is ${FOREIGN_KINDS[kind].title}, not an ONNX model; ${FOREIGN_KINDS[kind].advice(title)}.`,
    );
  }
}

/** The kind of a file that is not a graph, by its content, else by its name; undefined for an empty file. */
function kindOf(path: string): ForeignFile | undefined {
  return withFileSource(path, (source) =>
    source.length === 0 ? undefined : (recogniseForeignFile(source) ?? kindOfName(path)),
  );
}

/**
 * Refuses a folder that MLflow saved without a graph.
 *
 * @throws CommandError that says how the model is exported
 */
export async function checkMlflowFolder(path: string, title: string): Promise<void> {
  const flavors = Object.keys((await readFlavors(path)) ?? { onnx: {} });
  if (flavors.includes('onnx')) return;
  const advice = flavors.some((flavor) => EXPORTED_FLAVORS.has(flavor))
    ? exportByScript(title, 'an-mlflow-model')
    : 'export the model that it was made from; see docs/models.md#an-mlflow-model';
  throw new CommandError(
    `${JSON.stringify(title)} is an MLflow model, and onnx is not among its flavors (${flavors.join(', ') || 'none'}); ${advice}.`,
  );
}

/** The flavors from which python/ternion_export.py exports. */
const EXPORTED_FLAVORS: ReadonlySet<string> = new Set([
  'sklearn',
  'xgboost',
  'lightgbm',
  'catboost',
  'keras',
  'tensorflow',
  'pytorch',
  'transformers',
]);

/** The flavors of a folder's MLmodel; undefined if there is none, or it cannot be read: loading it says why. */
async function readFlavors(path: string): Promise<object | undefined> {
  const read = (name: string) => readFile(join(path, name), 'utf8').catch(() => undefined);
  try {
    return (await readMlmodel({ files: [], read, readShared: read }))?.flavors;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return undefined;
  }
}

/** Most files of a folder that are opened, and how many levels of subfolders are searched if it has none itself. */
const MOST_FILES = 100;
const DEEPEST = 2;

/** Kinds of files that say most about what the folder is. */
const DECISIVE: readonly ForeignFile[] = ['lfs', 'savedModel'];
/** Kinds of files that are not models, and that are found beside models of any kind. */
const INDECISIVE: ReadonlySet<ForeignFile> = new Set(['webPage', 'config', 'numpy', 'compressed', 'zip']);

/**
 * What to do with a folder that holds no model of Ternion, as the rest of a sentence after "Its"; undefined if nothing
 * is known about it.
 */
export async function adviseOnFolder(path: string, title: string): Promise<string | undefined> {
  const advice = await adviseOnForeign(path, title);
  if (advice !== undefined) return advice;
  return (await readdir(path)).includes('.git')
    ? 'files are those of a Git clone without an ONNX model: if they are in Git LFS, run git lfs pull; if the model is in a subfolder, name that.'
    : undefined;
}

/** The same for a folder that holds a model of another framework; undefined for other folders. */
export async function adviseOnForeign(path: string, title: string): Promise<string | undefined> {
  const names = await readdir(path);
  if (names.includes('Manifest.json') && names.includes('Data') && extname(path) === '.mlpackage') {
    return `files are those of ${FOREIGN_KINDS.coreMl.title}, not of an ONNX model; ${FOREIGN_KINDS.coreMl.advice()}.`;
  }
  const found = await findForeign(path, '');
  const chosen = DECISIVE.map((kind) => found.find((each) => each.kind === kind)).find(Boolean) ?? found[0];
  if (!chosen) return undefined;
  const { name, kind } = chosen;
  const folder = dirname(name);
  const isHuggingFace = HUGGING_FACE.has(kind) && (await readdir(join(path, folder))).includes('config.json');
  if (isHuggingFace) {
    const model = shellWord(join(title, folder));
    const command = `optimum-cli export onnx --model ${model} ${shellWord(`${basename(join(path, folder))}-onnx`)}`;
    return `${name} has weights that are not in ONNX; export it first: ${command}`;
  }
  return `${name} is ${FOREIGN_KINDS[kind].title}, not an ONNX model; ${FOREIGN_KINDS[kind].advice(join(title, name))}.`;
}

/** The formats in which transformers saves the weights of a model beside its config.json. */
const HUGGING_FACE: ReadonlySet<ForeignFile> = new Set(['safetensors', 'torch', 'pickle', 'hdf5']);

/** The files of other frameworks in a folder; if it has none, those in the first subfolder that has some. */
async function findForeign(
  root: string,
  folder: string,
  depth = 0,
): Promise<readonly { readonly name: string; readonly kind: ForeignFile }[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const names = entries
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .slice(0, MOST_FILES);
  const found: { name: string; kind: ForeignFile }[] = [];
  const subfolders: string[] = [];
  for (const name of names.map((each) => join(folder, each))) {
    const facts = await stat(join(root, name)).catch(() => undefined);
    if (facts?.isDirectory()) subfolders.push(name);
    if (!facts?.isFile()) continue;
    const kind = kindOf(join(root, name));
    if (kind !== undefined && !INDECISIVE.has(kind)) found.push({ name, kind });
  }
  if (found.length > 0 || depth === DEEPEST) return found;
  for (const subfolder of subfolders) {
    const below = await findForeign(root, subfolder, depth + 1);
    if (below.length > 0) return below;
  }
  return [];
}
