import type { ErrorCode } from '../../errors.ts';
import { bareCounter, counter, type Family, histogram } from './family.ts';
import { inferencesIn, mergeBy, type RanSeries, ranIn, succeededIn, sumBy } from './group.ts';
import { type Collector, exponential, type MetricNames } from './series.ts';

/** Microseconds, with the six digits that TensorFlow Serving writes. */
const LATENCY_BOUNDS = exponential(10, 1.8, 33, 6);
const QUEUE_BOUNDS = exponential(100, 1.2, 52, 6);
const RUN_BOUNDS = exponential(1000, 2, 20, 6);
const EXAMPLE_BOUNDS = exponential(1, 2, 15);

const MICROSECONDS = 1e6;

/** The names of `tensorflow::error::Code`. Everything else is `INVALID_ARGUMENT`. */
const STATUSES: Readonly<Partial<Record<ErrorCode | '', string>>> = {
  '': 'OK',
  CLIENT_GONE: 'CANCELLED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  RESOURCE_DOES_NOT_EXIST: 'NOT_FOUND',
  ENDPOINT_NOT_FOUND: 'NOT_FOUND',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  PAYLOAD_TOO_LARGE: 'RESOURCE_EXHAUSTED',
  NOT_IMPLEMENTED: 'UNIMPLEMENTED',
  METHOD_NOT_ALLOWED: 'UNIMPLEMENTED',
  MODEL_UNAVAILABLE: 'UNAVAILABLE',
  TEMPORARILY_UNAVAILABLE: 'UNAVAILABLE',
  INTERNAL_ERROR: 'INTERNAL',
  PROCESSOR_FAILED: 'INTERNAL',
};

/**
 * The names of TensorFlow Serving 2.20, with times in microseconds. It loads a model by building a graph, so the loads
 * of models are its graph builds. Sources: tensorflow/serving, tensorflow_serving/servables/tensorflow/util.cc,
 * tensorflow_serving/batching/batching_session.cc and tensorflow_serving/util/prometheus_exporter.cc;
 * tensorflow/tensorflow, tensorflow/core/framework/metrics.cc and tensorflow/cc/saved_model/loader.cc.
 */
export const TENSORFLOW_SERVING: MetricNames = {
  server: 'tensorflow-serving',
  durationBounds: [...LATENCY_BOUNDS, ...QUEUE_BOUNDS, ...RUN_BOUNDS].map(toSeconds),
  batchBounds: EXAMPLE_BOUNDS,
  families: ({ collector }) => {
    const inferences = inferencesIn(collector.requests);
    const succeeded = succeededIn(inferences);
    const ran = ranIn(inferences);
    return [
      bareCounter(
        ':tensorflow:serving:request_count',
        'Requests for an inference, by status.',
        sumBy(inferences, ({ model, code, count }) => [{ model_name: model, status: statusOf(code) }, count]),
      ),
      microseconds(
        ':tensorflow:serving:request_latency',
        'Microseconds of requests that succeeded.',
        mergeBy(
          succeeded,
          ({ model, route }) => ({ model_name: model, API: apiOf(route), entrypoint: 'REST' }),
          ({ duration }) => duration,
        ),
        LATENCY_BOUNDS,
      ),
      microseconds(
        ':tensorflow:serving:runtime_latency',
        'Microseconds of the runs of a request.',
        mergeBy(
          ran,
          ({ model, route }) => {
            const api = apiOf(route);
            return { model_name: model, API: `${api[0]?.toUpperCase()}${api.slice(1)}`, runtime: 'ONNX' };
          },
          ({ runs }) => runs.steps.run,
        ),
        LATENCY_BOUNDS,
      ),
      histogram(
        ':tensorflow:serving:request_example_counts',
        'Instances of a request that ran a model.',
        mergeBy(
          ran,
          ({ model }) => ({ model }),
          ({ runs }) => runs.batch,
        ),
        EXAMPLE_BOUNDS,
      ),
      counter(
        ':tensorflow:serving:request_example_count',
        'Instances that were run.',
        sumBy(ran, ({ model, runs }) => [{ model }, runs.batch.sum]),
      ),
      ...graphFamilies(ran),
      ...loadFamilies(collector),
    ];
  },
};

function graphFamilies(ran: readonly RanSeries[]): readonly Family[] {
  const runTimes = mergeBy(
    ran,
    () => ({}),
    ({ runs }) => runs.steps.run,
  );
  return [
    microseconds(
      ':tensorflow:serving:batching_session:queuing_latency',
      'Microseconds of waiting for a turn.',
      mergeBy(
        ran,
        () => ({ thread_pool_name: 'ternion' }),
        ({ runs }) => runs.steps.queue,
      ),
      QUEUE_BOUNDS,
    ),
    bareCounter(
      ':tensorflow:serving:batching_session:wrapped_run_count',
      'Runs of graphs.',
      sumBy(ran, ({ runs }) => [{}, runs.count]),
    ),
    bareCounter(
      ':tensorflow:core:graph_runs',
      'Runs of graphs.',
      sumBy(ran, ({ runs }) => [{}, runs.count]),
    ),
    bareCounter(
      ':tensorflow:core:graph_run_time_usecs',
      'Microseconds of all runs.',
      runTimes.map(([labels, { sum }]) => [labels, Math.round(sum * MICROSECONDS)]),
    ),
    microseconds(
      ':tensorflow:core:graph_run_time_usecs_histogram',
      'Microseconds of the runs of a request.',
      runTimes,
      RUN_BOUNDS,
    ),
  ];
}

function loadFamilies({ loads }: Collector): readonly Family[] {
  const loaded = loads.filter(({ latest }) => latest !== undefined);
  const timeOf = (sum: number) => Math.round(sum * MICROSECONDS);
  return [
    bareCounter(
      ':tensorflow:core:graph_build_calls',
      'Loads of models that succeeded.',
      sumBy(loaded, ({ duration }) => [{}, duration.counts.reduce((sum, count) => sum + count, 0)]),
    ),
    bareCounter(
      ':tensorflow:core:graph_build_time_usecs',
      'Microseconds of loads of models that succeeded.',
      sumBy(loaded, ({ duration }) => [{}, timeOf(duration.sum)]),
    ),
    bareCounter(
      ':tensorflow:cc:saved_model:load_latency',
      'Microseconds of loads that succeeded, by model.',
      sumBy(loaded, ({ model, version, duration }) => [
        { model_path: `${model}/${version}` },
        timeOf(duration.sum),
      ]),
    ),
  ];
}

/** @param bounds microseconds */
function microseconds(
  name: string,
  help: string,
  values: Parameters<typeof histogram>[2],
  bounds: readonly number[],
): Family {
  return histogram(name, help, values, bounds.map(toSeconds), MICROSECONDS);
}

function toSeconds(microseconds: number): number {
  return microseconds / MICROSECONDS;
}

/** What the path asks for, as it says it. */
function apiOf(route: string): string {
  return /:(classify|regress)$/.exec(route)?.[1] ?? 'predict';
}

function statusOf(code: string): string {
  return Object.entries(STATUSES).find(([each]) => each === code)?.[1] ?? 'INVALID_ARGUMENT';
}
