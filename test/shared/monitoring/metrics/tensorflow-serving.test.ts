import { expect, it } from 'vitest';
import { bucketsOf, collect, makeRecord, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP :tensorflow:serving:request_count Requests for an inference, by status.
# TYPE :tensorflow:serving:request_count counter
:tensorflow:serving:request_count{model_name="iris",status="OK"} 2
:tensorflow:serving:request_count{model_name="digits",status="OK"} 1
:tensorflow:serving:request_count{model_name="iris",status="INVALID_ARGUMENT"} 1
:tensorflow:serving:request_count{model_name="digits",status="INTERNAL"} 1
# HELP :tensorflow:serving:request_latency Microseconds of requests that succeeded.
# TYPE :tensorflow:serving:request_latency histogram
:tensorflow:serving:request_latency_sum{model_name="iris",API="predict",entrypoint="REST"} 16000
:tensorflow:serving:request_latency_count{model_name="iris",API="predict",entrypoint="REST"} 2
:tensorflow:serving:request_latency_sum{model_name="digits",API="predict",entrypoint="REST"} 600000
:tensorflow:serving:request_latency_count{model_name="digits",API="predict",entrypoint="REST"} 1
# HELP :tensorflow:serving:runtime_latency Microseconds of the runs of a request.
# TYPE :tensorflow:serving:runtime_latency histogram
:tensorflow:serving:runtime_latency_sum{model_name="iris",API="Predict",runtime="ONNX"} 11000
:tensorflow:serving:runtime_latency_count{model_name="iris",API="Predict",runtime="ONNX"} 2
:tensorflow:serving:runtime_latency_sum{model_name="digits",API="Predict",runtime="ONNX"} 500000
:tensorflow:serving:runtime_latency_count{model_name="digits",API="Predict",runtime="ONNX"} 1
# HELP :tensorflow:serving:request_example_counts Instances of a request that ran a model.
# TYPE :tensorflow:serving:request_example_counts histogram
:tensorflow:serving:request_example_counts_sum{model="iris"} 4
:tensorflow:serving:request_example_counts_count{model="iris"} 2
:tensorflow:serving:request_example_counts_sum{model="digits"} 2
:tensorflow:serving:request_example_counts_count{model="digits"} 1
# HELP :tensorflow:serving:request_example_count_total Instances that were run.
# TYPE :tensorflow:serving:request_example_count_total counter
:tensorflow:serving:request_example_count_total{model="iris"} 4
:tensorflow:serving:request_example_count_total{model="digits"} 2
# HELP :tensorflow:serving:batching_session:queuing_latency Microseconds of waiting for a turn.
# TYPE :tensorflow:serving:batching_session:queuing_latency histogram
:tensorflow:serving:batching_session:queuing_latency_sum{thread_pool_name="ternion"} 750
:tensorflow:serving:batching_session:queuing_latency_count{thread_pool_name="ternion"} 3
# HELP :tensorflow:serving:batching_session:wrapped_run_count Runs of graphs.
# TYPE :tensorflow:serving:batching_session:wrapped_run_count counter
:tensorflow:serving:batching_session:wrapped_run_count 4
# HELP :tensorflow:core:graph_runs Runs of graphs.
# TYPE :tensorflow:core:graph_runs counter
:tensorflow:core:graph_runs 4
# HELP :tensorflow:core:graph_run_time_usecs Microseconds of all runs.
# TYPE :tensorflow:core:graph_run_time_usecs counter
:tensorflow:core:graph_run_time_usecs 511000
# HELP :tensorflow:core:graph_run_time_usecs_histogram Microseconds of the runs of a request.
# TYPE :tensorflow:core:graph_run_time_usecs_histogram histogram
:tensorflow:core:graph_run_time_usecs_histogram_sum 511000
:tensorflow:core:graph_run_time_usecs_histogram_count 3
# HELP :tensorflow:core:graph_build_calls Loads of models that succeeded.
# TYPE :tensorflow:core:graph_build_calls counter
:tensorflow:core:graph_build_calls 1
# HELP :tensorflow:core:graph_build_time_usecs Microseconds of loads of models that succeeded.
# TYPE :tensorflow:core:graph_build_time_usecs counter
:tensorflow:core:graph_build_time_usecs 200000
# HELP :tensorflow:cc:saved_model:load_latency Microseconds of loads that succeeded, by model.
# TYPE :tensorflow:cc:saved_model:load_latency counter
:tensorflow:cc:saved_model:load_latency{model_path="iris/1"} 200000
`;

it('gives the numbers under the names of TensorFlow Serving', async () => {
  const { families } = await collect('tensorflow-serving');
  expect(writeWithoutBuckets(families)).toBe(TEXT);
});

it('has its buckets, in microseconds with six digits', async () => {
  const { families } = await collect('tensorflow-serving');
  const latency = bucketsOf(families, ':tensorflow:serving:request_latency').slice(0, 34);
  expect(latency.map(([end]) => end).join(' ')).toBe(
    '10 18 32.4 58.32 104.976 188.957 340.122 612.22 1102 1983.59 3570.47 6426.84 11568.3 20823 37481.3 67466.4 ' +
      '121440 218591 393464 708235 1274820 2294680 4130430 7434770 13382600 24088700 43359600 78047300 140485000 ' +
      '252873000 455172000 819309000 1474760000 +Inf',
  );
  expect(latency.slice(10, 14)).toEqual([
    ['3570.47', 0],
    ['6426.84', 1],
    ['11568.3', 1],
    ['20823', 2],
  ]);
  expect(bucketsOf(families, ':tensorflow:serving:batching_session:queuing_latency')).toHaveLength(53);
  expect(bucketsOf(families, ':tensorflow:core:graph_run_time_usecs_histogram')).toHaveLength(21);
});

it('says which of its methods a request used', async () => {
  const records = [':classify', ':regress', ':predict', '/infer'].map((end) =>
    makeRecord({ model: 'iris', version: '1', route: `/v1/models/{model}${end}`, runs: 1, instances: 1 }),
  );
  const { families } = await collect('tensorflow-serving', records);
  const countsOf = (name: string) =>
    families
      .find((family) => family.name === name)
      ?.samples.filter(({ suffix }) => suffix === '_count')
      .map(({ labels, value }) => [labels.API, value]);
  expect(countsOf(':tensorflow:serving:request_latency')).toEqual([
    ['classify', 1],
    ['regress', 1],
    ['predict', 2],
  ]);
  expect(countsOf(':tensorflow:serving:runtime_latency')).toEqual([
    ['Classify', 1],
    ['Regress', 1],
    ['Predict', 2],
  ]);
});
