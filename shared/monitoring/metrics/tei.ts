import type { ErrorCode } from '../../errors.ts';
import { bareCounter, type Family, gauge, histogram, type Value } from './family.ts';
import { failedIn, inferencesIn, mergeBy, type RanSeries, ranIn, succeededIn, sumBy } from './group.ts';
import { bucketsOf, type Histogram } from './histogram.ts';
import { exponential, type MetricNames } from './series.ts';

/** Seconds. */
const DURATION_BOUNDS = exponential(0.000015, 1.5, 35);
const SIZE_BOUNDS = exponential(1, 2, 13);

/** What the `err` of a failure says. Everything else is `validation`. */
const FAILURES: Readonly<Partial<Record<ErrorCode, string>>> = {
  PAYLOAD_TOO_LARGE: 'batch_size',
  TEMPORARILY_UNAVAILABLE: 'overloaded',
  CLIENT_GONE: 'dropped',
  DEADLINE_EXCEEDED: 'inference',
  MODEL_UNAVAILABLE: 'inference',
  PROCESSOR_FAILED: 'inference',
  INTERNAL_ERROR: 'inference',
  NOT_IMPLEMENTED: 'model_type',
};

/**
 * The names of Text Embeddings Inference 1.9. It serves one model, so these are the sums of all models. A request with
 * one instance is `single`. A failed one has no known size, and is `single` too. `te_embed` counts instances, of
 * classifiers as well; its histograms have one value of each request.
 * Source: huggingface/text-embeddings-inference, router/src/prometheus.rs, router/src/lib.rs, router/src/http/server.rs,
 * core/src/infer.rs and core/src/queue.rs.
 */
export const TEI: MetricNames = {
  server: 'tei',
  durationBounds: DURATION_BOUNDS,
  batchBounds: SIZE_BOUNDS,
  families: ({ collector, waiting }) => {
    const inferences = inferencesIn(collector.requests);
    const succeeded = succeededIn(inferences);
    const failed = failedIn(inferences);
    const ran = ranIn(succeeded);
    const failures = countAll(failed);
    const single = succeeded.reduce(
      (sum, each) => sum + each.count - (each.runs ? severalIn(each.runs.batch) : 0),
      0,
    );
    const batch = countAll(succeeded) - single;
    const instances = ran.reduce((sum, { runs }) => sum + runs.batch.sum, 0);
    return [
      bareCounter('te_request_count', 'Requests for an inference.', byMethod(single + failures, batch)),
      bareCounter('te_request_success', 'Requests that succeeded.', byMethod(single, batch)),
      bareCounter(
        'te_request_failure',
        'Requests that failed, by reason.',
        sumBy(failed, ({ code, count }) => [{ err: failureOf(code) }, count]),
      ),
      bareCounter(
        'te_embed_count',
        'Instances of all requests.',
        inferences.length > 0 ? [[{}, instances + failures]] : [],
      ),
      bareCounter(
        'te_embed_success',
        'Instances of requests that succeeded.',
        ran.length > 0 ? [[{}, instances]] : [],
      ),
      ...durationFamilies('te_request', ran),
      ...durationFamilies('te_embed', ran),
      histogram(
        'te_batch_next_size',
        'Instances of a request that ran a model.',
        merge(ran, ({ runs }) => runs.batch),
        SIZE_BOUNDS,
      ),
      gauge('te_queue_size', 'Runs that wait for their turn.', [[{}, waiting]]),
    ];
  },
};

function durationFamilies(prefix: string, ran: readonly RanSeries[]): readonly Family[] {
  const describe = (name: string, help: string, histogramOf: (each: RanSeries) => Histogram) =>
    histogram(`${prefix}_${name}`, help, merge(ran, histogramOf), DURATION_BOUNDS);
  return [
    describe('duration', 'Seconds of a request that succeeded.', ({ duration }) => duration),
    describe('tokenization_duration', 'Seconds of preprocessing.', ({ runs }) => runs.steps.preprocess),
    describe('queue_duration', 'Seconds of waiting for a turn.', ({ runs }) => runs.steps.queue),
    describe('inference_duration', 'Seconds of the runs.', ({ runs }) => runs.steps.run),
  ];
}

function merge(ran: readonly RanSeries[], histogramOf: (each: RanSeries) => Histogram) {
  return mergeBy(ran, () => ({}), histogramOf);
}

/** Requests with more than one instance. */
function severalIn(batch: Histogram): number {
  const [one, all] = bucketsOf(batch, [1]);
  return (all?.count ?? 0) - (one?.count ?? 0);
}

function countAll(requests: readonly { readonly count: number }[]): number {
  return requests.reduce((sum, { count }) => sum + count, 0);
}

/** A counter begins with the first request. */
function byMethod(single: number, batch: number): readonly Value[] {
  const values: readonly Value[] = [
    [{ method: 'single' }, single],
    [{ method: 'batch' }, batch],
  ];
  return values.filter(([, count]) => count > 0);
}

function failureOf(code: string): string {
  return Object.entries(FAILURES).find(([each]) => each === code)?.[1] ?? 'validation';
}
