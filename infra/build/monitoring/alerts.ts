import { dump } from 'js-yaml';

/** An alerting rule of Prometheus. Source: Prometheus, alerting rules. */
interface Alert {
  /** It has a section in docs/runbook.md. */
  readonly alert: string;
  readonly expr: string;
  /** How long the expression must be true. */
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Recording {
  readonly record: string;
  readonly expr: string;
}

interface Group {
  readonly name: string;
  readonly rules: readonly (Alert | Recording)[];
}

/** Fewer bad requests than these can be chance: of ten requests an hour, one failure is a share of 10 %. */
const LEAST_BAD = 5;

/** Requests for predictions. Reads of metrics and health do not work on models, and would hide failures. */
const ASKED = 'method="POST"';
/** What a client did wrong says nothing about the server, and neither does what the server does not offer: 501. */
const VALID = `${ASKED},status!~"4..|501"`;
const FAILED = `${ASKED},status=~"5..",status!="501"`;

/**
 * Windows with the speed at which they find that an error budget is spent: 14.4 times as fast as planned is 2 % of the
 * budget of 30 days in an hour. The short window lets an alert end soon after the failures. Source: The Site
 * Reliability Workbook, chapter 5, multiwindow multi-burn-rate alerts.
 */
const BURNS = [
  { factor: 14.4, long: '1h', short: '5m', severity: 'page', seconds: 3600 },
  { factor: 6, long: '6h', short: '30m', severity: 'page', seconds: 6 * 3600 },
  { factor: 1, long: '3d', short: '6h', severity: 'ticket', seconds: 3 * 24 * 3600 },
] as const;

const WINDOWS = ['5m', '30m', '1h', '6h', '3d'] as const;

const perSecond = (selector: string, window: string): string =>
  `sum by (model, version) (rate(${selector}[${window}]))`;

const requests = (window: string): string => perSecond(`ternion_requests_total{model!="",${VALID}}`, window);

/** What is recorded for each version of a model, per second. A version that never failed has 0 failures. */
const RECORDED = {
  requests,
  failures: (window: string) =>
    `${perSecond(`ternion_requests_total{model!="",${FAILED}}`, window)} or 0 * ${requests(window)}`,
  slow_requests: (window: string) => perSecond('ternion_slow_requests_total', window),
} as const;
type Recorded = keyof typeof RECORDED;

const recordOf = (name: Recorded, window: string): string => `model_version:ternion_${name}:rate${window}`;

function recordings(): readonly Recording[] {
  const names: readonly Recorded[] = ['requests', 'failures', 'slow_requests'];
  return WINDOWS.flatMap((window) =>
    names.map((name) => ({ record: recordOf(name, window), expr: RECORDED[name](window) })),
  );
}

function alert(
  name: string,
  severity: 'page' | 'ticket',
  expr: string,
  [summary, description]: readonly [summary: string, description: string],
  more: { readonly for?: string; readonly labels?: Readonly<Record<string, string>> } = {},
): Alert {
  return {
    alert: name,
    expr,
    ...(more.for !== undefined && { for: more.for }),
    labels: { severity, ...more.labels },
    annotations: { summary, description, runbook_url: `docs/runbook.md#${name.toLowerCase()}` },
  };
}

/** @param allowed the share of bad requests that the objective allows, as PromQL with the labels of a version */
function burns(name: string, bad: Recorded, allowed: string, what: string): readonly Alert[] {
  const isOver = (window: string, factor: number) =>
    `${recordOf(bad, window)} / ${recordOf('requests', window)} > ${factor} * (${allowed})`;
  return BURNS.map(({ factor, long, short, severity, seconds }) =>
    alert(
      name,
      severity,
      [
        isOver(long, factor),
        isOver(short, factor),
        `${recordOf(bad, long)} * ${seconds} >= ${LEAST_BAD}`,
      ].join('\nand '),
      [
        `Version {{ $labels.version }} of {{ $labels.model }} spends its ${what} budget`,
        `{{ $value | humanizePercentage }} of its requests in ${long} missed the objective: at least ${factor} times what it allows.`,
      ],
      { labels: { window: long } },
    ),
  );
}

const AVAILABILITY_BUDGET = '1 - max by (model, version) (ternion_objective_availability_ratio)';
const LATENCY_BUDGET = '1 - max by (model, version) (ternion_objective_latency_ratio)';

const OBJECTIVE_ALERTS: readonly Alert[] = [
  ...burns('TernionAvailabilityBurn', 'failures', AVAILABILITY_BUDGET, 'error'),
  ...burns('TernionLatencyBurn', 'slow_requests', LATENCY_BUDGET, 'latency'),
  alert(
    'TernionLatency',
    'ticket',
    [
      `${recordOf('slow_requests', '5m')} / ${recordOf('requests', '5m')} > ${LATENCY_BUDGET}`,
      `${recordOf('slow_requests', '5m')} * 300 >= ${LEAST_BAD}`,
    ].join('\nand '),
    [
      'Version {{ $labels.version }} of {{ $labels.model }} is slower than its objective',
      '{{ $value | humanizePercentage }} of its requests took longer than ternion_objective_latency_seconds.',
    ],
    { for: '10m' },
  ),
];

const SERVER_ALERTS: readonly Alert[] = [
  alert(
    'TernionDown',
    'page',
    'up{job=~".*ternion.*"} == 0',
    [
      'Prometheus cannot read the metrics of {{ $labels.instance }}',
      'The server does not answer GET /metrics, or refuses the token.',
    ],
    { for: '2m' },
  ),
  alert(
    'TernionAbsent',
    'page',
    'absent(ternion_info)',
    ['Prometheus has no metrics of any Ternion server', 'No target of Prometheus gives ternion_info.'],
    { for: '10m' },
  ),
  alert(
    'TernionErrorRate',
    'page',
    [
      `sum by (job) (rate(ternion_requests_total{${FAILED}}[5m])) / sum by (job) (rate(ternion_requests_total{${VALID}}[5m])) > 0.05`,
      `sum by (job) (increase(ternion_requests_total{${FAILED}}[5m])) >= ${LEAST_BAD}`,
    ].join('\nand '),
    [
      'Requests to {{ $labels.job }} fail',
      '{{ $value | humanizePercentage }} of the requests for predictions failed by a fault of the server.',
    ],
    { for: '5m' },
  ),
  alert(
    'TernionModelLoadFailure',
    'ticket',
    // A counter that appears with 1 has not increased, for Prometheus.
    [
      'sum by (model, version) (increase(ternion_model_load_failures_total[15m])) > 0',
      'or (sum by (model, version) (ternion_model_load_failures_total) > 0 unless sum by (model, version) (ternion_model_load_failures_total offset 15m))',
    ].join('\n'),
    [
      'Version {{ $labels.version }} of {{ $labels.model }} cannot be loaded',
      'Its requests are answered with 503 MODEL_UNAVAILABLE, and the log says why.',
    ],
  ),
  alert(
    'TernionEventLoopBusy',
    'ticket',
    'rate(nodejs_eventloop_busy_seconds_total[5m]) > 0.95 and on (job, instance) ternion_info',
    [
      'The event loop of {{ $labels.instance }} has no time left',
      'It was busy for {{ $value | humanizePercentage }} of the time, so all requests wait for each other.',
    ],
    { for: '10m' },
  ),
  alert(
    'TernionRequestsInProgress',
    'ticket',
    'avg_over_time(ternion_requests_in_progress[5m]) / ternion_workers > 64',
    [
      'Requests pile up at {{ $labels.instance }}',
      '{{ $value | humanize }} requests for each worker are in progress, on average of five minutes.',
    ],
    { for: '5m' },
  ),
  alert(
    'TernionMemory',
    'page',
    'process_resident_memory_bytes / on (job, instance) ternion_memory_limit_bytes > 0.9',
    [
      'The memory of {{ $labels.instance }} is nearly used up',
      'The process takes {{ $value | humanizePercentage }} of what its container or machine has.',
    ],
    { for: '10m' },
  ),
  alert(
    'TernionRestarts',
    'ticket',
    'changes(process_start_time_seconds[30m]) >= 3 and on (job, instance) ternion_info',
    [
      'The server of {{ $labels.instance }} starts again and again',
      'It started {{ $value }} times in half an hour.',
    ],
  ),
];

/** Values of each feature in a window, of kinds that match a matcher. */
const values = (matcher: string, window: string): string =>
  `sum by (model, version, feature) (increase(ternion_feature_values_total{${matcher}}[${window}]))`;

const ALL = 'kind="seen"';

/** Of fewer values, a share of 5 % can be chance. */
const LEAST_VALUES = 100;

const DATA_ALERTS: readonly Alert[] = [
  alert(
    'TernionDataQuality',
    'ticket',
    // Some columns always have missing values. What was usual in a day is not counted.
    [
      `${values('kind!="seen"', '10m')} / ${values(ALL, '10m')} - ${values('kind="missing"', '1d')} / ${values(ALL, '1d')} > 0.05`,
      `${values(ALL, '10m')} >= ${LEAST_VALUES}`,
    ].join('\nand '),
    [
      'Version {{ $labels.version }} of {{ $labels.model }} gets other values of {{ $labels.feature }} than it should',
      '{{ $value | humanizePercentage }} of its values in ten minutes were out of range, not in its list, or missing beyond what is usual.',
    ],
  ),
];

/** The rules: what is recorded comes first, because alerts read it. */
export const GROUPS: readonly Group[] = [
  { name: 'ternion-objectives', rules: [...recordings(), ...OBJECTIVE_ALERTS] },
  { name: 'ternion-servers', rules: SERVER_ALERTS },
  { name: 'ternion-data', rules: DATA_ALERTS },
];

export const ALERTS: readonly Alert[] = [...OBJECTIVE_ALERTS, ...SERVER_ALERTS, ...DATA_ALERTS];

/** Names that alerts read and that are not metrics of a server: recorded ones. */
export const RECORDED_NAMES: ReadonlySet<string> = new Set(recordings().map(({ record }) => record));

const HEAD = `# Rules for Prometheus 2.42 or later. "npm run generate:monitoring" makes this file of infra/build/monitoring/alerts.ts.
# docs/runbook.md has a section for each alert. The job of the target must have "ternion" in its name.
`;

/** The content of infra/prometheus/alerts.yml. */
export function writeAlerts(groups: readonly Group[] = GROUPS): string {
  return HEAD + dump({ groups }, { lineWidth: -1, noRefs: true });
}
