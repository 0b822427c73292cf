import type { Measured } from '../usage.ts';

/** What the steps of one request counted and measured. */
export interface Measurements {
  readonly count: (name: string, by?: number) => void;
  readonly observe: (name: string, value: number) => void;
  readonly counts: ReadonlyMap<string, number>;
  readonly observations: ReadonlyMap<string, Measured>;
}

/** Names become members of the log line, and later names of metrics. Source: the data model of Prometheus. */
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;

/** One line of the log has room for them. */
const MOST_NAMES = 32;

export function createMeasurements(): Measurements {
  const counts = new Map<string, number>();
  const observations = new Map<string, Measured>();
  const check = (name: string, value: number, known: ReadonlyMap<string, unknown>) => {
    if (!NAME.test(name)) {
      throw new Error(
        `${JSON.stringify(String(name).slice(0, 70))} cannot be counted: a name has up to 64 letters, digits and _`,
      );
    }
    if (!Number.isFinite(value)) throw new Error(`"${name}" is ${value}; expected a number`);
    if (!known.has(name) && known.size === MOST_NAMES) {
      throw new Error(
        `"${name}" is the name number ${MOST_NAMES + 1} of one request; expected at most ${MOST_NAMES}`,
      );
    }
  };
  return {
    counts,
    observations,
    count: (name, by = 1) => {
      check(name, by, counts);
      counts.set(name, (counts.get(name) ?? 0) + by);
    },
    observe: (name, value) => {
      check(name, value, observations);
      const { count, sum, least, largest } = observations.get(name) ?? {
        count: 0,
        sum: 0,
        least: value,
        largest: value,
      };
      observations.set(name, {
        count: count + 1,
        sum: sum + value,
        least: Math.min(least, value),
        largest: Math.max(largest, value),
      });
    },
  };
}
