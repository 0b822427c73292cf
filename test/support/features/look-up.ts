import { createBudget } from '../../../shared/budget.ts';
import { type FeaturesSettings, features } from '../../../shared/features/features.ts';
import type { TraceContext } from '../../../shared/http/trace-context.ts';
import { bindProcessors } from '../../../shared/processors/bind-processors.ts';
import { createMeasurements } from '../../../shared/processors/measurements.ts';
import type { Processor } from '../../../shared/processors/processor.ts';
import { LIMITS } from '../make-inference.ts';

const MODEL = { name: 'm', version: '1' };

export interface LookUpOptions {
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal;
  /** Its place in a trace; none by default. */
  readonly trace?: TraceContext;
  /** How long the request may take. */
  readonly timeMs?: number;
}

export interface LookedUp {
  readonly rows: unknown;
  readonly counts: Readonly<Record<string, number>>;
}

/** The step for one model, as requests use it. */
export async function bindFeatures(
  settings: FeaturesSettings,
  options: object,
): Promise<(instances: readonly unknown[], request?: LookUpOptions) => Promise<LookedUp>> {
  return await bindStep(features(settings), options);
}

/** One step for one of several models. */
export async function bindStep(
  step: Processor,
  options: object,
): Promise<(instances: readonly unknown[], request?: LookUpOptions) => Promise<LookedUp>> {
  const processors = await bindProcessors([{ ...options, step: step.name }], [step], MODEL);
  return async (instances, { signal, timeMs, trace } = {}) => {
    const measurements = createMeasurements();
    const budget = createBudget(LIMITS, {
      signal,
      deadlineMs: timeMs === undefined ? undefined : performance.now() + timeMs,
      now: () => performance.now(),
    });
    const log = () => ({ info: () => undefined, warn: () => undefined, error: () => undefined });
    const run = processors.start({ budget, measurements, log, trace });
    try {
      const { returned } = await run.before(
        instances.map((value, index) => ({ value, field: `instances[${index}]` })),
      );
      return { rows: returned, counts: Object.fromEntries(measurements.counts) };
    } finally {
      run.end();
    }
  };
}

/** The error that a look-up ends with: its code, its message, and the reason that goes to the log. */
export async function refusalOf(promise: Promise<unknown>): Promise<readonly [string, string, string?]> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error) || !('code' in error))
    throw new Error('it was not refused', { cause: error });
  const { cause } = error;
  const parts = [String(error.code), error.message] as const;
  return cause instanceof Error ? [...parts, cause.message] : parts;
}
