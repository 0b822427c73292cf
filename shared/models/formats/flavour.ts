import type { FormatFolder } from './format-folder.ts';
import { type Mlmodel, readMlmodel } from './mlmodel.ts';

/** What a model was before it became ONNX, as the files of the server name it that served it so far. */
export type Flavour =
  | 'sklearn'
  | 'xgboost'
  | 'lightgbm'
  | 'catboost'
  | 'mlflow-onnx'
  | 'tensorflow'
  | 'pytorch'
  | 'transformers';

/**
 * The flavour that the files of a folder name; undefined where they name none, or one that is not known here.
 *
 * @throws ModelError when such a file is not valid
 */
export async function findFlavour(folder: FormatFolder): Promise<Flavour | undefined> {
  const mlmodel = await readMlmodel(folder);
  return mlmodel && flavourOf(mlmodel);
}

/** Flavors of MLflow by their names in `MLmodel`. Source: MLflow 3.17, the FLAVOR_NAME of each of its modules. */
const MLFLOW_FLAVORS: ReadonlyMap<string, Flavour> = new Map([
  ['sklearn', 'sklearn'],
  ['xgboost', 'xgboost'],
  ['lightgbm', 'lightgbm'],
  ['catboost', 'catboost'],
  ['tensorflow', 'tensorflow'],
  ['keras', 'tensorflow'],
  ['pytorch', 'pytorch'],
  ['transformers', 'transformers'],
  ['sentence_transformers', 'transformers'],
]);

/** A model can have been saved by another library with the graph beside it: that library says how it answered. */
function flavourOf({ flavors }: Mlmodel): Flavour | undefined {
  const native = Object.keys(flavors).flatMap((name) => MLFLOW_FLAVORS.get(name) ?? []);
  return native[0] ?? (flavors.onnx ? 'mlflow-onnx' : undefined);
}
