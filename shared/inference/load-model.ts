import { basename } from 'node:path';
import type * as z from 'zod';
import type { JsonObject } from '../json/json-value.ts';
import { answerForm, flavourOf } from '../models/answer-forms.ts';
import { SERVER_FILES } from '../models/formats/format-folder.ts';
import type { Format, Recognised } from '../models/formats/recognise.ts';
import { type ModelConfig, ModelError } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import { type Graph, readGraph } from '../onnx/graph.ts';
import { isNewer } from '../onnx/ir-version.ts';
import { ProtobufError, withFileSource } from '../onnx/protobuf.ts';
import type { ModelFile, OpenSession, RewritingName } from '../runtime/open-model-file.ts';
import {
  type Session,
  type SessionOptions,
  type TensorSpec,
  UnsupportedGraphError,
} from '../runtime/session.ts';
import type { Cacheable } from '../runtime/session-cache.ts';
import type { Trials } from '../runtime/trial.ts';
import type { ModelContract } from '../values/contract.ts';
import { markBatchAxes } from './batch-axes.ts';
import { checkNamedAxes } from './check-axes.ts';
import { checkExternalData } from './check-external-data.ts';
import { checkGraph } from './check-graph.ts';
import { describeRefusal } from './check-run.ts';
import { explainRefusal } from './explain-refusal.ts';
import { reshapeSession } from './reshape-session.ts';
import { isTableForm } from './table-form.ts';
import type { TaskRunner } from './task.ts';
import type { Tasks } from './tasks.ts';
import { findDangers, passTrialError, tryFirst } from './try-first.ts';

/** A model version in memory, ready to answer. */
export interface Model extends Cacheable {
  readonly reference: ModelReference;
  readonly config: ModelConfig;
  /** Where the config comes from. */
  readonly format: Format;
  /** The file that holds the graph, below the folder of the version. */
  readonly modelFile: string;
  readonly session: Session;
  readonly task: TaskRunner;
  /** What requests to it bring. */
  readonly contract: ModelContract;
  /** What an answer looks like in JSON, where the task gives values of its own. */
  readonly answer: z.ZodType | undefined;
  /** Body of a predict request that it answers; undefined where it would be huge, or none was found. */
  readonly example: JsonObject | undefined;
  /** Why it does not answer what was made up to try it, if it does not: made-up input need not suit a model. */
  readonly problem: string | undefined;
}

export interface LoadOptions {
  readonly tasks: Tasks;
  /** What creates sessions. */
  readonly openSession: OpenSession;
  readonly intraOpThreads: number;
  /** Where models are tried first that could take the process down. */
  readonly trials: Trials;
  /** Told when the warm-up run fails. A model is served all the same: made-up input need not suit a model. */
  readonly onWarmUpError: (error: unknown) => void;
}

/** Bytes of the host for each element that a client may have a model make: a tensor of int64 takes half of them. */
const MEMORY_PER_ELEMENT = 16;

/**
 * Loads a model version from its folder: reads the graph, checks its data files, creates the session, finds out what kind
 * of model it is, binds the task and runs once. The folder is released with the model, as a session may map files of it.
 *
 * @throws ModelError with a reason fit for clients
 */
export async function loadModel(
  reference: ModelReference,
  folder: ModelFolder,
  options: LoadOptions,
): Promise<Model> {
  try {
    return await createModel(reference, folder, options);
  } catch (error) {
    await folder.release();
    throw error;
  }
}

async function createModel(
  reference: ModelReference,
  folder: ModelFolder,
  options: LoadOptions,
): Promise<Model> {
  const path = folder.modelPath;
  const graph = readModelFile(path);
  checkGraph(graph);
  await checkExternalData(path, graph.externalData);
  const mostElements = options.trials.memoryBytes / MEMORY_PER_ELEMENT;
  const file: ModelFile = { path, rewritings: listRewritings(graph), mostElements };
  const sessionOptions = {
    intraOpThreads: folder.config?.session?.intraOpThreads ?? options.intraOpThreads,
    graphOptimization: folder.config?.session?.graphOptimization,
  };
  const risks = findDangers(graph, options.trials);
  if (risks !== undefined) {
    await tryFirst(risks, () =>
      options.trials.use(file, sessionOptions, async (opened) => {
        const { session, task } = await bind(folder, graph, opened, options);
        await task.warmUp(session).catch(passTrialError);
      }),
    );
  }
  const opened = await openSession(file, folder, sessionOptions, options.openSession);
  try {
    const { session, task, format, config, example, contract, answer } = await bind(
      folder,
      graph,
      opened,
      options,
    );
    const tried = await tryOut(task, session, options);
    return {
      reference,
      config,
      format,
      modelFile: folder.modelFile,
      session,
      task,
      contract,
      answer,
      example: folder.example ?? example ?? tried.example,
      problem: tried.problem,
      sizeBytes: folder.sizeBytes,
      release: async () => {
        try {
          await session.release();
        } finally {
          await folder.release();
        }
      },
    };
  } catch (error) {
    await opened.release();
    throw error;
  }
}

