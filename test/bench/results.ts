/** What is measured: a name with its unit, and which direction is better. */
export interface Metric {
  readonly name: string;
  readonly isMoreBetter: boolean;
}

const less = (name: string): Metric => ({ name, isMoreBetter: false });
const more = (name: string): Metric => ({ name, isMoreBetter: true });

/** All metrics. Times are in ms and memory in MB of 10^6 bytes, unless the name says otherwise. */
export const METRICS = {
  rate: more('requests/s'),
  p50: less('p50, ms'),
  p95: less('p95, ms'),
  p99: less('p99, ms'),
  cpu: less('CPU seconds per 1,000 requests'),
  pss: less('PSS, MB'),
  start: less('start to first answer, ms'),
  firstResult: less('request to first result, ms'),
  microseconds50: less('p50, µs'),
  microseconds95: less('p95, µs'),
  microseconds99: less('p99, µs'),
  rows: more('rows/s'),
  resident: less('resident set above start, MB'),
  settled: less('resident set, settled, MB'),
  evaluated: less('JavaScript evaluated, KB'),
  wait: less('longest wait of others, ms'),
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/**
 * `ours` is compared with each `limit`: the least that does the same work. A `peer` is software that people use
 * instead, and is only shown.
 */
export interface Contender {
  readonly name: string;
  readonly role: 'ours' | 'limit' | 'peer';
}

/** One metric under one condition, such as 16 connections. */
export interface Measurement {
  readonly condition: string;
  readonly metric: MetricName;
  /** By the name of the contender, one value for each round. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  /** What happens in it, in some sentences. */
  readonly about: string;
  readonly contenders: readonly Contender[];
  readonly measurements: readonly Measurement[];
  /** The metric of its plot. */
  readonly plot: MetricName;
  /** Sentences about this run, such as requests that failed. */
  readonly notes: readonly string[];
}

/** One run of the benchmark. */
export interface Results {
  readonly machine: Machine;
  readonly isQuick: boolean;
  readonly scenarios: readonly ScenarioResult[];
}

export interface Machine {
  /** ISO 8601, without the time of the day. */
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly runtime: string;
  /** The program that makes the load, and what that costs. */
  readonly load: string;
}

/** Collects the values of a scenario. */
export interface Recorder {
  record(condition: string, metric: MetricName, contender: string, value: number): void;
  note(text: string): void;
  readonly measurements: readonly Measurement[];
  readonly notes: readonly string[];
}

export function createRecorder(): Recorder {
  const measurements = new Map<string, Measurement & { readonly values: Record<string, number[]> }>();
  const notes = new Set<string>();
  return {
    record: (condition, metric, contender, value) => {
      const key = JSON.stringify([condition, metric]);
      const measurement = measurements.get(key) ?? { condition, metric, values: {} };
      measurements.set(key, measurement);
      const values = measurement.values[contender] ?? [];
      measurement.values[contender] = values;
      values.push(value);
    },
    note: (text) => void notes.add(text),
    get measurements() {
      return [...measurements.values()];
    },
    get notes() {
      return [...notes];
    },
  };
}
