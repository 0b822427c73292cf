import { METRICS, type Measurement, type MetricName, type Results } from '../results.ts';
import { median, ratioByPairs } from '../statistics.ts';
import { formatNumber } from './format.ts';
import { formatRatio } from './table.ts';

/** What a value must be, and where it is measured. */
export interface Target {
  readonly what: string;
  readonly scenario: string;
  readonly condition: string;
  readonly metric: MetricName;
  readonly ours: string;
  /** Without it, the value itself must meet the bound. */
  readonly limit?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  /** What a profile shows for a value that does not meet its bound. */
  readonly profile?: string;
}

/** A target in a report. */
export interface TargetRow {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  /** Undefined: it was not measured in this run. */
  readonly isMet: boolean | undefined;
}

/**
 * Compares the values of a run with all targets. A target that was not measured has no result.
 *
 * @param slack by which factor a target may be missed, for machines that do other work as well
 */
export function checkTargets({ scenarios }: Pick<Results, 'scenarios'>, slack = 1): readonly TargetRow[] {
  return TARGETS.map((target) => {
    const measurement = scenarios
      .find(({ name }) => name === target.scenario)
      ?.measurements.find(
        ({ condition, metric }) => condition === target.condition && metric === target.metric,
      );
    const { value, shown } = measure(target, measurement);
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
    return {
      what: target.what,
      target: describeBound(target),
      measured: shown,
      isMet: Number.isNaN(value) ? undefined : value >= atLeast / slack && value <= atMost * slack,
    };
  });
}

/** Why targets are missed, for those that a run does not meet. */
export function explainMissed(results: Pick<Results, 'scenarios'>): readonly string[] {
  const missed = checkTargets(results).flatMap(({ isMet }, index) =>
    isMet === false ? [TARGETS[index]] : [],
  );
  return missed.flatMap((target) => (target?.profile ? [`- ${target.what}: ${target.profile}`] : []));
}

function measure(
  { ours, limit }: Target,
  measurement: Measurement | undefined,
): { readonly value: number; readonly shown: string } {
  const values = measurement?.values[ours] ?? [];
  if (limit === undefined) return { value: median(values), shown: formatNumber(median(values)) };
  const ratio = ratioByPairs(values, measurement?.values[limit] ?? []);
  return { value: ratio.median, shown: formatRatio(ratio) };
}

