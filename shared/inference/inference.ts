import { type Budget, createBudget } from '../budget.ts';
import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import { type ModelReference, pathOf } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { Logger } from '../monitoring/logger.ts';
import { createStatistics, type ModelStatistics } from '../monitoring/statistics.ts';
import { loadRuntime, type NamedTensors, type Session } from '../runtime/session.ts';
import { type CacheState, createSessionCache, LoadError } from '../runtime/session-cache.ts';
import type { Trials } from '../runtime/trial.ts';
import type { NamedInputs } from './check-feeds.ts';
import { inferTensors } from './infer-tensors.ts';
import type { InferenceInput, InferenceOutput, InferenceRequest, InputKind } from './input.ts';
import { limitTime } from './limit-time.ts';
import { loadModel, type Model } from './load-model.ts';
import { createModelChooser } from './model-chooser.ts';
import { preload } from './preload.ts';
import { timeRuns } from './time-runs.ts';
import { unavailable } from './unavailable.ts';

export interface InferenceResult {
  readonly reference: ModelReference;
  readonly output: InferenceOutput;
  /** Time inside the runtime, all runs of the request together. */
  readonly runMs: number;
  /** Time until the model could be used: next to nothing when it was in memory. */
  readonly loadMs: number;
}

export interface TensorRequest {
  readonly reference: ModelReference;
  readonly inputs: NamedInputs;
  /** Names of the outputs wanted, in order; undefined for all. */
  readonly outputs: readonly string[] | undefined;
  /** Whether the first axis counts instances: a graph with a fixed batch size is then run on portions of them. */
  readonly isBatch?: boolean;
  /** When the answer is of no use any more, on the clock of `performance.now()`; undefined for never. */
  readonly deadlineMs?: number | undefined;
  /** What the request may cost; one of its own by default. */
  readonly budget?: Budget | undefined;
}

export interface TensorResult {
  readonly model: Model;
  readonly outputs: NamedTensors;
  readonly runMs: number;
  readonly loadMs: number;
}

export interface InferenceOptions {
  readonly repository: ModelRepository;
  readonly limits: Limits;
  readonly intraOpThreads: number;
  /** Where models are tried first that could take the process down. */
  readonly trials: Trials;
  readonly sessionCacheBytes: number;
  readonly defaultModel: string | undefined;
  readonly logger: Logger;
}

/** The inference core: it knows models and inputs, and neither transports nor wire formats. */
export interface Inference {
  readonly repository: ModelRepository;
  /**
   * The model version a request means. One that names no model means the default model, or the only one that takes
   * such input.
   * @throws InferenceError
   */
  choose(kind: InputKind, model?: string, version?: string): Promise<ModelReference>;
  /** @throws InferenceError */
  infer(request: InferenceRequest): Promise<InferenceResult>;
  /**
   * Runs a model on tensors by the names in its graph, whatever its task.
   * @throws InferenceError
   */
  inferTensors(request: TensorRequest): Promise<TensorResult>;
  /**
   * Looks at a model, loading it when needed.
   * @throws InferenceError
   */
  describe<R>(reference: ModelReference, look: (model: Model) => R): Promise<R>;
  /** Counters of a version since this instance started. */
  statistics(reference: ModelReference): ModelStatistics;
  /** Frees a version's memory once nothing uses it; the next request loads it again. */
  unload(reference: ModelReference): Promise<void>;
  /** State of a version in memory; undefined when it was not asked for since the start. */
  state(reference: ModelReference): CacheState | undefined;
  /** Loads the live version of some models, or of all for `*`. Failures are logged and met again by requests. */
  preload(names: readonly string[]): Promise<void>;
  /** Loads the native runtime, if it is not. */
  checkRuntime(): Promise<void>;
  /** Frees all sessions. */
  close(): Promise<void>;
}

