/** What `/metrics` counts. */
interface Numbers {
  readonly of1: number;
  readonly of2: number;
  readonly wrong: number;
  readonly cpu: number;
  readonly busy: number;
}

function scrape({ of1, of2, wrong, cpu, busy }: Numbers): string {
  const iris1 = 'model="iris",version="1"';
  const iris2 = 'model="iris",version="2"';
  // Each request to version 2 took between 0.1 and 0.2 seconds.
  const durations = ['0.1', '0.2', '+Inf']
    .map((end, index) => {
      const labels = `{protocol="ternion",${iris2},le="${end}"}`;
      return `ternion_request_duration_seconds_bucket${labels} ${index === 0 ? 0 : of2}`;
    })
    .join('\n');
  return `# HELP ternion_requests_total Requests that were answered.
# TYPE ternion_requests_total counter
ternion_requests_total{protocol="ternion",${iris1},status="503"} ${of1}
ternion_requests_total{protocol="ternion",${iris2},status="200"} ${of2 - wrong}
ternion_requests_total{protocol="ternion",${iris2},status="400"} ${wrong}
ternion_requests_total{protocol="metrics",model="",version="",status="200"} ${of2 * 100}
ternion_errors_total{protocol="ternion",${iris2},code="INVALID_PARAMETER_VALUE"} ${wrong}
ternion_errors_total{protocol="ternion",${iris1},code="MODEL_UNAVAILABLE"} 7
${durations}
ternion_step_duration_seconds_sum{step="decode",${iris2}} ${of2 / 1000}
ternion_step_duration_seconds_count{step="decode",${iris2}} ${of2}
ternion_step_duration_seconds_sum{step="run",${iris2}} ${(of2 * 4) / 1000}
ternion_step_duration_seconds_count{step="run",${iris2}} ${of2}
ternion_step_duration_seconds_sum{step="encode",${iris2}} 1
ternion_step_duration_seconds_count{step="encode",${iris2}} 1
ternion_batch_size_bucket{${iris2},le="2"} 0
ternion_batch_size_bucket{${iris2},le="4"} ${of2}
ternion_batch_size_bucket{${iris2},le="+Inf"} ${of2}
ternion_batch_size_sum{${iris2}} ${of2 * 2.5}
ternion_batch_size_count{${iris2}} ${of2}
ternion_requests_in_progress 3
ternion_runs_waiting 4
ternion_model_load_duration_seconds_count{${iris1}} 1
ternion_model_load_duration_seconds_count{${iris2}} 1
ternion_model_load_failures_total{${iris1}} 1
ternion_model_load_failures_total{${iris2}} 0
ternion_cold_starts_total 1
ternion_info{version="1.2.3"} 1
process_cpu_seconds_total ${cpu}
process_resident_memory_bytes 200000000
process_start_time_seconds 100
nodejs_heap_size_used_bytes 50000000
nodejs_eventloop_busy_seconds_total ${busy}
`;
}

/** Two readings. Between them are 12 requests, two of which are wrong. */
export const ONE: string = scrape({ of1: 10, of2: 100, wrong: 5, cpu: 4, busy: 2 });
export const TWO: string = scrape({ of1: 12, of2: 110, wrong: 7, cpu: 5.5, busy: 3 });
