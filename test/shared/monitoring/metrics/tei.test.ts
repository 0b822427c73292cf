import { expect, it } from 'vitest';
import { bucketsOf, collect, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP te_request_count Requests for an inference.
# TYPE te_request_count counter
te_request_count{method="single"} 3
te_request_count{method="batch"} 2
# HELP te_request_success Requests that succeeded.
# TYPE te_request_success counter
te_request_success{method="single"} 1
te_request_success{method="batch"} 2
# HELP te_request_failure Requests that failed, by reason.
# TYPE te_request_failure counter
te_request_failure{err="validation"} 1
te_request_failure{err="inference"} 1
# HELP te_embed_count Instances of all requests.
# TYPE te_embed_count counter
te_embed_count 8
# HELP te_embed_success Instances of requests that succeeded.
# TYPE te_embed_success counter
te_embed_success 6
# HELP te_request_duration Seconds of a request that succeeded.
# TYPE te_request_duration histogram
te_request_duration_sum 0.616
te_request_duration_count 3
# HELP te_request_tokenization_duration Seconds of preprocessing.
# TYPE te_request_tokenization_duration histogram
te_request_tokenization_duration_sum 0.0915
te_request_tokenization_duration_count 3
# HELP te_request_queue_duration Seconds of waiting for a turn.
# TYPE te_request_queue_duration histogram
te_request_queue_duration_sum 0.00075
te_request_queue_duration_count 3
# HELP te_request_inference_duration Seconds of the runs.
# TYPE te_request_inference_duration histogram
te_request_inference_duration_sum 0.511
te_request_inference_duration_count 3
# HELP te_embed_duration Seconds of a request that succeeded.
# TYPE te_embed_duration histogram
te_embed_duration_sum 0.616
te_embed_duration_count 3
# HELP te_embed_tokenization_duration Seconds of preprocessing.
# TYPE te_embed_tokenization_duration histogram
te_embed_tokenization_duration_sum 0.0915
te_embed_tokenization_duration_count 3
# HELP te_embed_queue_duration Seconds of waiting for a turn.
# TYPE te_embed_queue_duration histogram
te_embed_queue_duration_sum 0.00075
te_embed_queue_duration_count 3
# HELP te_embed_inference_duration Seconds of the runs.
# TYPE te_embed_inference_duration histogram
te_embed_inference_duration_sum 0.511
te_embed_inference_duration_count 3
# HELP te_batch_next_size Instances of a request that ran a model.
# TYPE te_batch_next_size histogram
te_batch_next_size_sum 6
te_batch_next_size_count 3
# HELP te_queue_size Runs that wait for their turn.
# TYPE te_queue_size gauge
te_queue_size 4
`;

it('gives the numbers under the names of Text Embeddings Inference', async () => {
  const { families } = await collect('tei');
  expect(writeWithoutBuckets(families)).toBe(TEXT);
});

it('has its buckets', async () => {
  const { families } = await collect('tei');
  const durations = bucketsOf(families, 'te_request_duration');
  expect(durations).toHaveLength(36);
  expect(durations.slice(0, 3)).toEqual([
    ['0.000015', 0],
    ['0.0000225', 0],
    ['0.00003375', 0],
  ]);
  expect(durations.slice(-2)).toEqual([
    ['14.5610960605', 3],
    ['+Inf', 3],
  ]);
  expect(bucketsOf(families, 'te_batch_next_size').slice(0, 4)).toEqual([
    ['1', 1],
    ['2', 2],
    ['4', 3],
    ['8', 3],
  ]);
});
