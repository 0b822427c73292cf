import { setTimeout as pause } from 'node:timers/promises';
import type { RequestContext } from '../http/context.ts';
import type { ModelReference } from '../models/model-reference.ts';
import { type Logger, roundMs } from '../monitoring/logger.ts';
import type { ShadowRun } from '../monitoring/shadow-run.ts';
import { agree } from './agree.ts';
import type { ModelUse } from './model-use.ts';

/** What a model gave to a request: the results of all its runs, in their order. */
type Given = Awaited<ReturnType<ModelUse['predict'] | ModelUse['run']>>[];

export interface ShadowsOptions {
  /** Runs the work of a request with another version. */
  readonly use: (reference: ModelReference, work: (model: ModelUse) => Promise<unknown>) => Promise<void>;
  /** Whether a request waits or runs. */
  readonly isBusy: () => boolean;
  /** How many uses of models have begun. */
  readonly uses: () => number;
  readonly logger: Logger;
  readonly onRun: (run: ShadowRun) => void;
}

/** Runs requests again with other versions, after they were answered. Their answers never depend on it. */
export interface Shadows {
  /**
   * Begins a copy of a request.
   *
   * @param answered the version that answers it
   * @param versions those that get a copy
   */
  copyOf(
    answered: ModelReference,
    versions: readonly string[],
    context: Pick<RequestContext, 'waitUntil' | 'requestId'>,
  ): Copy;
}

/** A copy of one request for other versions. */
export interface Copy {
  /** The same use, with a record of what the model gives. */
  observe(model: ModelUse): ModelUse;
  /**
   * Runs it when the answer has left.
   *
   * @param work what the request did with its model
   * @param answered the version that did answer
   */
  send(work: (model: ModelUse) => unknown, answered: ModelReference): void;
}

/** Copies of a request that run when it is quiet. */
interface Waiting {
  readonly work: (model: ModelUse) => unknown;
  readonly versions: readonly string[];
  readonly answered: ModelReference;
  readonly isQuiet: () => boolean;
}

/** Longest time that copies of a request may keep a process awake after its answer. */
const BUDGET_MS = 10_000;
/** No request may have come for so long: the next one of the same client often follows at once. */
const QUIET_MS = 2;
/** How long no copy is tried after some that were dropped. */
const LONGEST_REST_MS = 100;

export function createShadows({ use, isBusy, uses, logger, onRun }: ShadowsOptions): Shadows {
  /** One request at a time in a process, so that few bodies are kept for it: until then, or until it has run. */
  let takenUntilMs = 0;
  /** Requests that follow each other closely leave no room; each try costs them a little. */
  let restMs = 0;

  async function run(
    reference: ModelReference,
    work: (model: ModelUse) => unknown,
    given: Given,
    answered: ModelReference,
    requestId: string,
  ): Promise<void> {
    const own: Given = [];
    let startMs = performance.now();
    let outcome: ShadowRun['outcome'] = 'failed';
    let error: unknown;
    try {
      await use(reference, async (model) => {
        // The time to load it does not count.
        startMs = performance.now();
        await work(recording(model, own));
      });
      outcome = agree(given, own) ? 'agreed' : 'differed';
    } catch (thrown) {
      error = thrown;
    }
    const durationMs = performance.now() - startMs;
    onRun({ reference, outcome, durationMs });
    logger.log(outcome === 'failed' ? 'warn' : 'debug', 'shadow', {
      request_id: requestId,
      model: reference.name,
      model_version: reference.version,
      answered_by: answered.version,
      outcome,
      run_ms: roundMs(durationMs),
      error,
    });
  }

  return {
    copyOf: (chosen, versions, { waitUntil, requestId }) => {
      const drop = (dropped: readonly string[]) => {
        for (const version of dropped) {
          onRun({ reference: { name: chosen.name, version }, outcome: 'dropped', durationMs: undefined });
        }
      };
      // Most copies under load end here, so that this is all that they cost a request.
      if (performance.now() < takenUntilMs) return { observe: (model) => model, send: () => drop(versions) };
      const given: Given = [];
      const send: Copy['send'] = (work, answered) => {
        // Another version may have answered than the one that was chosen.
        const others = versions.filter((version) => version !== answered.version);
        if (others.length === 0) return;
        takenUntilMs = performance.now() + BUDGET_MS;
        const begun = uses();
        const isQuiet = () => !isBusy() && uses() === begun;
        const copies = { work, versions: others, answered, isQuiet };
        waitUntil((signal) => runAll(copies, signal), { budgetMs: BUDGET_MS });
      };
      const runAll = async (copies: Waiting, signal: AbortSignal): Promise<void> => {
        let done = 0;
        try {
          await pause(QUIET_MS);
          for (const version of copies.versions) {
            if (signal.aborted || !copies.isQuiet()) break;
            await run({ name: chosen.name, version }, copies.work, given, copies.answered, requestId);
            done += 1;
          }
        } finally {
          const dropped = copies.versions.slice(done);
          restMs = dropped.length === 0 ? 0 : Math.min(2 * restMs + QUIET_MS, LONGEST_REST_MS);
          takenUntilMs = performance.now() + restMs;
          drop(dropped);
        }
      };
      return { observe: (model) => recording(model, given), send };
    },
  };
}

/** The same use, with a record of what the model gives. */
function recording(model: ModelUse, given: Given): ModelUse {
  const record = <R extends Given[number]>(result: R): R => {
    given.push(result);
    return result;
  };
  return {
    ...model,
    predict: async (input) => record(await model.predict(input)),
    run: async (inputs, options) => record(await model.run(inputs, options)),
  };
}
