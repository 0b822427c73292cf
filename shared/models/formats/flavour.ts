import type { Flavour } from '../answer-forms.ts';
import { type FormatFolder, MLMODEL_FILE, SETTINGS_FILE } from './format-folder.ts';
import { readInferenceService } from './kserve.ts';
import { type Mlmodel, readMlmodel } from './mlmodel.ts';
import { readModelSettings } from './model-settings.ts';

/** A flavour, and the file that names it. */
export interface NamedFlavour {
  readonly file: string;
  readonly flavour: Flavour;
  /** The flavour of the library, whether a booster was saved or the estimator around it. */
  readonly library: Flavour;
}

/**
 * The flavour that the files of a folder name; undefined if they name none, or one that Ternion does not know.
 *
 * @throws ModelError when such a file is not valid
 */
export async function findFlavour(folder: FormatFolder): Promise<Flavour | undefined> {
  return (await listFlavours(folder))[0]?.flavour;
}

/**
 * The flavours that the files of a folder name, one per file. The server that served the model comes before the library
 * that saved it.
 *
 * @throws ModelError when such a file is not valid
 */
export async function listFlavours(folder: FormatFolder): Promise<readonly NamedFlavour[]> {
  const settings = await readModelSettings(folder);
  const service = await readInferenceService(folder);
  const mlmodel = await readMlmodel(folder);
  const runtime = settings?.implementation?.split('.')[0] ?? '';
  const library = mlmodel && libraryOf(mlmodel);
  const found: readonly (readonly [
    file: string,
    library: Flavour | undefined,
    flavour?: Flavour | undefined,
  ])[] = [
    [SETTINGS_FILE, RUNTIMES.get(runtime)],
    [service?.file ?? '', MODEL_FORMATS.get(service?.modelFormat ?? '')],
    [MLMODEL_FILE, library, library && mlmodel && savedOf(library, mlmodel)],
  ];
  return found.flatMap(([file, library, flavour = library]) =>
    library && flavour ? [{ file, flavour, library }] : [],
  );
}

/** Packages of MLServer's runtimes. The runtime for MLflow serves all flavours, so the `MLmodel` decides. */
const RUNTIMES: ReadonlyMap<string, Flavour> = new Map([
  ['mlserver_sklearn', 'sklearn'],
  ['mlserver_xgboost', 'xgboost'],
  ['mlserver_lightgbm', 'lightgbm'],
  ['mlserver_catboost', 'catboost'],
  ['mlserver_huggingface', 'transformers'],
]);

/** Names of `modelFormat`. Source: kserve/kserve, config/runtimes (`supportedModelFormats`). */
const MODEL_FORMATS: ReadonlyMap<string, Flavour> = new Map([
  ['sklearn', 'sklearn'],
  ['xgboost', 'xgboost'],
  ['lightgbm', 'lightgbm'],
  ['catboost', 'catboost'],
  ['tensorflow', 'tensorflow'],
  ['keras', 'tensorflow'],
  ['pytorch', 'pytorch'],
  ['huggingface', 'transformers'],
]);

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

/**
 * Another library may have saved the model, with the graph next to it; then that library determines the form of the
 * answers.
 */
function libraryOf({ flavors }: Mlmodel): Flavour | undefined {
  const native = Object.keys(flavors).flatMap((name) => MLFLOW_FLAVORS.get(name) ?? []);
  return native[0] ?? (flavors.onnx ? 'mlflow-onnx' : undefined);
}

/**
 * MLflow saves boosters and the estimators around them under the name of their library, and each has its own `predict`.
 * Source: MLflow 3.17, mlflow/xgboost and mlflow/lightgbm (`model_class`), mlflow/catboost (`model_type`).
 */
function savedOf(library: Flavour, { flavors }: Mlmodel): Flavour {
  const { model_class: boosted, model_type: type } = flavors[library] ?? {};
  const isBooster = boosted?.endsWith('.Booster') === true || type === 'CatBoost';
  return (isBooster ? BOOSTERS.get(library) : undefined) ?? library;
}

const BOOSTERS: ReadonlyMap<Flavour, Flavour> = new Map([
  ['xgboost', 'booster'],
  ['lightgbm', 'booster'],
  ['catboost', 'catboost-raw'],
]);
