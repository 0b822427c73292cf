import { expect, it } from 'vitest';
import { collect, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP nv_inference_request_success Requests for an inference that succeeded.
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="iris",version="1"} 2
nv_inference_request_success{model="digits",version="2"} 1
# HELP nv_inference_request_failure Requests for an inference that failed, by reason.
# TYPE nv_inference_request_failure counter
nv_inference_request_failure{model="iris",version="1",reason="REJECTED"} 0
nv_inference_request_failure{model="iris",version="1",reason="CANCELED"} 0
nv_inference_request_failure{model="iris",version="1",reason="BACKEND"} 0
nv_inference_request_failure{model="iris",version="1",reason="OTHER"} 1
nv_inference_request_failure{model="digits",version="2",reason="REJECTED"} 0
nv_inference_request_failure{model="digits",version="2",reason="CANCELED"} 0
nv_inference_request_failure{model="digits",version="2",reason="BACKEND"} 1
nv_inference_request_failure{model="digits",version="2",reason="OTHER"} 0
# HELP nv_inference_count Instances that were run; a batch has several.
# TYPE nv_inference_count counter
nv_inference_count{model="iris",version="1"} 4
nv_inference_count{model="digits",version="2"} 2
# HELP nv_inference_exec_count Runs of the graph.
# TYPE nv_inference_exec_count counter
nv_inference_exec_count{model="iris",version="1"} 2
nv_inference_exec_count{model="digits",version="2"} 2
# HELP nv_inference_request_duration_us Microseconds of the requests.
# TYPE nv_inference_request_duration_us counter
nv_inference_request_duration_us{model="iris",version="1"} 16000
nv_inference_request_duration_us{model="digits",version="2"} 600000
# HELP nv_inference_queue_duration_us Microseconds of waiting for a turn.
# TYPE nv_inference_queue_duration_us counter
nv_inference_queue_duration_us{model="iris",version="1"} 750
nv_inference_queue_duration_us{model="digits",version="2"} 0
# HELP nv_inference_compute_input_duration_us Microseconds of preprocessing.
# TYPE nv_inference_compute_input_duration_us counter
nv_inference_compute_input_duration_us{model="iris",version="1"} 1500
nv_inference_compute_input_duration_us{model="digits",version="2"} 90000
# HELP nv_inference_compute_infer_duration_us Microseconds of the runs.
# TYPE nv_inference_compute_infer_duration_us counter
nv_inference_compute_infer_duration_us{model="iris",version="1"} 11000
nv_inference_compute_infer_duration_us{model="digits",version="2"} 500000
# HELP nv_inference_compute_output_duration_us Microseconds of postprocessing and encoding.
# TYPE nv_inference_compute_output_duration_us counter
nv_inference_compute_output_duration_us{model="iris",version="1"} 2125
nv_inference_compute_output_duration_us{model="digits",version="2"} 4000
# HELP nv_model_load_duration_secs Seconds of the latest load.
# TYPE nv_model_load_duration_secs gauge
nv_model_load_duration_secs{model="iris",version="1"} 0.2
`;

it("gives the numbers under Triton's names", async () => {
  const { families } = await collect('triton');
  expect(writeWithoutBuckets(families.filter(({ name }) => !name.startsWith('nv_cpu')))).toBe(TEXT);
});

it('describes the machine', async () => {
  const { families } = await collect('triton', []);
  const values = new Map(families.map(({ name, samples }) => [name, samples[0]?.value ?? Number.NaN]));
  expect(values.get('nv_cpu_utilization')).toBeGreaterThanOrEqual(0);
  expect(values.get('nv_cpu_utilization')).toBeLessThanOrEqual(1);
  const used = values.get('nv_cpu_memory_used_bytes');
  expect(used).toBeGreaterThan(0);
  expect(values.get('nv_cpu_memory_total_bytes')).toBeGreaterThan(used ?? Number.NaN);
});
