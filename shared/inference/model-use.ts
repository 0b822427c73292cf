import { type Budget, withDeadline } from '../budget.ts';
import { invalid } from '../errors.ts';
import type { TraceContext } from '../http/trace-context.ts';
import { loadOnce } from '../memo.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { Statistics } from '../monitoring/statistics.ts';
import type { ProcessorLog } from '../processors/processor.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { inTurn } from '../turns.ts';
import type { EmbeddingUsage, ModelUsage, ValueQuality } from '../usage.ts';
import type { ModelContract } from '../values/contract.ts';
import type { InferenceInput } from '../values/input.ts';
import type { NamedInputs } from '../values/named-inputs.ts';
import { blameInputs, checkOutputs } from './check-run.ts';
import type { Sent } from './count-values.ts';
import type { inferTensors, TensorOptions } from './infer-tensors.ts';
import type { Model } from './load-model.ts';
import type { InferenceOutput } from './output.ts';
import { type Runner, runBatch, type Watch } from './run-batch.ts';
import { checkLongest } from './words.ts';

/** A model in memory, for as long as a request uses it. */
export interface ModelUse {
  readonly reference: ModelReference;
  /** The kind of input that it takes. */
  readonly contract: ModelContract;
  readonly model: Model;
  /**
   * Runs the model's task: preprocessing, the graph, postprocessing.
   * @throws InferenceError when the input does not fit the model
   */
  predict(input: InferenceInput): Promise<InferenceOutput>;
  /**
   * Runs the graph on tensors by the names in the graph, for any task.
   * @throws InferenceError when an input does not fit the graph, or an output does not exist
   */
  run(inputs: NamedInputs, options?: ModelRunOptions): Promise<NamedTensors>;
  /** Counts the values of instances that were refused, if the request is answered without them. */
  refuse(error: unknown): Promise<void>;
}

/** Options of a run; by default it returns all outputs and may take as long as its request. */
export interface ModelRunOptions extends TensorOptions {
  /** When the outputs are no longer useful, on the clock of `performance.now()`; undefined for never. */
  readonly deadlineMs?: number | undefined;
}

/** A use together with a record of its cost. */
export interface AccountedUse extends ModelUse {
  /**
   * What it has cost so far.
   *
   * @param askedMs when the request asked for the model, on the clock of `performance.now()`
   * @param loadMs until the model was ready
   */
  account(askedMs: number, loadMs: number): ModelUsage;
}

type LogOf = (step: string) => ProcessorLog;

const SILENT: ProcessorLog = { info: () => {}, warn: () => {}, error: () => {} };

/** What a use has of its request and its server. */
export interface ModelUseOptions {
  /** Makes the log of a step of own code. */
  readonly logOf?: LogOf | undefined;
  /** The place of the request in a trace, for the same steps. */
  readonly trace?: TraceContext | undefined;
  /** Whether somebody reads what the values of tabular models are like. */
  readonly countsValues?: boolean | undefined;
}

/** One try to answer with the graph. */
interface Attempt {
  /** Values that are not counted yet. */
  sent?: Sent | undefined;
  quality?: ValueQuality | undefined;
}

