import type { ProtocolName } from '../config.ts';
import type { Graph } from '../onnx/graph.ts';

/**
 * The forms in which a model of tables is answered:
 * - `objects`: an object for each row. Ternion's own routes give the prediction with its scores, all others give the
 *   outputs of the graph by their names, or the only output without its name.
 * - `labels`: what the estimator's `predict` gave: a label for each row, or the number of a regressor.
 * - `values`: what the `predict` of a booster gave: a number for each row, which is the probability of the second class
 *   where there are two, and a list of scores where there are more.
 * - `probabilities`: what the estimator's `predict_proba` gave: a list for each row.
 * - `columns`: whole outputs of the graph by their names.
 */
export const ANSWER_FORMS = ['objects', 'labels', 'values', 'probabilities', 'columns'] as const;
export type AnswerForm = (typeof ANSWER_FORMS)[number];

/** Forms by protocol. */
export type AnswerForms = Readonly<Partial<Record<ProtocolName, AnswerForm>>>;

/** How a model is answered on a route. */
export interface Answering {
  readonly form: AnswerForm;
  /** Whether its config says so. */
  readonly isStated: boolean;
}

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

const ESTIMATOR: AnswerForms = { mlflow: 'labels', 'azure-ml': 'labels' };
const LABELS: AnswerForms = {
  ...ESTIMATOR,
  kserve: 'labels',
  'tensorflow-serving': 'labels',
  'vertex-ai': 'labels',
  sagemaker: 'labels',
};
// Their servers load a booster, those of MLflow the estimator around it.
const VALUES: AnswerForms = {
  ...ESTIMATOR,
  kserve: 'values',
  'tensorflow-serving': 'values',
  'vertex-ai': 'values',
  sagemaker: 'values',
};

/**
 * How the servers of each flavour answer; `objects` where nothing is said. The Open Inference Protocol has the outputs
 * of the graph, as Triton has them. TensorFlow Serving has no such models: its routes are those of KServe here.
 * Sources: KServe 0.20 (sklearnserver, xgbserver, lgbserver), google-cloud-aiplatform 2.7 (prediction/sklearn,
 * prediction/xgboost), sagemaker-scikit-learn-container and sagemaker-xgboost-container, MLflow 3.17 (mlflow.sklearn,
 * mlflow.xgboost, mlflow.lightgbm, mlflow.catboost, mlflow.onnx).
 */
const FORMS: Readonly<Record<Flavour, AnswerForms>> = {
  sklearn: LABELS,
  xgboost: VALUES,
  lightgbm: VALUES,
  catboost: LABELS,
  'mlflow-onnx': { mlflow: 'columns', 'azure-ml': 'columns' },
  tensorflow: {},
  pytorch: {},
  transformers: {},
};

/**
 * The form of a model's answers on a route. One word of model.json is for all protocols of other servers; Ternion's own
 * routes have objects unless it names them.
 *
 * @param protocols those that have the route; the first that model.json names counts
 * @param stated `answers` of model.json
 */
export function answerForm(
  protocols: readonly [ProtocolName, ...ProtocolName[]],
  stated: AnswerForm | AnswerForms | undefined,
  flavour: Flavour | undefined,
): Answering {
  const [first] = protocols;
  const known = (flavour === undefined ? undefined : FORMS[flavour][first]) ?? 'objects';
  const form =
    typeof stated !== 'string'
      ? protocols.map((protocol) => stated?.[protocol]).find((each) => each !== undefined)
      : first === 'ternion'
        ? undefined
        : stated;
  return { form: form ?? known, isStated: form !== undefined };
}

/** Programs that write graphs, as these call them. OnnxMLTools converts boosters and more. */
const PRODUCERS: ReadonlyMap<string, Flavour> = new Map([
  ['skl2onnx', 'sklearn'],
  ['CatBoost', 'catboost'],
  ['tf2onnx', 'tensorflow'],
  ['keras', 'tensorflow'],
  ['pytorch', 'pytorch'],
]);

/**
 * The forms of a flavour, as model.json states them; undefined where all of them are objects.
 *
 * @param isTable whether the model is one of tables: of others there are only columns
 * @param isOfMlserver whether MLServer has served it, which gives what `predict` of the estimator or booster gave
 */
export function formsOf(flavour: Flavour, isTable: boolean, isOfMlserver: boolean): AnswerForms | undefined {
  const known = FORMS[flavour];
  const isFit = isTable || Object.values(known).every((form) => form === 'columns');
  const method = flavour === 'lightgbm' ? 'values' : known.mlflow;
  const forms = {
    ...(isFit && known),
    ...(isTable && isOfMlserver && method && { 'open-inference': method }),
  };
  return Object.keys(forms).length > 0 ? forms : undefined;
}

/** What the graph alone says of its flavour. XGBoost and LightGBM leave the same traces, and are served alike. */
export function flavourOf({
  producer,
  operators,
}: Pick<Graph, 'producer' | 'operators'>): Flavour | undefined {
  if (producer !== 'OnnxMLTools') return PRODUCERS.get(producer);
  return BOOSTED.some((operator) => operators.has(operator)) ? 'xgboost' : undefined;
}

const BOOSTED = ['ai.onnx.ml.TreeEnsembleClassifier', 'ai.onnx.ml.TreeEnsembleRegressor'];

/** Whether a graph is from a program that converts models of tables and nothing else. */
export function convertsTables({ producer }: Pick<Graph, 'producer'>): boolean {
  return ['skl2onnx', 'OnnxMLTools', 'CatBoost'].includes(producer);
}
