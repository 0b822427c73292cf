import type { WritableJson } from '../../json/write-json.ts';
import type { Duration, ModelStatistics } from '../../monitoring/statistics.ts';

/** One entry of `model_stats`. Source: Triton's statistics extension. Queue and caches do not exist here. */
export function encodeStatistics(statistics: ModelStatistics): WritableJson {
  const { reference, batches } = statistics;
  const sum = (pick: (batch: (typeof batches)[number]) => Duration): Duration =>
    batches.map(pick).reduce((a, b) => ({ count: a.count + b.count, totalMs: a.totalMs + b.totalMs }), NONE);
  return {
    name: reference.name,
    version: reference.version,
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferences,
    execution_count: statistics.success.count,
    inference_stats: {
      success: encodeDuration(statistics.success),
      fail: encodeDuration(statistics.failure),
      queue: encodeDuration({ count: statistics.success.count, totalMs: 0 }),
      compute_input: encodeDuration(sum(({ input }) => input)),
      compute_infer: encodeDuration(sum(({ run }) => run)),
      compute_output: encodeDuration(sum(({ output }) => output)),
      cache_hit: encodeDuration(NONE),
      cache_miss: encodeDuration(NONE),
    },
    response_stats: {},
    batch_stats: batches.map(({ batchSize, input, run, output }) => ({
      batch_size: batchSize,
      compute_input: encodeDuration(input),
      compute_infer: encodeDuration(run),
      compute_output: encodeDuration(output),
    })),
    memory_usage: [],
  };
}

const NONE: Duration = { count: 0, totalMs: 0 };

function encodeDuration({ count, totalMs }: Duration): WritableJson {
  return { count, ns: Math.round(totalMs * 1e6) };
}