export function createModelUse(
  model: Model,
  budget: Budget,
  statistics: Statistics,
  { logOf = () => SILENT, trace, countsValues }: ModelUseOptions = {},
): AccountedUse {
  const { reference, processed } = model;
  const graph = processed?.inner.session ?? model.session;
  const steps = processed?.open(logOf, trace, (made) => {
    attempt.sent = made;
  });
  const { gives, kind } = processed?.inner.contract ?? model.contract;
  let embedding: EmbeddingUsage | undefined;
  let runs = 0;
  let runMs = 0;
  let inputMs = 0;
  let queueMs = 0;
  let instances = 0;
  const counted = countsValues ? model.counted : undefined;
  let attempt: Attempt = {};
  /** By the error that ended them: the request can try a part of them again, or be answered without them. */
  const failed = new WeakMap<object, Attempt>();
  let quality: ValueQuality | undefined;

  async function addQuality(own: ValueQuality | undefined): Promise<void> {
    if (quality && own) {
      const { mergeQuality } = await loadCounts();
      quality = mergeQuality(quality, own);
    } else quality ??= own;
  }

  /** Runs something with the graph, and records its cost. */
  async function measure<R>(
    given: Sent,
    batchSize: number,
    deadlineMs: number | undefined,
    work: (run: Runner, budget: Budget) => Promise<R>,
  ): Promise<R> {
    if (gives === 'embedding' && kind === 'text') embedding = {};
    checkBatchSize(model, batchSize);
    // With a step of own code before the graph, a client sends something else than the columns.
    const own: Attempt = { sent: model.task.preprocessor ? given : undefined };
    attempt = own;
    const limited = withDeadline(budget, deadlineMs);
    const startMs = performance.now();
    const earlierMs = runMs;
    const earlierQueueMs = queueMs;
    let firstReadyMs: number | undefined;
    const watch: Watch = (run) => {
      const readyMs = performance.now();
      firstReadyMs ??= readyMs;
      return inTurn(async () => {
        const beginMs = performance.now();
        queueMs += beginMs - readyMs;
        limited.goOn();
        try {
          return await run();
        } finally {
          runs++;
          runMs += performance.now() - beginMs;
        }
      });
    };
    const run: Runner = async (feeds, options) => {
      if (counted) {
        // Values of rows were compared with the config when they were read; those of tensors were not.
        const areRows = !steps && 'kind' in given && given.kind === 'features';
        own.quality =
          areRows && !counted.canDeviate
            ? { ...own.quality, rows: (own.quality?.rows ?? 0) + batchSize }
            : (await loadCounts()).countFeeds(counted, feeds, own.quality);
        own.sent = undefined;
      }
      try {
        if (graph.cutsTexts) checkLongest(feeds, budget.limits);
        const outputs = await runBatch(graph, feeds, options, watch);
        limited.inTime();
        return checkOutputs(outputs, budget.limits);
      } catch (error) {
        return blameInputs(error);
      }
    };
    try {
      const result = await work(run, limited);
      const endMs = performance.now();
      const beforeMs = (firstReadyMs ?? endMs) - startMs;
      const ownMs = runMs - earlierMs;
      const waitedMs = queueMs - earlierQueueMs;
      const outputMs = Math.max(0, endMs - startMs - beforeMs - waitedMs - ownMs);
      statistics.succeed(reference, {
        batchSize,
        inputMs: beforeMs,
        queueMs: waitedMs,
        runMs: ownMs,
        outputMs,
      });
      instances += batchSize;
      await addQuality(own.quality);
      return result;
    } catch (error) {
      if (counted && error instanceof Error) failed.set(error, own);
      statistics.fail(reference, performance.now() - startMs);
      throw error;
    } finally {
      inputMs += (firstReadyMs ?? performance.now()) - startMs;
    }
  }

  return {
    reference,
    contract: model.contract,
    model,
    predict: async (input) => {
      const output = await measure(input, sizeOfInput(input), undefined, (run, limited) =>
        steps ? steps.predict(input, run, limited) : model.task.infer(input, run, limited),
      );
      if (embedding && output.kind === 'embedding') embedding = output.usage;
      return output;
    },
    run: (inputs, options = {}) =>
      measure(inputs, sizeOfBatch(inputs), options.deadlineMs, (run, limited) =>
        steps
          ? steps.run(inputs, options, run, limited)
          : infer
            ? infer(model, inputs, options, run, limited)
            : loadInfer().then((loaded) => loaded(model, inputs, options, run, limited)),
      ),
    account: (askedMs, loadMs) => {
      const usage = {
        reference,
        askedMs,
        loadMs,
        inputMs,
        queueMs,
        runs,
        runMs,
        instances,
        embedding,
        quality,
      };
      return steps ? { ...usage, ...steps.measured } : usage;
    },
    refuse: async (error) => {
      if (!counted || !(error instanceof Error)) return;
      const own = failed.get(error);
      // The same error can end the request later.
      failed.delete(error);
      await addQuality(own?.quality);
      quality = (await loadCounts()).countRefused(counted, own?.sent, error, quality);
    },
  };
}

/** Loaded with the first values that can be other than expected. */
const loadCounts = loadOnce(() => import('./count-values.ts'));

/** Loaded with the first request that runs a graph on tensors; most requests run a task. */
let infer: typeof inferTensors | undefined;

async function loadInfer(): Promise<typeof inferTensors> {
  infer = (await import('./infer-tensors.ts')).inferTensors;
  return infer;
}

function checkBatchSize({ config: { maxBatchSize } }: Model, size: number): void {
  if (maxBatchSize === undefined || size <= maxBatchSize) return;
  throw invalid('The request', `has ${size} instances; this model takes at most ${maxBatchSize} at once.`);
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
