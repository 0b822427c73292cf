import { basename, posix } from 'node:path';
import type * as z from 'zod/mini';
import type { JsonObject } from '../json/json-value.ts';
import type { Format } from '../models/formats/recognise.ts';
import { type ModelConfig, ModelError } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import { type Graph, readGraph } from '../onnx/graph.ts';
import { isNewer } from '../onnx/ir-version.ts';
import { ProtobufError, withFileSource, withOpenFile } from '../onnx/protobuf.ts';
import type { ModelFile, OpenSession, RewritingName } from '../runtime/open-model-file.ts';
import { type Session, type SessionOptions, UnsupportedGraphError } from '../runtime/session.ts';
import type { Cacheable } from '../runtime/session-cache.ts';
import type { Trials } from '../runtime/trial.ts';
import { StoreError } from '../stores/model-store.ts';
import type { ModelContract } from '../values/contract.ts';
import { bindGraph } from './bind-graph.ts';
import type { BoundGraph } from './bound-graph.ts';
import { checkGraph } from './check-graph.ts';
import { describeRefusal } from './check-run.ts';
import type { CountedColumns } from './expected-values.ts';
import type { AddSteps, ProcessedModel } from './processed-model.ts';
import type { TaskRunner } from './task.ts';
import type { Tasks } from './tasks.ts';
import { findDangers, passTrialError, tryFirst } from './try-first.ts';

/** A model version in memory, ready to answer. */
export interface Model extends Cacheable {
  readonly reference: ModelReference;
  readonly config: ModelConfig;
  /** The source of the config. */
  readonly format: Format;
  /** The file that holds the graph, below the folder of the version. */
  readonly modelFile: string;
  /** Its inputs and outputs for clients; with steps of own code, those of the steps. */
  readonly session: Session;
  readonly task: TaskRunner;
  /** The graph with steps of own code around it, if its config names some. */
  readonly processed: ProcessedModel | undefined;
  /** The kind of input that its requests have. */
  readonly contract: ModelContract;
  /** The columns of a tabular graph, as their values are counted. */
  readonly counted: CountedColumns | undefined;
  /** The JSON schema of an answer, if the task has its own kind of values. */
  readonly answer: z.ZodMiniType | undefined;
  /** Body of a predict request that it answers; undefined if it would be huge, or if none was found. */
  readonly example: JsonObject | undefined;
  /** Why it cannot answer the made-up request of its first run, if it cannot: made-up input may not suit a model. */
  readonly problem: string | undefined;
  /** Runs it on made-up input, if that has not happened when it was loaded. */
  warmUp(): Promise<void>;
}

export interface LoadOptions {
  readonly tasks: Tasks;
  /** Puts steps of own code around a model; undefined on a server without own code. */
  readonly addSteps?: AddSteps | undefined;
  /** Creates sessions. */
  readonly openSession: OpenSession;
  readonly intraOpThreads: number;
  /** Runs the trials of models that could end the process. */
  readonly trials: Trials;
  /** Called if the warm-up run fails. The model is served anyway: made-up input may not suit a model. */
  readonly onWarmUpError: (error: unknown) => void;
}

/**
 * Bytes of the host's memory per element that a client may make a model produce; a tensor of int64 takes half of them.
 */
const MEMORY_PER_ELEMENT = 16;

