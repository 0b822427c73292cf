import { expect, it } from 'vitest';
import { collect, makeRecord, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP model_infer_request_success_total Requests for an inference that succeeded.
# TYPE model_infer_request_success_total counter
model_infer_request_success_total{model="iris",version="1"} 2
model_infer_request_success_total{model="digits",version="2"} 1
# HELP model_infer_request_failure_total Requests for an inference that failed.
# TYPE model_infer_request_failure_total counter
model_infer_request_failure_total{model="iris",version="1"} 1
model_infer_request_failure_total{model="digits",version="2"} 1
# HELP model_infer_request_duration Seconds of requests for an inference.
# TYPE model_infer_request_duration summary
model_infer_request_duration_count{model="iris",version="1"} 3
model_infer_request_duration_sum{model="iris",version="1"} 0.017
model_infer_request_duration_count{model="digits",version="2"} 2
model_infer_request_duration_sum{model="digits",version="2"} 0.603
# HELP rest_server_requests_total Requests to known routes.
# TYPE rest_server_requests_total counter
rest_server_requests_total{method="POST",path="/v1/models/{model}:predict",status_code="200",app_name="mlserver"} 1
rest_server_requests_total{method="POST",path="/v2/models/{model}/infer",status_code="200",app_name="mlserver"} 1
rest_server_requests_total{method="POST",path="/models/{model}/predict",status_code="200",app_name="mlserver"} 1
rest_server_requests_total{method="POST",path="/v1/models/{model}:predict",status_code="400",app_name="mlserver"} 1
rest_server_requests_total{method="POST",path="/models/{model}/predict",status_code="500",app_name="mlserver"} 1
rest_server_requests_total{method="GET",path="/v2/models/{model}",status_code="200",app_name="mlserver"} 1
# HELP rest_server_request_duration_seconds Seconds of requests to known routes.
# TYPE rest_server_request_duration_seconds histogram
rest_server_request_duration_seconds_sum{method="POST",path="/v1/models/{model}:predict",status_code="200",app_name="mlserver"} 0.012
rest_server_request_duration_seconds_count{method="POST",path="/v1/models/{model}:predict",status_code="200",app_name="mlserver"} 1
rest_server_request_duration_seconds_sum{method="POST",path="/v2/models/{model}/infer",status_code="200",app_name="mlserver"} 0.004
rest_server_request_duration_seconds_count{method="POST",path="/v2/models/{model}/infer",status_code="200",app_name="mlserver"} 1
rest_server_request_duration_seconds_sum{method="POST",path="/models/{model}/predict",status_code="200",app_name="mlserver"} 0.6
rest_server_request_duration_seconds_count{method="POST",path="/models/{model}/predict",status_code="200",app_name="mlserver"} 1
rest_server_request_duration_seconds_sum{method="POST",path="/v1/models/{model}:predict",status_code="400",app_name="mlserver"} 0.001
rest_server_request_duration_seconds_count{method="POST",path="/v1/models/{model}:predict",status_code="400",app_name="mlserver"} 1
rest_server_request_duration_seconds_sum{method="POST",path="/models/{model}/predict",status_code="500",app_name="mlserver"} 0.003
rest_server_request_duration_seconds_count{method="POST",path="/models/{model}/predict",status_code="500",app_name="mlserver"} 1
rest_server_request_duration_seconds_sum{method="GET",path="/v2/models/{model}",status_code="200",app_name="mlserver"} 0.001
rest_server_request_duration_seconds_count{method="GET",path="/v2/models/{model}",status_code="200",app_name="mlserver"} 1
# HELP rest_server_requests_in_progress Requests that have begun and not ended.
# TYPE rest_server_requests_in_progress gauge
rest_server_requests_in_progress{app_name="mlserver"} 1
`;

it("gives the numbers under MLServer's names", async () => {
  const { families } = await collect('mlserver');
  expect(writeWithoutBuckets(families)).toBe(TEXT);
});

it('leaves out the routes that MLServer leaves out', async () => {
  const records = ['/metrics', '/v2/health/live', '/v2/health/ready', '/v2'].map((route) =>
    makeRecord({ method: 'GET', route }),
  );
  const { families } = await collect('mlserver', records);
  const requests = families.find(({ name }) => name === 'rest_server_requests');
  expect(requests?.samples.map(({ labels, value }) => [labels.path, value])).toEqual([['/v2', 1]]);
});
