import { expect, it } from 'vitest';
import { bucketsOf, collect, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP request_preprocess_seconds Time of preprocessing.
# TYPE request_preprocess_seconds histogram
request_preprocess_seconds_sum{model_name="iris"} 0.0015
request_preprocess_seconds_count{model_name="iris"} 2
request_preprocess_seconds_sum{model_name="digits"} 0.09
request_preprocess_seconds_count{model_name="digits"} 1
# HELP request_predict_seconds Time of the runs.
# TYPE request_predict_seconds histogram
request_predict_seconds_sum{model_name="iris"} 0.011
request_predict_seconds_count{model_name="iris"} 2
request_predict_seconds_sum{model_name="digits"} 0.5
request_predict_seconds_count{model_name="digits"} 1
# HELP request_postprocess_seconds Time of postprocessing and encoding.
# TYPE request_postprocess_seconds histogram
request_postprocess_seconds_sum{model_name="iris"} 0.002125
request_postprocess_seconds_count{model_name="iris"} 2
request_postprocess_seconds_sum{model_name="digits"} 0.004
request_postprocess_seconds_count{model_name="digits"} 1
`;

it("gives the numbers under KServe's names", async () => {
  const { families } = await collect('kserve');
  expect(writeWithoutBuckets(families)).toBe(TEXT);
});

it("has the buckets of Prometheus' client for Python", async () => {
  const { families } = await collect('kserve');
  const first = bucketsOf(families, 'request_predict_seconds').slice(0, 15);
  expect(first.map(([end]) => end).join(' ')).toBe(
    '0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf',
  );
  expect(first.map(([, count]) => count)).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
});

it('has nothing before the first request', async () => {
  expect(writeWithoutBuckets((await collect('kserve', [])).families)).toBe('');
});
