import type { ErrorCode } from '../../errors.ts';
import { bareCounter, type Family, gauge, type Labels, type Value } from './family.ts';
import { failedIn, inferencesIn, type RanSeries, ranIn, succeededIn, sumBy } from './group.ts';
import { describeMachine } from './machine.ts';
import type { MetricNames, RequestSeries } from './series.ts';

/** Reasons that are not `OTHER`: a full queue or no time left, a client that has left, and a model that failed. */
const REASONS: Readonly<Record<string, readonly ErrorCode[]>> = {
  REJECTED: ['TEMPORARILY_UNAVAILABLE', 'DEADLINE_EXCEEDED'],
  CANCELED: ['CLIENT_GONE'],
  BACKEND: ['INTERNAL_ERROR', 'PROCESSOR_FAILED', 'MODEL_UNAVAILABLE'],
  OTHER: [],
};

/**
 * The names of the Triton Inference Server 2.71. Durations are sums of microseconds, of requests that succeeded.
 * Source: triton-inference-server/core, src/metrics.cc, src/metric_model_reporter.cc and src/constants.h.
 */
export const TRITON: MetricNames = {
  server: 'triton',
  families: ({ collector }) => {
    const inferences = inferencesIn(collector.requests);
    const succeeded = succeededIn(inferences);
    const ran = ranIn(inferences);
    const timed = ranIn(succeeded);
    const sumOf = (secondsOf: (each: RanSeries) => number) =>
      sumBy(timed, (each): Value => [modelOf(each), secondsOf(each) * 1e6]).map(
        ([labels, value]): Value => [labels, Math.round(value)],
      );
    return [
      bareCounter(
        'nv_inference_request_success',
        'Requests for an inference that succeeded.',
        sumBy(inferences, (each) => [modelOf(each), each.code === '' ? each.count : 0]),
      ),
      bareCounter(
        'nv_inference_request_failure',
        'Requests for an inference that failed, by reason.',
        sumBy(
          inferences.flatMap((each) => Object.keys(REASONS).map((reason) => ({ each, reason }))),
          ({ each, reason }) => [
            { ...modelOf(each), reason },
            failedIn([each]).length > 0 && reasonOf(each) === reason ? each.count : 0,
          ],
        ),
      ),
      bareCounter(
        'nv_inference_count',
        'Instances that were run; a batch has several.',
        sumBy(ran, (each) => [modelOf(each), each.runs.batch.sum]),
      ),
      bareCounter(
        'nv_inference_exec_count',
        'Runs of the graph.',
        sumBy(ran, (each) => [modelOf(each), each.runs.count]),
      ),
      bareCounter(
        'nv_inference_request_duration_us',
        'Microseconds of the requests.',
        sumOf(({ duration }) => duration.sum),
      ),
      bareCounter(
        'nv_inference_queue_duration_us',
        'Microseconds of waiting for a turn.',
        sumOf(({ runs }) => runs.steps.queue.sum),
      ),
      bareCounter(
        'nv_inference_compute_input_duration_us',
        'Microseconds of preprocessing.',
        sumOf(({ runs }) => runs.steps.preprocess.sum),
      ),
      bareCounter(
        'nv_inference_compute_infer_duration_us',
        'Microseconds of the runs.',
        sumOf(({ runs }) => runs.steps.run.sum),
      ),
      bareCounter(
        'nv_inference_compute_output_duration_us',
        'Microseconds of postprocessing and encoding.',
        sumOf(({ runs }) => runs.steps.encode.sum),
      ),
      gauge(
        'nv_model_load_duration_secs',
        'Seconds of the latest load.',
        collector.loads.flatMap((each): Value[] =>
          each.latest === undefined ? [] : [[modelOf(each), each.latest]],
        ),
      ),
      ...machineFamilies(),
    ];
  },
};

function machineFamilies(): readonly Family[] {
  const { busy, memory } = describeMachine();
  return [
    gauge('nv_cpu_utilization', 'Busy share of the processors, from 0 to 1.', [[{}, busy]]),
    gauge('nv_cpu_memory_total_bytes', 'Memory of the machine.', [[{}, memory.total]]),
    gauge('nv_cpu_memory_used_bytes', 'Memory of the machine that is in use.', [
      [{}, memory.total - memory.available],
    ]),
  ];
}

function reasonOf({ code }: RequestSeries): string {
  const found = Object.entries(REASONS).find(([, codes]) => codes.some((each) => each === code));
  return found?.[0] ?? 'OTHER';
}

function modelOf({ model, version }: Pick<RequestSeries, 'model' | 'version'>): Labels {
  return { model, version };
}