export function createInference(options: InferenceOptions): Inference {
  const { repository, limits, logger } = options;
  const cache = createSessionCache<Model>({
    budgetBytes: options.sessionCacheBytes,
    onReleaseError: (key, error) => logger.log('error', 'release failed', { model: key, error }),
  });

  async function load(reference: ModelReference): Promise<Model> {
    const startMs = performance.now();
    try {
      const model = await loadModel(reference, await repository.open(reference), {
        intraOpThreads: options.intraOpThreads,
        trials: options.trials,
        onWarmUpError: (error) => logger.log('warn', 'warm-up failed', { model: pathOf(reference), error }),
      });
      logger.log('info', 'model loaded', {
        model: pathOf(reference),
        load_ms: round(performance.now() - startMs),
      });
      return model;
    } catch (error) {
      logger.log('error', 'model failed to load', { model: pathOf(reference), error });
      throw error;
    }
  }

  async function use<R>(reference: ModelReference, action: (model: Model) => Promise<R> | R): Promise<R> {
    try {
      return await cache.use(pathOf(reference), () => load(reference), action);
    } catch (error) {
      throw error instanceof LoadError ? unavailable(reference, error) : error;
    }
  }

  const statistics = createStatistics();

  /** Runs something with a model and keeps account of it. */
  async function measure<R>(
    reference: ModelReference,
    run: (model: Model, session: Session) => Promise<R>,
    batchSize: number,
  ): Promise<{ model: Model; result: R; runMs: number; loadMs: number }> {
    const askedMs = performance.now();
    return await use(reference, async (model) => {
      checkBatchSize(model, batchSize);
      const startMs = performance.now();
      const timed = timeRuns(model.session);
      try {
        const result = await run(model, timed.session);
        const measured = timed.measure(startMs);
        statistics.succeed(reference, { batchSize, ...measured });
        return { model, result, runMs: measured.runMs, loadMs: startMs - askedMs };
      } catch (error) {
        statistics.fail(reference, performance.now() - startMs);
        throw error;
      }
    });
  }

  const chooseModel = createModelChooser(options);
  const choose = async (kind: InputKind, model?: string, version?: string) =>
    await repository.resolve(model ?? (await chooseModel(kind)), version);

  return {
    repository,
    choose,
    infer: async ({ budget = createBudget(limits), ...request }) => {
      const reference = await choose(request.input.kind, request.model, request.version);
      const run = (model: Model, session: Session) =>
        model.task.infer(request.input, limitTime(session, budget), budget);
      const { result, runMs, loadMs } = await measure(reference, run, sizeOfInput(request.input));
      return { reference, output: result, runMs, loadMs };
    },
    inferTensors: async ({ reference, inputs, deadlineMs, budget = createBudget(limits), ...options }) => {
      const run = (model: Model, session: Session) =>
        inferTensors(model, limitTime(session, budget, deadlineMs), inputs, options, budget);
      const { model, result, runMs, loadMs } = await measure(reference, run, sizeOfBatch(inputs));
      return { model, outputs: result, runMs, loadMs };
    },
    statistics: (reference) => statistics.of(reference),
    unload: async (reference) => {
      await cache.drop(pathOf(reference));
    },
    describe: (reference, look) => use(reference, look),
    state: (reference) => cache.state(pathOf(reference)),
    preload: (names) => preload(names, options, (reference) => use(reference, () => undefined)),
    checkRuntime: async () => {
      await loadRuntime();
    },
    close: () => cache.clear(),
  };
}

function checkBatchSize({ config: { maxBatchSize } }: Model, size: number): void {
  if (maxBatchSize === undefined || size <= maxBatchSize) return;
  throw invalid(`The request has ${size} instances; this model takes at most ${maxBatchSize} at once.`);
}

function sizeOfInput(input: InferenceInput): number {
  switch (input.kind) {
    case 'features':
      return input.rows.length;
    case 'image':
      return input.images.length;
    case 'text':
      return input.texts.length;
    case 'tensors':
      return 1;
  }
}

/** The first axis of the first tensor; scalars count as one. */
function sizeOfBatch(inputs: NamedInputs): number {
  const [first] = inputs.values();
  return first?.shape[0] ?? 1;
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