/** @throws ModelError when the outputs are not what the task needs */
async function tryOut(
  task: TaskRunner,
  session: Session,
  { onWarmUpError }: LoadOptions,
): Promise<Pick<Model, 'example' | 'problem'>> {
  try {
    return { example: await task.warmUp(session), problem: undefined };
  } catch (error) {
    if (error instanceof ModelError) throw error;
    onWarmUpError(error);
    return { example: undefined, problem: describeRefusal(error) };
  }
}

/** What a session is used for: the task of the model, with what says so. */
async function bind(folder: ModelFolder, graph: Graph, opened: Session, { tasks }: LoadOptions) {
  const marked = markBatchAxes(markRanks(opened, graph), graph);
  const recognised = await configure(folder, graph, marked, tasks);
  const { config } = recognised;
  const session = reshapeSession(marked, config.shapes);
  const { name, kindOf, gives, answer, bind } = tasks.of(config);
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
    throw new ModelError(`its model.json has "answers": "${form}", which only models of tables have`);
  }
  if (forms.includes('probabilities') && !postprocessor?.areProbabilities) {
    throw new ModelError(
      'its model.json has "answers": "probabilities", and the graph does not say that its scores are probabilities: "output": {"probabilities": "<name of the output>"} says it',
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
      // A flavour says nothing of the rows of a model whose rows are not known.
      const isUnfit = task.kind !== 'features' && isTableForm(answering.form);
      return isUnfit ? { ...answering, form: 'objects' } : answering;
    },
    inputs: session.inputs.map((spec) => ({
      ...spec,
      // Of a graph whose task is not known nobody knows it: NaN is a number like others there.
      allowsMissing: spec.allowsMissing === true || task.kind !== 'features',
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
 * Reads the graph of a model file.
 *
 * @throws ModelError when the file is not an ONNX model
 */
export function readModelFile(path: string): Graph {
  const name = basename(path);
  try {
    return withFileSource(path, (source) => {
      const graph = readGraph(source);
      if (source.length > 0 && graph.outputs.length > 0) return graph;
      throw new ModelError(source.length === 0 ? `its ${name} is empty` : `its ${name} holds no graph`);
    });
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ModelError(`its ${name} ${describeForeignFile(path)}`, { cause: error });
  }
}

/** Files that stand in the place of a model most often. */
function describeForeignFile(path: string): string {
  const start = withFileSource(path, (source) => Buffer.from(source.bytes(0, 64)).toString('latin1'));
  if (start.startsWith('version https://git-lfs')) {
    return 'is a pointer of Git LFS, not the file itself: run git lfs pull before publishing';
  }
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(start)) return 'is a web page, perhaps of a failed download';
  return 'is not an ONNX file, or it is truncated';
}

/** What has to be changed in a graph. Where it is nothing the runtime reads the file itself, which saves a copy of it. */
export function listRewritings({ irVersion, zipMaps, sequences, guards }: Graph): RewritingName[] {
  return [
    ...(isNewer(irVersion) ? (['irVersion'] as const) : []),
    ...(zipMaps.length > 0 ? (['zipMaps'] as const) : []),
    ...(sequences.length > 0 ? (['sequences'] as const) : []),
    ...(guards.edits.length > 0 ? (['guards'] as const) : []),
  ];
}

async function openSession(
  file: ModelFile,
  { modelFile }: ModelFolder,
  options: SessionOptions,
  open: OpenSession,
): Promise<Session> {
  try {
    return await open(file, options);
  } catch (error) {
    if (error instanceof UnsupportedGraphError) throw new ModelError(error.message, { cause: error });
    throw new ModelError(explainRefusal(error, modelFile), { cause: error });
  }
}

/**
 * What only the file says of inputs and outputs: the runtime describes one of open rank like a scalar, and leaves out the
 * names of axes.
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