/**
 * Loads a model version from its folder: reads the graph, checks its data files, creates the session, determines what
 * kind of model it is and binds the task. It also runs once, unless the version was tried when it was published. The
 * folder is released with the model, as a session may map files of it.
 *
 * What is parsed has been compared with `files.json` before. Files that only have weights may be compared while the
 * session is created and runs: they are nothing but numbers, and no output of a run is given to anyone before they are
 * known to be the right ones.
 *
 * @throws ModelError with a reason that clients may see; StoreError
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
  await folder.checked((file) => file === folder.modelFile);
  const graph = await readModelFile(path);
  checkGraph(graph);
  const weights = weightsOf(folder, graph);
  await folder.checked((file) => !weights.has(file));
  if (graph.externalData.length > 0) {
    const { checkExternalData } = await import('./check-external-data.ts');
    await checkExternalData(path, graph.externalData);
  }
  const mostElements = options.trials.memoryBytes / MEMORY_PER_ELEMENT;
  const file: ModelFile = { path, rewritings: listRewritings(graph), mostElements };
  const sessionOptions = {
    intraOpThreads: folder.config?.session?.intraOpThreads ?? options.intraOpThreads,
    graphOptimization: folder.config?.session?.graphOptimization,
  };
  const risks = findDangers(graph, options.trials);
  if (risks !== undefined) {
    await folder.checked();
    await tryFirst(risks, () =>
      options.trials.use(file, sessionOptions, async (opened) => {
        const { session, task } = await bindGraph(folder, graph, opened, options.tasks);
        await task.warmUp(session).catch(passTrialError);
      }),
    );
  }
  const created = await openSession(file, folder, sessionOptions, options.openSession);
  const opened = weights.size > 0 ? afterCheck(created, folder.checked()) : created;
  try {
    const bound = await bindGraph(folder, graph, opened, options.tasks);
    const { format, config, example, answer } = bound;
    const tried = folder.isTried ? undefined : await tryOut(bound.task, bound.session, options);
    const outer = await withSteps(reference, config, bound, options);
    const { session, task, contract, processed } = outer;
    return {
      reference,
      config,
      format,
      modelFile: folder.modelFile,
      session,
      task,
      processed,
      contract,
      counted: bound.task.preprocessor?.counted,
      answer: processed ? undefined : answer,
      example: folder.example ?? example ?? (processed ? undefined : tried?.example),
      problem: tried?.problem,
      warmUp: async () => {
        if (tried === undefined) await tryOut(bound.task, bound.session, options);
      },
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

/** The files that only have weights, by their paths below the folder. */
function weightsOf({ modelFile }: ModelFolder, { externalData }: Graph): ReadonlySet<string> {
  return new Set(externalData.map(({ location }) => posix.join(posix.dirname(modelFile), location)));
}

/** A session whose outputs nobody gets before the weights are known to be the right ones. */
function afterCheck(session: Session, checked: Promise<void>): Session {
  let isChecked = false;
  // A run gets the error.
  checked.then(
    () => (isChecked = true),
    () => undefined,
  );
  const runAndWait: Session['run'] = async (feeds, fetches) => {
    const outputs = await session.run(feeds, fetches);
    await checked;
    return outputs;
  };
  return {
    ...session,
    run: (feeds, fetches) => (isChecked ? session.run(feeds, fetches) : runAndWait(feeds, fetches)),
  };
}

/** @throws ModelError when the outputs are not what the task needs; StoreError when its files are not the right ones */
async function tryOut(
  task: TaskRunner,
  session: Session,
  { onWarmUpError }: LoadOptions,
): Promise<Pick<Model, 'example' | 'problem'>> {
  try {
    return { example: await task.warmUp(session), problem: undefined };
  } catch (error) {
    if (error instanceof ModelError || error instanceof StoreError) throw error;
    onWarmUpError(error);
    return { example: undefined, problem: describeRefusal(error) };
  }
}

/** The model with the steps of own code that its config names. */
async function withSteps(
  reference: ModelReference,
  { processors }: ModelConfig,
  graph: BoundGraph,
  { addSteps }: LoadOptions,
): Promise<BoundGraph & Pick<Model, 'processed'>> {
  const [first] = processors ?? [];
  if (processors === undefined || first === undefined) return { ...graph, processed: undefined };
  if (addSteps) return await addSteps(reference, processors, graph);
  throw new ModelError(
    `its model.json names the step ${JSON.stringify(first.step.slice(0, 60))}, and this server has no own code; a ternion.config.ts has it`,
  );
}

/**
 * Reads the graph of a model file.
 *
 * @throws ModelError when the file is not an ONNX model
 */
export async function readModelFile(path: string): Promise<Graph> {
  const name = basename(path);
  try {
    return await withOpenFile(path, async (source) => {
      const graph = await readGraph(source);
      if (source.length > 0 && graph.outputs.length > 0) return graph;
      throw new ModelError(source.length === 0 ? `its ${name} is empty` : `its ${name} holds no graph`);
    });
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ModelError(`its ${name} ${describeForeignFile(path)}`, { cause: error });
  }
}

/** Files that are most often found instead of a model. */
function describeForeignFile(path: string): string {
  const start = withFileSource(path, (source) => Buffer.from(source.bytes(0, 64)).toString('latin1'));
  if (start.startsWith('version https://git-lfs')) {
    return 'is a pointer of Git LFS, not the file itself: run git lfs pull before publishing';
  }
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(start)) return 'is a web page, perhaps from a failed download';
  return 'is not an ONNX file, or it is truncated';
}

/** The changes that a graph needs. If there are none, the runtime reads the file itself, which saves a copy. */
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
    const { explainRefusal } = await import('./explain-refusal.ts');
    throw new ModelError(explainRefusal(error, modelFile), { cause: error });
  }
}