function describeBound({ metric, limit, atLeast, atMost }: Target): string {
  const bound = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`;
  const unit = /, (\S+)$/.exec(METRICS[metric].name)?.[1] ?? '';
  return limit === undefined ? `${bound} ${unit}` : `${bound} × ${limit}`;
}

const SERVE = { ours: 'ternion serve', scenario: 'iris' } as const;
const SIZES = [
  ['224 px', 1.05],
  ['1 MP', 1.05],
  ['12 MP', 0.9],
] as const;

/** All targets, in the order of the page. */
export const TARGETS: readonly Target[] = [
  {
    ...SERVE,
    what: '`ternion serve`, requests/s at 16 connections',
    condition: '16 connections',
    metric: 'rate',
    limit: 'bare',
    atLeast: 0.7,
  },
  {
    ...SERVE,
    what: '`ternion serve`, requests/s at 16 connections',
    condition: '16 connections',
    metric: 'rate',
    limit: 'hand-written',
    atLeast: 0.85,
  },
  {
    what: 'functions framework, requests/s at 16 connections',
    scenario: 'iris',
    condition: '16 connections',
    metric: 'rate',
    ours: 'functions framework',
    limit: 'bare',
    atLeast: 0.65,
  },
  {
    ...SERVE,
    what: '`ternion serve`, p50 at one connection',
    profile:
      'Nothing runs side by side, so all code for a request counts: 25 µs of CPU time more than the bare server, with caches that are cold each time. The rounds differ by more than the distance to the bound.',
    condition: '1 connection',
    metric: 'p50',
    limit: 'bare',
    atMost: 1.25,
  },
  {
    what: 'log at `info` to a file, requests/s',
    scenario: 'log',
    condition: '16 connections',
    metric: 'rate',
    ours: 'info',
    limit: 'silent',
    atLeast: 0.92,
  },
  {
    what: 'log and metrics at their defaults, requests/s',
    scenario: 'log',
    condition: '16 connections',
    metric: 'rate',
    ours: 'info',
    limit: 'info, no metrics',
    atLeast: 0.95,
  },
  {
    what: 'a shadow of all requests, p99 of the requests',
    scenario: 'shadows',
    condition: '16 connections',
    metric: 'p99',
    ours: 'a shadow of all requests',
    limit: 'a release, no shadow',
    atMost: 1.05,
  },
  ...(
    [
      ['microseconds50', 12],
      ['microseconds99', 150],
    ] as const
  ).map(
    ([metric, atMost]): Target => ({
      what: `Lambda handler without the run, ${METRICS[metric].name.slice(0, 3)}`,
      profile: 'Runs of the same code differ by half a microsecond: five in turns gave 11.7 to 12.2.',
      scenario: 'handler',
      condition: 'http-api',
      metric,
      ours: 'Lambda handler',
      atMost,
    }),
  ),
  ...['own time, body to run', 'own time, run to answer'].map(
    (condition): Target => ({
      what: `binary tensor of 600 KB, ${condition}, p50`,
      scenario: 'tensors',
      condition,
      metric: 'microseconds50',
      ours: 'ternion serve',
      atMost: 60,
    }),
  ),
  ...SIZES.map(
    ([size, atMost]): Target => ({
      what: `image of ${size}, p50 with the run`,
      scenario: 'images',
      condition: `raw, ${size}`,
      metric: 'p50',
      ours: 'ternion serve',
      limit: 'sharp + resize + run',
      atMost,
    }),
  ),
  {
    what: 'AWS bundle, start to first answer',
    profile:
      "114 ms of CPU time, of which Node's own start takes 58. The addon and the session take 18, compiling JavaScript 15, `model.json` 5, routes 4. V8's compile cache would save 5, and is valid for one version of Node only.",
    scenario: 'start',
    condition: 'AWS Lambda',
    metric: 'start',
    ours: 'Ternion',
    limit: 'bare',
    atMost: 1.1,
  },
  ...['AWS Lambda', 'Google Cloud', 'Azure'].map(
    (condition): Target => ({
      what: `${condition}: JavaScript evaluated up to the first answer`,
      scenario: 'start',
      condition,
      metric: 'evaluated',
      ours: 'Ternion',
      atMost: 300,
    }),
  ),
  {
    what: 'model of 102 MB, published with `--optimize`, to the first result',
    profile:
      'The work of both cores decides: the hash takes 130 ms of CPU time in its thread (25 to start it, 56 to 75 for SHA-256, 15 to read), and compiling JavaScript 40 to 50. The bare server hashes nothing.',
    scenario: 'load',
    condition: 'from a folder',
    metric: 'firstResult',
    ours: 'Ternion, --optimize',
    limit: 'bare, best portable form',
    atMost: 1.1,
  },
  {
    what: 'model of 102 MB from S3, to the first result',
    profile:
      'The download takes 160 ms, and the hash ends 30 to 40 ms after it. The limit neither downloads nor hashes, and the server of the bucket shares the two cores.',
    scenario: 'load',
    condition: 'from S3',
    metric: 'firstResult',
    ours: 'Ternion, as exported',
    limit: 'disk write + session',
    atMost: 1.2,
  },
  ...['forests of 73 KB', 'tiny models', 'random loads'].map(
    (condition): Target => ({
      what: `${condition}: resident set above the start`,
      scenario: 'memory',
      condition,
      metric: 'resident',
      ours: 'ternion serve',
      limit: 'SESSION_CACHE_BYTES + 10 % + 32 MB',
      atMost: 1,
    }),
  ),
  {
    what: 'resident set when idle after traffic',
    scenario: 'memory',
    condition: 'idle after traffic',
    metric: 'settled',
    ours: 'ternion serve',
    limit: 'before',
    atMost: 1.3,
  },
  {
    what: 'resident set over mixed requests',
    scenario: 'memory',
    condition: 'the second half of the traffic',
    metric: 'settled',
    ours: 'ternion serve',
    limit: 'before',
    atMost: 1.05,
  },
  {
    what: '`/health` while 200 uploads are aborted, p99',
    scenario: 'health',
    condition: '200 uploads aborted at once',
    metric: 'p99',
    ours: 'ternion serve',
    atMost: 50,
  },
];
