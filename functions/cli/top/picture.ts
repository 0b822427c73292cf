import type { Changes } from '../../../shared/scrapes/changes.ts';
import {
  inProgressOf,
  loadOf,
  stepsOf,
  type Traffic as TrafficOfServer,
  trafficOf,
} from '../../../shared/scrapes/traffic.ts';
import { printableLine } from '../../printable.ts';
import { alignColumns, formatBytes } from '../words.ts';

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

export function pictureOf(changes: Changes): Picture {
  const { latest, seconds } = changes;
  const { processors, eventLoop } = loadOf(changes);
  const [[version = ''] = []] = changes.groups('ternion_info', ['version']);
  return {
    version,
    seconds,
    ...inMs(trafficOf(changes)),
    in_progress: inProgressOf(changes),
    memory_bytes: latest('process_resident_memory_bytes') ?? null,
    memory_limit_bytes: latest('ternion_memory_limit_bytes') ?? null,
    processors,
    event_loop: eventLoop,
    loaded_models: latest('ternion_sessions') ?? 0,
    models: changes
      .groups('ternion_requests_total', ['model', 'version'])
      .filter(([model]) => model !== '')
      .map(([model = '', of = '']) => ({
        model,
        version: of,
        ...inMs(trafficOf(changes, (labels) => labels.model === model && labels.version === of)),
      }))
      .sort((a, b) => b.requests_per_second - a.requests_per_second),
    steps: stepsOf(changes).map(([step, mean]) => ({ step, mean_ms: mean * 1000 })),
  };
}

function inMs({ requestsPerSecond, errorsPerSecond, p50, p95, p99 }: TrafficOfServer): Traffic {
  return {
    requests_per_second: requestsPerSecond,
    errors_per_second: errorsPerSecond,
    p50_ms: toMs(p50),
    p95_ms: toMs(p95),
    p99_ms: toMs(p99),
  };
}

function toMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : seconds * 1000;
}

/** The picture for people. */
export function describePicture(url: string, picture: Picture): string {
  const { memory_bytes: memory, memory_limit_bytes: limit, models, steps } = picture;
  const lines = [
    `${url}, Ternion ${printableLine(picture.version)}, ${picture.seconds.toFixed(1)} s`,
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
