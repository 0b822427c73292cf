import { alignColumns, formatBytes } from '../words.ts';
import type { Changes } from './changes.ts';

/** Percentiles in milliseconds; null without requests. */
type Latency = {
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly p99_ms: number | null;
};

/** The requests of the whole server, or of one version of a model. */
type Traffic = Latency & {
  readonly requests_per_second: number;
  readonly errors_per_second: number;
};

/** A server in the time between two readings. */
export type Picture = Traffic & {
  readonly version: string;
  readonly seconds: number;
  readonly in_progress: number;
  readonly memory_bytes: number | null;
  readonly memory_limit_bytes: number | null;
  /** Processors that it used, and the part of the time in which its event loop had work. */
  readonly processors: number;
  readonly event_loop: number;
  readonly loaded_models: number;
  readonly models: readonly (Traffic & { readonly model: string; readonly version: string })[];
  /** Mean time of each step of the requests that ran a model. */
  readonly steps: readonly { readonly step: string; readonly mean_ms: number }[];
};

const DURATION = 'ternion_request_duration_seconds';
const STEP = 'ternion_step_duration_seconds';

export function pictureOf(changes: Changes): Picture {
  const { seconds, growth, latest } = changes;
  // What asks for the metrics is not part of the traffic.
  const isTraffic = ({ protocol }: Readonly<Record<string, string>>) => protocol !== 'metrics';
  const trafficOf = (isChosen: (labels: Readonly<Record<string, string>>) => boolean): Traffic => {
    const quantile = (q: number) => toMs(changes.quantile(q, DURATION, isChosen));
    return {
      requests_per_second: growth('ternion_requests_total', isChosen) / seconds,
      errors_per_second: growth('ternion_errors_total', isChosen) / seconds,
      p50_ms: quantile(0.5),
      p95_ms: quantile(0.95),
      p99_ms: quantile(0.99),
    };
  };
  const [[version = ''] = []] = changes.groups('ternion_info', ['version']);
  return {
    version,
    seconds,
    ...trafficOf(isTraffic),
    in_progress: latest('ternion_requests_in_progress') ?? 0,
    memory_bytes: latest('process_resident_memory_bytes') ?? null,
    memory_limit_bytes: latest('ternion_memory_limit_bytes') ?? null,
    processors: growth('process_cpu_seconds_total') / seconds,
    event_loop: growth('nodejs_eventloop_busy_seconds_total') / seconds,
    loaded_models: latest('ternion_sessions') ?? 0,
    models: changes
      .groups('ternion_requests_total', ['model', 'version'])
      .filter(([model]) => model !== '')
      .map(([model = '', of = '']) => ({
        model,
        version: of,
        ...trafficOf((labels) => labels.model === model && labels.version === of),
      }))
      .sort((a, b) => b.requests_per_second - a.requests_per_second),
    steps: changes.groups(`${STEP}_sum`, ['step']).flatMap(([step = '']) => {
      const isStep = (labels: Readonly<Record<string, string>>) => labels.step === step;
      const count = growth(`${STEP}_count`, isStep);
      return count === 0 ? [] : [{ step, mean_ms: (growth(`${STEP}_sum`, isStep) / count) * 1000 }];
    }),
  };
}

function toMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000;
}

/** The picture for people. */
export function describePicture(url: string, picture: Picture): string {
  const { memory_bytes: memory, memory_limit_bytes: limit, models, steps } = picture;
  const lines = [
    `${url}, Ternion ${picture.version}, ${picture.seconds.toFixed(1)} s`,
    `${rate(picture.requests_per_second)} requests/s, ${rate(picture.errors_per_second)} errors/s, ${picture.in_progress} in progress, p50 ${ms(picture.p50_ms)}, p95 ${ms(picture.p95_ms)}, p99 ${ms(picture.p99_ms)}`,
    [
      ...(memory === null
        ? []
        : [`memory ${formatBytes(memory)}${limit === null ? '' : ` of ${formatBytes(limit)}`}`]),
      `processors ${picture.processors.toFixed(2)}`,
      `event loop ${(picture.event_loop * 100).toFixed(0)} %`,
      `models in memory ${picture.loaded_models}`,
    ].join(', '),
  ];
  const table = [
    ['MODEL', 'REQUESTS/S', 'ERRORS/S', 'P50', 'P95', 'P99'],
    ...models.map((each) => [
      `${each.model}/${each.version}`,
      rate(each.requests_per_second),
      rate(each.errors_per_second),
      ms(each.p50_ms),
      ms(each.p95_ms),
      ms(each.p99_ms),
    ]),
  ];
  const stepTable = [['STEP', 'MEAN'], ...steps.map(({ step, mean_ms: mean }) => [step, ms(mean)])];
  return [
    ...lines,
    ...(models.length === 0
      ? []
      : ['', ...alignColumns(table, ['left', 'right', 'right', 'right', 'right', 'right'])]),
    ...(steps.length === 0 ? [] : ['', ...alignColumns(stepTable, ['left', 'right'])]),
  ].join('\n');
}

function rate(perSecond: number): string {
  return perSecond.toFixed(1);
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
