import type { ProtocolName } from '../config.ts';
import type { Graph } from '../onnx/graph.ts';

/**
 * The forms that the answers of a tabular model can have:
 * - `objects`: an object for each row. Ternion's own routes return the prediction with its scores. All others return
 * the outputs of the graph by name, or the value alone if there is only one output.
 * - `labels`: what the estimator's `predict` returned: a label for each row, or a regressor's number.
 * - `values`: what the `predict` of a booster returned. For a regressor that is a number per row; for two classes, the
 * probability of the second class; for more classes, a list of scores.
 * - `probabilities`: what the estimator's `predict_proba` returned: a list for each row.
 * - `columns`: whole outputs of the graph by name.
 */
export const ANSWER_FORMS = ['objects', 'labels', 'values', 'probabilities', 'columns'] as const;
export type AnswerForm = (typeof ANSWER_FORMS)[number];

/** Forms by protocol. */
export type AnswerForms = Readonly<Partial<Record<ProtocolName, AnswerForm>>>;

/** The form of a model's answers on a route. */
export interface Answering {
  readonly form: AnswerForm;
  /** Whether its config sets the form. */
  readonly isStated: boolean;
}

/** What a model was before it became ONNX, according to the files of the server that served it before. */
export type Flavour =
  | 'sklearn'
  | 'xgboost'
  | 'lightgbm'
  | 'catboost'
  | 'booster'
  | 'catboost-raw'
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
// Servers of these flavours load the booster; MLflow loads what it saved, which usually is the estimator around it.
const VALUES: AnswerForms = {
  ...ESTIMATOR,
  kserve: 'values',
  'tensorflow-serving': 'values',
  'vertex-ai': 'values',
  sagemaker: 'values',
};

/**
 * How the servers of each flavour answer; `objects` if not listed. The Open Inference Protocol returns the outputs of
 * the graph, as Triton does. TensorFlow Serving has no such models: Ternion answers its routes as KServe does. Sources:
 * KServe 0.20 (sklearnserver, xgbserver, lgbserver), google-cloud-aiplatform 2.7 (prediction/sklearn,
 * prediction/xgboost), sagemaker-scikit-learn-container and sagemaker-xgboost-container, MLflow 3.17 (mlflow.sklearn,
 * mlflow.xgboost, mlflow.lightgbm, mlflow.catboost, mlflow.onnx).
 */
const FORMS: Readonly<Record<Flavour, AnswerForms>> = {
  sklearn: LABELS,
  xgboost: VALUES,
  lightgbm: VALUES,
  catboost: LABELS,
  booster: { ...VALUES, mlflow: 'values', 'azure-ml': 'values' },
  // Its predict returns logarithms of odds, which the graph does not have; of a regressor it has the number.
  'catboost-raw': {},
  'mlflow-onnx': { mlflow: 'columns', 'azure-ml': 'columns' },
  tensorflow: {},
  pytorch: {},
  transformers: {},
};

/**
 * The form of a model's answers on a route. A single word in model.json applies to the protocols of all other servers;
 * Ternion's own routes return objects unless model.json names them.
 *
 * @param protocols those that the route belongs to; the first one that model.json names counts
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

/** Programs that write graphs, by the name that they put into the graph. OnnxMLTools converts boosters and more. */
const PRODUCERS: ReadonlyMap<string, Flavour> = new Map([
  ['skl2onnx', 'sklearn'],
  ['CatBoost', 'catboost'],
  ['tf2onnx', 'tensorflow'],
  ['keras', 'tensorflow'],
  ['pytorch', 'pytorch'],
]);

/**
 * The forms of a flavour, as model.json would state them; undefined if all of them are objects.
 *
 * @param isTable whether the model is tabular: other models only have columns
 * @param isOfMlserver whether MLServer served it: MLServer returns what `predict` of the estimator or booster returned
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

/** The flavour that the graph alone suggests. XGBoost and LightGBM leave the same traces, and are served alike. */
export function flavourOf({
  producer,
  operators,
}: Pick<Graph, 'producer' | 'operators'>): Flavour | undefined {
  if (producer !== 'OnnxMLTools') return PRODUCERS.get(producer);
  return BOOSTED.some((operator) => operators.has(operator)) ? 'xgboost' : undefined;
}

const BOOSTED = ['ai.onnx.ml.TreeEnsembleClassifier', 'ai.onnx.ml.TreeEnsembleRegressor'];

/** Whether a graph comes from a program that only converts tabular models. */
export function convertsTables({ producer }: Pick<Graph, 'producer'>): boolean {
  return ['skl2onnx', 'OnnxMLTools', 'CatBoost'].includes(producer);
}
