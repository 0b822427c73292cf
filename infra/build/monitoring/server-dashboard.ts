import type { DashboardOptions, Row } from './panels.ts';
import { failedShare, JOB, MODEL, mean, perSecond, quantile, quantiles, VARIABLES } from './queries.ts';

const TRAFFIC: Row = {
  title: 'Traffic',
  panels: [
    {
      title: 'Requests by protocol',
      description: 'Answered requests per second. "metrics" is Prometheus itself.',
      unit: 'reqps',
      isStacked: true,
      queries: [{ expr: perSecond('ternion_requests_total', 'protocol'), legend: '{{protocol}}' }],
    },
    {
      title: 'Requests by model',
      description:
        'Requests per second. Those without a model are about the server, or failed before a model was known.',
      unit: 'reqps',
      isStacked: true,
      queries: [{ expr: perSecond('ternion_requests_total', 'model'), legend: '{{model}}' }],
    },
    {
      title: 'Bytes',
      description: 'Bodies of requests and answers, per second.',
      unit: 'Bps',
      queries: [
        { expr: perSecond('ternion_request_bytes_total', ''), legend: 'in' },
        { expr: perSecond('ternion_response_bytes_total', ''), legend: 'out' },
      ],
    },
  ],
};

const ERRORS: Row = {
  title: 'Errors',
  panels: [
    {
      title: 'Errors by code',
      description: 'Errors per second. docs/requests.md explains the codes.',
      unit: 'reqps',
      isStacked: true,
      queries: [{ expr: perSecond('ternion_errors_total', 'code'), legend: '{{code}}' }],
    },
    {
      title: 'Answers by status',
      description: 'Requests per second by HTTP status.',
      unit: 'reqps',
      isStacked: true,
      queries: [{ expr: perSecond('ternion_requests_total', 'status'), legend: '{{status}}' }],
    },
    {
      title: 'Share of failed requests',
      description:
        'Requests for predictions that failed by a fault of the server, as a share of all but the mistakes of clients. The alert TernionErrorRate fires above 5 %.',
      unit: 'percentunit',
      queries: [{ expr: failedShare(''), legend: 'failed' }],
    },
  ],
};

const LATENCY: Row = {
  title: 'Latency',
  panels: [
    {
      title: 'Time of a request',
      description:
        'From the arrival until the answer was made. Percentiles are estimates within a bucket. Points are traces.',
      unit: 's',
      width: 12,
      queries: quantiles('ternion_request_duration_seconds'),
    },
    {
      title: 'p95 by protocol',
      description: 'Also shows health checks and reads of metrics, which are short.',
      unit: 's',
      width: 12,
      queries: [
        { expr: quantile(0.95, 'ternion_request_duration_seconds', 'protocol'), legend: '{{protocol}}' },
      ],
    },
  ],
};

const QUEUE = `${MODEL},step="queue"`;

const STEPS: Row = {
  title: 'Steps, queue and batches',
  panels: [
    {
      title: 'Steps of a request',
      description:
        'Mean time in each step of a request that ran a model. Together they are the mean time of these requests.',
      unit: 's',
      width: 12,
      isStacked: true,
      queries: [{ expr: mean('ternion_step_duration_seconds', 'step'), legend: '{{step}}' }],
    },
    {
      title: 'Wait for a turn',
      description: 'Time in which requests waited for other runs. If it grows, add instances.',
      unit: 's',
      width: 12,
      queries: quantiles('ternion_step_duration_seconds', QUEUE),
    },
    {
      title: 'Instances in a request',
      description: 'Rows, images or texts in one request.',
      unit: 'short',
      queries: [
        { expr: mean('ternion_batch_size', ''), legend: 'mean' },
        { expr: quantile(0.95, 'ternion_batch_size', ''), legend: 'p95' },
      ],
    },
    {
      title: 'Instances and runs per second',
      description: 'A request can have several instances, and several runs of the graph.',
      unit: 'short',
      queries: [
        { expr: perSecond('ternion_batch_size_sum', ''), legend: 'instances' },
        { expr: perSecond('ternion_runs_total', ''), legend: 'runs' },
      ],
    },
    {
      title: 'Requests in progress',
      description:
        'The alert TernionRequestsInProgress fires above 64 for each worker. Waiting: runs that wait for their turn.',
      unit: 'short',
      queries: [
        { expr: `sum by (instance) (ternion_requests_in_progress{${JOB}})`, legend: '{{instance}}' },
        { expr: `sum by (instance) (ternion_runs_waiting{${JOB}})`, legend: '{{instance}} waiting' },
      ],
    },
  ],
};

