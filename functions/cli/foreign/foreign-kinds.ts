import { basename, dirname, extname } from 'node:path';
import { shellWord } from '../../shell-word.ts';

/** A kind of file that people give instead of a graph. */
interface ForeignKind {
  /** What it is, for messages, with its article. */
  readonly title: string;
  /** What to do, as the rest of a sentence. @param path of the file, as the user wrote it */
  readonly advice: (path: string) => string;
  /** How the names of such files end, in lower case; they decide where the content says nothing. */
  readonly endings?: readonly string[];
}

const ORIGIN = 'export the model that it was made from; see docs/models.md';
const PYTORCH =
  'load it in Python and export the network: torch.onnx.export(model, (example,), "model.onnx"); see docs/models.md#a-pytorch-network';

/** All of them: what each is, what to do with it, and how it is named. */
export const FOREIGN_KINDS = {
  lfs: { title: 'a pointer of Git LFS, not the file itself', advice: () => 'run git lfs pull' },
  webPage: {
    title: 'a web page, perhaps from a failed download',
    advice: () => 'open it to see what the server said, and download the file again',
  },
  torch: {
    title: 'a PyTorch file',
    advice: () => PYTORCH,
    endings: ['.pt', '.pth', '.ckpt', '.bin'],
  },
  torchScript: {
    title: 'a TorchScript archive',
    advice: (path) =>
      `export it in Python: torch.onnx.export(torch.jit.load(${JSON.stringify(path)}), (example,), "model.onnx", dynamo=False)`,
    endings: ['.ptl'],
  },
  torchExport: {
    title: 'a program exported by PyTorch',
    advice: (path) =>
      `export it in Python: torch.onnx.export(torch.export.load(${JSON.stringify(path)}), f="model.onnx")`,
    endings: ['.pt2'],
  },
  sklearn: {
    title: 'a scikit-learn pickle',
    advice: (path) => exportByScript(path, 'a-data-frame-and-scikit-learn'),
  },
  xgboostPickle: { title: 'an XGBoost pickle', advice: (path) => exportByScript(path, 'an-xgboost-model') },
  lightgbmPickle: { title: 'a LightGBM pickle', advice: (path) => exportByScript(path, 'a-lightgbm-model') },
  catboostPickle: { title: 'a CatBoost pickle', advice: (path) => exportByScript(path, 'a-catboost-model') },
  pickle: {
    title: 'a Python pickle',
    advice: (path) => exportByScript(path),
    endings: ['.pkl', '.pickle', '.joblib', '.sav', '.dill'],
  },
  xgboost: {
    title: 'an XGBoost model',
    advice: (path) => exportByScript(path, 'an-xgboost-model'),
    endings: ['.ubj', '.bst'],
  },
  lightgbm: { title: 'a LightGBM model', advice: (path) => exportByScript(path, 'a-lightgbm-model') },
  catboost: {
    title: 'a CatBoost model',
    advice: (path) => exportByScript(path, 'a-catboost-model'),
    endings: ['.cbm'],
  },
  keras: { title: 'a Keras model', advice: exportKeras, endings: ['.keras'] },
  hdf5: {
    title: 'an HDF5 file, in which Keras saves models and weights',
    advice: exportKeras,
    endings: ['.h5', '.hdf5'],
  },
  savedModel: {
    title: 'a TensorFlow SavedModel',
    advice: (path) => {
      const folder = dirname(path);
      const to = folder === '.' ? 'model.onnx' : `${folder}.onnx`;
      return `export it first: python -m tf2onnx.convert --saved-model ${shellWord(folder)} --output ${shellWord(to)}`;
    },
    endings: ['saved_model.pb', 'saved_model.pbtxt'],
  },
  frozenGraph: {
    title: 'a frozen TensorFlow graph',
    advice: (path) =>
      `export it first: python -m tf2onnx.convert --graphdef ${shellWord(path)} --inputs x:0 --outputs y:0 --output model.onnx, with the names of its inputs and outputs`,
    endings: ['.pb'],
  },
  tensorFlowJs: { title: 'a TensorFlow.js model', advice: () => ORIGIN },
  tflite: {
    title: 'a TensorFlow Lite model',
    advice: (path) =>
      `export it first: python -m tf2onnx.convert --tflite ${shellWord(path)} --output ${shellWord(withExtension(path))}`,
    endings: ['.tflite', '.lite'],
  },
  paddle: {
    title: 'a PaddlePaddle model',
    advice: (path) =>
      `export it first: paddle2onnx --model_dir ${shellWord(dirname(path))} --model_filename ${shellWord(basename(path))} --params_filename ${shellWord(basename(path).replace(/\.\w+$/, '.pdiparams'))} --save_file ${shellWord(withExtension(path))}`,
    endings: ['.pdmodel'],
  },
  coreMl: { title: 'a Core ML model', advice: () => ORIGIN, endings: ['.mlmodel'] },
  openVino: { title: 'an OpenVINO model', advice: () => ORIGIN },
  pmml: { title: 'a PMML document', advice: () => ORIGIN, endings: ['.pmml'] },
  safetensors: {
    title: 'a file of weights (safetensors)',
    advice: () => `it has weights but no network: ${PYTORCH}`,
    endings: ['.safetensors'],
  },
  gguf: {
    title: 'a GGUF file, which holds a language model for llama.cpp',
    advice: () => 'Ternion does not serve such language models',
    endings: ['.gguf'],
  },
  ort: {
    title: 'a model in the ORT format',
    advice: () => 'name the .onnx file that it was made from',
    endings: ['.ort'],
  },
  tensorRt: {
    title: 'a TensorRT engine',
    advice: () => 'name the .onnx file that it was made from',
    endings: ['.engine', '.plan', '.trt'],
  },
  torchServe: {
    title: 'a TorchServe archive',
    advice: (path) => unzip(path),
    endings: ['.mar'],
  },
  numpy: {
    title: 'a file of NumPy arrays',
    advice: () => 'it holds arrays, not a network',
    endings: ['.npz', '.npy'],
  },
  zip: { title: 'a zip archive', advice: (path) => unzip(path), endings: ['.zip'] },
  compressed: {
    title: 'a compressed file or archive',
    advice: (path) =>
      /\.(?:joblib|pkl|pickle)(?:\.\w+)?$/i.test(path)
        ? exportByScript(path)
        : 'unpack it and name the folder or the file in it',
  },
  config: {
    title: 'a model.json of Ternion',
    advice: (path) => `name the folder that it is in: ${JSON.stringify(dirname(path))}`,
  },
} as const satisfies Readonly<Record<string, ForeignKind>>;

