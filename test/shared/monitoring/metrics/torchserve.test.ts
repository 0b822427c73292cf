import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { collect, makeRecord, RECORDS, writeWithoutBuckets } from '../../../support/metric-records.ts';

const TEXT = `# HELP Requests2XX Requests that were answered with such a status.
# TYPE Requests2XX counter
Requests2XX{Level="Host",Hostname="<host>"} 4
# HELP Requests4XX Requests that were answered with such a status.
# TYPE Requests4XX counter
Requests4XX{Level="Host",Hostname="<host>"} 2
# HELP Requests5XX Requests that were answered with such a status.
# TYPE Requests5XX counter
Requests5XX{Level="Host",Hostname="<host>"} 1
# HELP ts_inference_requests_total Requests for an inference.
# TYPE ts_inference_requests_total counter
ts_inference_requests_total{model_name="iris",model_version="1",hostname="<host>"} 3
ts_inference_requests_total{model_name="digits",model_version="2",hostname="<host>"} 2
# HELP ts_inference_latency_microseconds Microseconds of the requests.
# TYPE ts_inference_latency_microseconds counter
ts_inference_latency_microseconds{model_name="iris",model_version="1",hostname="<host>"} 16000
ts_inference_latency_microseconds{model_name="digits",model_version="2",hostname="<host>"} 600000
# HELP ts_queue_latency_microseconds Microseconds of waiting for a turn.
# TYPE ts_queue_latency_microseconds counter
ts_queue_latency_microseconds{model_name="iris",model_version="1",hostname="<host>"} 750
ts_queue_latency_microseconds{model_name="digits",model_version="2",hostname="<host>"} 0
# HELP QueueTime Milliseconds of waiting for a turn.
# TYPE QueueTime gauge
QueueTime{Level="Host",Hostname="<host>"} 0
# HELP HandlerTime Milliseconds from the input of the model to the values of the answer.
# TYPE HandlerTime gauge
HandlerTime{ModelName="iris",Level="Model",Hostname="<host>"} 3.625
HandlerTime{ModelName="digits",Level="Model",Hostname="<host>"} 594
# HELP PredictionTime Milliseconds from the input of the model to the values of the answer.
# TYPE PredictionTime gauge
PredictionTime{ModelName="iris",Level="Model",Hostname="<host>"} 3.625
PredictionTime{ModelName="digits",Level="Model",Hostname="<host>"} 594
`;

it("gives the numbers under TorchServe's names", async () => {
  const { families } = await collect('torchserve');
  const own = families.filter(({ name }) => !/^(CPU|Memory|Disk)/.test(name));
  expect(writeWithoutBuckets(own).replaceAll(`"${hostname()}"`, '"<host>"')).toBe(TEXT);
});

it('has the times of the request that ended last', async () => {
  const earlier = { ...makeRecord(RECORDS[0]), startedMs: 500, queueMs: 70 };
  const { families } = await collect('torchserve', [...RECORDS.slice(0, 1), earlier]);
  const queue = families.find(({ name }) => name === 'QueueTime');
  expect(queue?.samples.map(({ value }) => value)).toEqual([70]);
});

it('describes the machine in percent, megabytes and gigabytes', async () => {
  const { families } = await collect('torchserve', []);
  const values = new Map(families.map(({ name, samples }) => [name, samples[0]?.value ?? Number.NaN]));
  const read = (name: string) => values.get(name) ?? Number.NaN;
  expect(read('MemoryUtilization') / 100).toBeCloseTo(
    read('MemoryUsed') / (read('MemoryUsed') + read('MemoryAvailable')),
    9,
  );
  expect(read('DiskUtilization') / 100).toBeCloseTo(
    read('DiskUsage') / (read('DiskUsage') + read('DiskAvailable')),
    9,
  );
  expect(read('CPUUtilization')).toBeGreaterThanOrEqual(0);
  expect(read('CPUUtilization')).toBeLessThanOrEqual(100);
});
