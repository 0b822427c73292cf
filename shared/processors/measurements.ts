import { boundKey, keyOf, type MeasurementLabels } from '../measurement-keys.ts';
import type { Measured } from '../usage.ts';

/**
 * Counts something: `count('unsure')`, `count('rows', 3)`, `count('unsure', { reason: 'blurred' })`. Labels have few
 * different values: a name with more than 100 combinations of them counts the rest under `other`. A count
 * only grows; `observe` takes any number.
 */
export interface Count {
  (name: string, labels: MeasurementLabels): void;
  (name: string, by?: number, labels?: MeasurementLabels): void;
}

/** What the steps of one request counted and measured. */
export interface Measurements {
  readonly count: Count;
  readonly observe: (name: string, value: number, labels?: MeasurementLabels) => void;
  /** By name with labels: `unsure{reason=blurred}`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly observations: ReadonlyMap<string, Measured>;
}

/** One line of the log has room for them. */
const MOST_NAMES = 32;

export function createMeasurements(): Measurements {
  const counts = new Map<string, number>();
  const observations = new Map<string, Measured>();
  const countNames = new Set<string>();
  const observationNames = new Set<string>();
  const check = (name: string, value: number, names: Set<string>) => {
    if (!Number.isFinite(value)) throw new Error(`"${name}" is ${value}; expected a number`);
    if (!names.has(name) && names.size === MOST_NAMES) {
      throw new Error(
        `"${name}" is the name number ${MOST_NAMES + 1} of one request; expected at most ${MOST_NAMES}`,
      );
    }
    names.add(name);
  };
  return {
    counts,
    observations,
    count: (name: string, first: number | MeasurementLabels = 1, given?: MeasurementLabels) => {
      const [by, labels] = typeof first === 'object' ? [1, first] : [first, given];
      const whole = keyOf(name, labels);
      check(name, by, countNames);
      // Those who read counters take one that falls for one that began again.
      if (by < 0) throw new Error(`"${name}" is counted by ${by}; expected a number of at least 0`);
      const key = boundKey(whole, counts);
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    observe: (name, value, labels) => {
      const whole = keyOf(name, labels);
      check(name, value, observationNames);
      const key = boundKey(whole, observations);
      const { count, sum, least, largest } = observations.get(key) ?? {
        count: 0,
        sum: 0,
        least: value,
        largest: value,
      };
      observations.set(key, {
        count: count + 1,
        sum: sum + value,
        least: Math.min(least, value),
        largest: Math.max(largest, value),
      });
    },
  };
}