export type ForeignFile = keyof typeof FOREIGN_KINDS;

const BY_ENDING = Object.entries<ForeignKind>(FOREIGN_KINDS)
  .flatMap(([kind, { endings = [] }]) => endings.map((ending) => ({ kind, ending })))
  .sort((a, b) => b.ending.length - a.ending.length);

/** The kind of a file by its name alone: the longest ending counts, so `saved_model.pb` is not just any `.pb`. */
export function kindOfName(name: string): ForeignFile | undefined {
  const lower = basename(name).toLowerCase();
  const found = BY_ENDING.find(({ ending }) => lower.endsWith(ending));
  return found && isForeignFile(found.kind) ? found.kind : undefined;
}

function isForeignFile(kind: string): kind is ForeignFile {
  return kind in FOREIGN_KINDS;
}

/**
 * The command that runs the exporter of this project, which needs rows of the training data.
 *
 * @param path of a file, or of a folder that MLflow saved
 * @param section of docs/models.md that shows it
 */
export function exportByScript(path: string, section = 'ternion_exportpy'): string {
  const stem = basename(path).replace(/\..*$/, '') || 'model';
  return `export it first: python python/ternion_export.py ${shellWord(path)} rows.csv ${shellWord(`exports/${stem}`)}, where rows.csv has the columns of the training data; see docs/models.md#${section}`;
}

function exportKeras(path: string): string {
  const to = JSON.stringify(withExtension(path));
  return `export it in Python: keras.saving.load_model(${JSON.stringify(path)}).export(${to}, format="onnx"); see docs/models.md#a-keras-network`;
}

function unzip(path: string): string {
  const folder = path.slice(0, path.length - extname(path).length);
  return `unpack it and name the folder: unzip ${shellWord(path)} -d ${shellWord(folder)}`;
}

function withExtension(path: string): string {
  return `${path.slice(0, path.length - extname(path).length)}.onnx`;
}
