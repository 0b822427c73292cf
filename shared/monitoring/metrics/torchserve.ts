import { bareCounter, counter, type Family, gauge, type Labels, type Value } from './family.ts';
import { inferencesIn, type RanSeries, ranIn, succeededIn, sumBy } from './group.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { MetricNames, RequestSeries } from './series.ts';

const MEBIBYTE = 1024 * 1024;
const GIBIBYTE = 1024 * MEBIBYTE;

/**
 * The names of TorchServe 0.12. `Requests2XX` and its neighbours count all requests. Latencies are sums of microseconds,
 * and times such as `HandlerTime` are the milliseconds of the latest request, both of requests that succeeded.
 * Sources: pytorch/serve, ts/configs/metrics.yaml, ts/metrics/system_metrics.py and
 * frontend/server/src/main/java/org/pytorch/serve/job/RestJob.java.
 */
export const TORCHSERVE: MetricNames = {
  server: 'torchserve',
  families: ({ collector }) => {
    const machine = describeMachine();
    const host = { Level: 'Host', Hostname: machine.hostname };
    const inferences = inferencesIn(collector.requests);
    const ran = ranIn(succeededIn(inferences));
    const labelsOf = ({ model, version }: RequestSeries): Labels => ({
      model_name: model,
      model_version: version,
      hostname: machine.hostname,
    });
    const sumOf = (secondsOf: (each: RanSeries) => number) =>
      sumBy(ran, (each) => [labelsOf(each), secondsOf(each) * 1e6]);
    const statuses = (name: string, isIn: (status: number) => boolean) => {
      const counted = collector.requests.filter(({ status }) => isIn(status));
      return bareCounter(name, 'Requests that were answered with such a status.', [
        [host, counted.reduce((sum, { count }) => sum + count, 0)],
      ]);
    };
    return [
      statuses('Requests2XX', (status) => status >= 200 && status < 300),
      statuses('Requests4XX', (status) => status >= 400 && status < 500),
      statuses('Requests5XX', (status) => status >= 500),
      counter(
        'ts_inference_requests',
        'Requests for an inference.',
        sumBy(inferences, (each) => [labelsOf(each), each.count]),
      ),
      bareCounter(
        'ts_inference_latency_microseconds',
        'Microseconds of the requests.',
        sumOf(({ duration }) => duration.sum),
      ),
      bareCounter(
        'ts_queue_latency_microseconds',
        'Microseconds of waiting for a turn.',
        sumOf(({ runs }) => runs.steps.queue.sum),
      ),
      ...latestFamilies(ran, host),
      ...machineFamilies(machine, host),
    ];
  },
};

/** TorchServe's handler does everything from the input of the model to the values of the answer. */
function latestFamilies(ran: readonly RanSeries[], host: Labels): readonly Family[] {
  const sorted = ran.toSorted((a, b) => a.runs.latest.startedMs - b.runs.latest.startedMs);
  const byModel = new Map(sorted.map((each) => [each.model, each]));
  const handled = [...byModel.values()].map(({ model, runs: { latest } }): Value => {
    const { preprocess, run, encode } = latest.steps;
    return [{ ModelName: model, ...host, Level: 'Model' }, preprocess + run + encode];
  });
  const last = sorted.at(-1);
  return [
    gauge('QueueTime', 'Milliseconds of waiting for a turn.', last ? [[host, last.runs.latest.queueMs]] : []),
    gauge('HandlerTime', 'Milliseconds from the input of the model to the values of the answer.', handled),
    gauge('PredictionTime', 'Milliseconds from the input of the model to the values of the answer.', handled),
  ];
}

function machineFamilies({ busy, memory, disk }: Machine, host: Labels): readonly Family[] {
  const used = memory.total - memory.available;
  return [
    gauge('CPUUtilization', 'Busy share of the processors, in percent.', [[host, busy * 100]]),
    gauge('MemoryUsed', 'Memory of the machine that is in use, in units of 2^20 bytes.', [
      [host, used / MEBIBYTE],
    ]),
    gauge('MemoryAvailable', 'Memory that programs can still get, in units of 2^20 bytes.', [
      [host, memory.available / MEBIBYTE],
    ]),
    gauge('MemoryUtilization', 'Used share of the memory, in percent.', [
      [host, (used / memory.total) * 100],
    ]),
    ...(disk
      ? [
          gauge('DiskUsage', 'Used part of the file system, in units of 2^30 bytes.', [
            [host, (disk.total - disk.available) / GIBIBYTE],
          ]),
          gauge('DiskUtilization', 'Used share of the file system, in percent.', [
            [host, (1 - disk.available / disk.total) * 100],
          ]),
          gauge('DiskAvailable', 'Free part of the file system, in units of 2^30 bytes.', [
            [host, disk.available / GIBIBYTE],
          ]),
        ]
      : []),
  ];
}
