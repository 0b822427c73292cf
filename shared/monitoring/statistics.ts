import { type ModelReference, pathOf } from '../models/model-reference.ts';

/** The outcome and cost of one inference. */
export interface Measurement {
  readonly batchSize: number;
  /** Time before, inside and after the runtime. */
  readonly inputMs: number;
  /** Time that its runs waited for their turn. */
  readonly queueMs: number;
  readonly runMs: number;
  readonly outputMs: number;
}

/** A sum with the number of its parts. */
export interface Duration {
  readonly count: number;
  readonly totalMs: number;
}

export interface BatchStatistics {
  readonly batchSize: number;
  readonly input: Duration;
  readonly run: Duration;
  readonly output: Duration;
}

export interface ModelStatistics {
  readonly reference: ModelReference;
  /** Milliseconds since the epoch; 0 before the first inference. */
  readonly lastInferenceMs: number;
  /** Number of instances; a batch has several. */
  readonly inferences: number;
  readonly success: Duration;
  /** The part of `success` in which runs waited for their turn. */
  readonly queue: Duration;
  readonly failure: Duration;
  readonly batches: readonly BatchStatistics[];
}

/** Counters per model version, since this instance started. */
export interface Statistics {
  succeed(reference: ModelReference, measurement: Measurement): void;
  fail(reference: ModelReference, durationMs: number): void;
  of(reference: ModelReference): ModelStatistics;
}

interface Counters {
  lastInferenceMs: number;
  inferences: number;
  readonly success: Sum;
  readonly queue: Sum;
  readonly failure: Sum;
  readonly batches: Map<number, Record<'input' | 'run' | 'output', Sum>>;
}

/** A duration that grows. */
interface Sum {
  count: number;
  totalMs: number;
}

const MOST_BATCH_SIZES = 100;

export function createStatistics(now: () => number = Date.now): Statistics {
  const models = new Map<string, Counters>();

  function countersOf(reference: ModelReference): Counters {
    const key = pathOf(reference);
    const known = models.get(key);
    if (known) return known;
    const fresh: Counters = {
      lastInferenceMs: 0,
      inferences: 0,
      success: newSum(),
      queue: newSum(),
      failure: newSum(),
      batches: new Map(),
    };
    models.set(key, fresh);
    return fresh;
  }

  return {
    succeed: (reference, { batchSize, inputMs, queueMs, runMs, outputMs }) => {
      const counters = countersOf(reference);
      counters.lastInferenceMs = now();
      counters.inferences += batchSize;
      add(counters.success, inputMs + queueMs + runMs + outputMs);
      add(counters.queue, queueMs);
      // Clients choose batch sizes, so the number of counters must be limited.
      let batch = counters.batches.get(batchSize);
      if (!batch) {
        if (counters.batches.size >= MOST_BATCH_SIZES) return;
        batch = { input: newSum(), run: newSum(), output: newSum() };
        counters.batches.set(batchSize, batch);
      }
      add(batch.input, inputMs);
      add(batch.run, runMs);
      add(batch.output, outputMs);
    },
    fail: (reference, durationMs) => {
      const counters = countersOf(reference);
      add(counters.failure, durationMs);
    },
    of: (reference) => {
      const { batches, ...counters } = structuredClone(countersOf(reference));
      return {
        reference,
        ...counters,
        batches: [...batches].map(([batchSize, sums]) => ({ batchSize, ...sums })),
      };
    },
  };
}

function newSum(): Sum {
  return { count: 0, totalMs: 0 };
}

function add(sum: Sum, ms: number): void {
  sum.count += 1;
  sum.totalMs += ms;
}
