import { answerForm, flavourOf } from '../models/answer-forms.ts';
import { SERVER_FILES } from '../models/formats/format-folder.ts';
import type { Recognised } from '../models/formats/recognise.ts';
import { type ModelConfig, ModelError } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Session, TensorSpec } from '../runtime/session.ts';
import type { ModelContract } from '../values/contract.ts';
import { markBatchAxes } from './batch-axes.ts';
import type { BoundGraph } from './bound-graph.ts';
import { checkNamedAxes } from './check-axes.ts';
import { reshapeSession } from './reshape-session.ts';
import { isTableForm } from './table-form.ts';
import type { Task, TaskRunner } from './task.ts';
import type { Tasks } from './tasks.ts';

/** Operators that cut texts into words. */
const WORD_MAKERS = ['com.microsoft.Tokenizer', 'StringSplit'];

/** A graph with its task, and the source of that decision. */
export interface ConfiguredGraph extends BoundGraph, Recognised {
  /** The JSON schema of an answer, if the task has its own kind of values. */
  readonly answer: Task['answer'];
}

/**
 * Finds out what kind of model a graph is, and binds its task.
 *
 * @param opened the graph as the runtime describes it
 * @throws ModelError for a config that does not suit the graph
 */
export async function bindGraph(
  folder: ModelFolder,
  graph: Graph,
  opened: Session,
  tasks: Tasks,
): Promise<ConfiguredGraph> {
  const cutsTexts = WORD_MAKERS.some((operator) => graph.operators.has(operator));
  const marked = markBatchAxes({ ...markRanks(opened, graph), cutsTexts }, graph);
  const recognised = await configure(folder, graph, marked, tasks);
  const { config } = recognised;
  const session = reshapeSession(marked, config.shapes);
  const { name, kindOf, gives, answer, bind } = await tasks.of(config);
  const task = await bind(config, { graph, session, folder });
  const flavour = recognised.flavour ?? flavourOf(graph);
  checkAnswers(config, task);
  const maps = new Map(graph.zipMaps.map(({ output, labels }) => [output, labels]));
  const known = { task: name, kind: kindOf(config), gives, flavour, maps };
  const contract = contractOf(known, config, session, task);
  return { ...recognised, session, task, contract, answer };
}

/** @throws ModelError for a form of answers that the model does not have */
function checkAnswers({ answers }: ModelConfig, { preprocessor, postprocessor }: TaskRunner): void {
  const forms = typeof answers === 'string' ? [answers] : Object.values(answers ?? {});
  const form = forms.find((each) => each !== undefined && isTableForm(each));
  if (form !== undefined && !preprocessor?.features) {
    throw new ModelError(`its model.json has "answers": "${form}", which only tabular models have`);
  }
  if (forms.includes('probabilities') && !postprocessor?.areProbabilities) {
    throw new ModelError(
      'its model.json has "answers": "probabilities", but its graph does not show that its scores are probabilities; if they are, add "output": {"probabilities": "<name of the output>"}',
    );
  }
}

function contractOf(
  task: Pick<ModelContract, 'task' | 'kind' | 'gives' | 'flavour' | 'maps'>,
  { answers }: ModelConfig,
  session: Session,
  { preprocessor }: TaskRunner,
): ModelContract {
  return {
    ...task,
    answering: (protocols) => {
      const answering = answerForm(protocols, answers, task.flavour);
      // A flavour means nothing if the rows of a model are unknown.
      const isUnfit = task.kind !== 'features' && isTableForm(answering.form);
      return isUnfit ? { ...answering, form: 'objects' } : answering;
    },
    inputs: session.inputs.map((spec) => ({
      ...spec,
      // Unknown for a graph without a known task: there, NaN is an ordinary number.
      allowsMissing: spec.allowsMissing === true || (task.kind !== 'features' && spec.datatype !== 'BYTES'),
      takesBooleans: task.kind === 'features',
    })),
    features: preprocessor?.features?.named?.map(({ name }) => name),
    columns: preprocessor?.features?.columns,
    imageInput: preprocessor?.imageInput,
    textInput: preprocessor?.textInput,
  };
}

/**
 * What `model.json` says counts; without it the folder and its graph are looked at. Where it does not say how rows are
 * answered, the files of the server that had the model before do.
 */
async function configure(
  folder: ModelFolder,
  graph: Graph,
  { inputs, outputs }: Session,
  tasks: Tasks,
): Promise<Recognised> {
  const { config, files } = folder;
  const isOpen = config?.answers === undefined && config?.task.startsWith('tabular');
  if (config && !(isOpen && files.some((file) => SERVER_FILES.includes(file)))) {
    return { format: 'ternion', config };
  }
  // What knows all formats is loaded for models that need it.
  const { recogniseModel, withServerAnswers } = await import('../models/formats/recognise.ts');
  return config
    ? await withServerAnswers(folder, config)
    : await recogniseModel(folder, { graph, inputs, outputs }, tasks);
}

/**
 * Details of inputs and outputs that only the file has: the runtime describes a tensor of open rank like a scalar, and
 * omits the names of axes.
 */
function markRanks(session: Session, graph: Graph): Session {
  const open = [...graph.inputs, ...graph.outputs].filter(
    ({ kind, shape }) => kind === 'tensor' && shape === undefined,
  );
  const names = new Set(open.map(({ name }) => name));
  const mark = (spec: TensorSpec): TensorSpec =>
    names.has(spec.name) && spec.shape.length === 0 ? { ...spec, isRankDynamic: true } : spec;
  const outputs = session.outputs.map(mark);
  const inputs = session.inputs.map((spec) => ({
    ...mark(spec),
    ...(graph.missingInputs.has(spec.name) && { allowsMissing: true }),
  }));
  const checkAxes = checkNamedAxes(graph.inputs);
  if (!checkAxes) return { ...session, inputs, outputs };
  return {
    ...session,
    inputs,
    outputs,
    run: async (feeds, fetches) => {
      checkAxes(feeds);
      return await session.run(feeds, fetches);
    },
  };
}
