import type { Changes } from '../../scrapes/changes.ts';
import { inProgressOf, isTraffic, loadOf, stepsOf, trafficOf } from '../../scrapes/traffic.ts';
import type { Unit } from './units.ts';

/** A value of each line by the name of the line. A line without a value is not among them. */
export type Values = ReadonlyMap<string, number>;

/** What one chart shows. */
export interface Chart {
  readonly title: string;
  /** What the values are, in a few words. */
  readonly note: string;
  readonly unit: Unit;
  /** Whether each line begins at the one below it, so that the highest one is the sum. */
  readonly isStacked: boolean;
  /** The colour of its first line: 0 to 8. */
  readonly colour?: number;
  /** Whether it shows the whole server, also when a model is chosen. */
  readonly isOfServer: boolean;
  readonly read: (changes: Changes) => readonly (readonly [line: string, value: number | undefined])[];
}

const BATCH = 'ternion_batch_size';
const NONE: Values = new Map();

/** The charts of the page, in their order. */
export const CHARTS: readonly Chart[] = [
  {
    title: 'Requests',
    note: 'per second, without those for the metrics',
    unit: 'number',
    isStacked: false,
    isOfServer: false,
    read: (changes) => [['requests', trafficOf(changes).requestsPerSecond]],
  },
  {
    title: 'Errors',
    note: 'per second, by code',
    unit: 'number',
    colour: 3,
    isStacked: true,
    isOfServer: false,
    read: ({ groups, growth, seconds }) =>
      groups('ternion_errors_total', ['code']).map(([code = '']) => [
        code,
        growth('ternion_errors_total', (labels) => labels.code === code && isTraffic(labels)) / seconds,
      ]),
  },
  {
    title: 'Latency',
    note: 'estimates within a bucket',
    unit: 'seconds',
    isStacked: false,
    isOfServer: false,
    read: (changes) => {
      const { p50, p95, p99 } = trafficOf(changes);
      return [
        ['p50', p50],
        ['p95', p95],
        ['p99', p99],
      ];
    },
  },
  {
    title: 'Time by step',
    note: 'mean of the requests that ran a model',
    unit: 'seconds',
    isStacked: true,
    isOfServer: false,
    read: stepsOf,
  },
  {
    title: 'Batch size',
    note: 'instances in a request',
    unit: 'number',
    isStacked: false,
    isOfServer: false,
    read: ({ growth, quantile }) => {
      const count = growth(`${BATCH}_count`);
      const p95 = quantile(0.95, BATCH);
      return [
        ['mean', count === 0 ? undefined : growth(`${BATCH}_sum`) / count],
        // An estimate between two whole numbers would be a size that no batch has.
        ['p95', p95 === undefined ? undefined : Math.ceil(p95)],
      ];
    },
  },
  {
    title: 'In progress and waiting',
    note: 'requests, and runs that wait for a turn',
    unit: 'number',
    isStacked: false,
    isOfServer: true,
    read: (changes) => [
      ['in progress', inProgressOf(changes)],
      ['waiting', changes.latest('ternion_runs_waiting')],
    ],
  },
  {
    title: 'Memory',
    note: 'of the process, and the heap in it',
    unit: 'bytes',
    isStacked: false,
    isOfServer: true,
    read: ({ latest }) => [
      ['process', latest('process_resident_memory_bytes')],
      ['heap', latest('nodejs_heap_size_used_bytes')],
    ],
  },
  {
    title: 'Processor',
    note: 'in use; 1 is a whole processor',
    unit: 'number',
    isStacked: false,
    isOfServer: true,
    read: (changes) => {
      const { processors, eventLoop } = loadOf(changes);
      return [
        ['processors', processors],
        ['event loop', eventLoop],
      ];
    },
  },
  {
    title: 'Loads and cold starts',
    note: 'since the process started',
    unit: 'number',
    isStacked: false,
    isOfServer: false,
    read: ({ latest }) => [
      ['loads', latest('ternion_model_load_duration_seconds_count')],
      ['failed loads', latest('ternion_model_load_failures_total')],
      ['cold starts', latest('ternion_cold_starts_total')],
    ],
  },
];

/**
 * The values of each chart between two readings.
 *
 * @param isWhole whether the readings are of the whole server, not of one version of a model
 */
export function readCharts(changes: Changes, isWhole: boolean): readonly Values[] {
  return CHARTS.map(({ isOfServer, read }) =>
    isOfServer && !isWhole
      ? NONE
      : new Map(
          read(changes).flatMap(([line, value]) => (value === undefined ? [] : [[line, value] as const])),
        ),
  );
}