const LOADS: Row = {
  title: 'Models in memory',
  panels: [
    {
      title: 'Models in memory',
      description: 'Versions that are loaded, by instance.',
      unit: 'short',
      width: 6,
      queries: [{ expr: `sum by (instance) (ternion_sessions{${JOB}})`, legend: '{{instance}}' }],
    },
    {
      title: 'Size of their files',
      description: 'The memory that they take is larger.',
      unit: 'bytes',
      width: 6,
      queries: [{ expr: `sum by (instance) (ternion_session_bytes{${JOB}})`, legend: '{{instance}}' }],
    },
    {
      title: 'Time of a load',
      // A server loads a version once or seldom, so there is nothing to see in a rate.
      description: 'Mean time until a version could answer, with its download, since the servers started.',
      unit: 's',
      width: 6,
      queries: [
        {
          expr: `sum by (model, version) (ternion_model_load_duration_seconds_sum{${MODEL}}) / sum by (model, version) (ternion_model_load_duration_seconds_count{${MODEL}})`,
          legend: '{{model}}/{{version}}',
        },
      ],
    },
    {
      title: 'Failed loads and cold starts',
      description: 'In the chosen interval. A failed load is tried again with the next request.',
      unit: 'short',
      width: 6,
      queries: [
        {
          expr: `sum by (model, version) (increase(ternion_model_load_failures_total{${MODEL}}[$__rate_interval]))`,
          legend: 'failed {{model}}/{{version}}',
        },
        {
          expr: `sum (increase(ternion_cold_starts_total{${JOB}}[$__rate_interval]))`,
          legend: 'cold starts',
        },
      ],
    },
  ],
};

const PROCESS: Row = {
  title: 'Process',
  panels: [
    {
      title: 'Processor',
      description: 'Processors that each instance uses.',
      unit: 'short',
      queries: [
        {
          expr: perSecond('process_cpu_seconds_total', 'instance', JOB),
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Memory',
      description: 'The alert TernionMemory fires at 90 % of the limit.',
      unit: 'bytes',
      queries: [
        { expr: `sum by (instance) (process_resident_memory_bytes{${JOB}})`, legend: '{{instance}}' },
        { expr: `min (ternion_memory_limit_bytes{${JOB}})`, legend: 'limit' },
        { expr: `sum by (instance) (nodejs_heap_size_used_bytes{${JOB}})`, legend: '{{instance}} heap' },
      ],
    },
    {
      title: 'Event loop',
      description: 'Share of the time in which JavaScript had work. All requests wait for it.',
      unit: 'percentunit',
      queries: [
        {
          expr: perSecond('nodejs_eventloop_busy_seconds_total', 'instance', JOB),
          legend: '{{instance}}',
        },
      ],
    },
    {
      title: 'Open files',
      description: 'Files and connections.',
      unit: 'short',
      queries: [{ expr: `sum by (instance) (process_open_fds{${JOB}})`, legend: '{{instance}}' }],
    },
    {
      title: 'Age of the process',
      description: 'A fall to 0 is a restart.',
      unit: 's',
      queries: [
        { expr: `time() - max by (instance) (process_start_time_seconds{${JOB}})`, legend: '{{instance}}' },
      ],
    },
    {
      title: 'Versions of Ternion',
      description: 'Instances by the version that they run.',
      unit: 'short',
      queries: [{ expr: `count by (version) (ternion_info{${JOB}})`, legend: '{{version}}' }],
    },
  ],
};

const COST_FORMULA =
  'Price of an instance per hour, divided by 3,600, times the number of instances, divided by the requests for predictions per second, times 1,000. Set the price at the top. Without requests there is no value.';

const cost = `$price / 3600 * count(ternion_info{${JOB}}) / ${perSecond('ternion_requests_total', '', `${JOB},method="POST",status=~"[23].."`)} * 1000`;

const COST: Row = {
  title: 'Cost',
  panels: [
    {
      title: 'Cost of 1,000 requests',
      description: COST_FORMULA,
      unit: 'short',
      type: 'stat',
      decimals: 4,
      queries: [{ expr: cost, legend: 'cost' }],
    },
    {
      title: 'Cost of 1,000 requests over time',
      description: COST_FORMULA,
      unit: 'short',
      decimals: 4,
      queries: [{ expr: cost, legend: 'cost' }],
    },
    {
      title: 'Cost of an hour',
      description: 'The price of an instance times the number of instances.',
      unit: 'short',
      decimals: 2,
      queries: [{ expr: `$price * count(ternion_info{${JOB}})`, legend: 'cost' }],
    },
  ],
};

/** What a server does and takes. */
export const SERVER_DASHBOARD: DashboardOptions = {
  uid: 'ternion-server',
  title: 'Ternion',
  description: 'Requests, errors, times, memory and cost of servers of Ternion.',
  variables: [
    ...VARIABLES,
    { kind: 'text', name: 'price', label: 'Price of an instance per hour', value: '0.10' },
  ],
  rows: [TRAFFIC, ERRORS, LATENCY, STEPS, LOADS, PROCESS, COST],
};
