import { compareReadings } from '../../scrapes/changes.ts';
import type { Reading, Sample } from '../../scrapes/read-metrics.ts';
import { readCharts, type Values } from './charts.ts';

/** The values of all charts at one moment. */
export interface Point {
  /** Since the epoch. */
  readonly atMs: number;
  /** By the place of the chart in `CHARTS`. */
  readonly values: readonly Values[];
}

/** What the readings of the last minutes say. */
export interface History {
  /**
   * Takes a reading of the server.
   *
   * @param nowMs since the epoch
   */
  add(reading: Reading, nowMs: number): void;
  /** Whether a model has answered a request since the server started. */
  readonly hasAnswered: boolean;
  /** The versions of models that have answered requests: `iris/2`. */
  readonly versions: readonly string[];
  /** How many processes have answered: one address can lead to several. */
  readonly processes: number;
  /** The points of a version, or of the whole server, the oldest first. */
  pointsOf(version?: string): readonly Point[];
}

/** How long points are kept. */
export const KEPT_MS = 10 * 60 * 1000;

/** Readings with more time between them say little about the present. */
const LONGEST_PAIR_MS = 10_000;

/** A reading, and the part of each version of a model in it. */
interface Split {
  readonly whole: Reading;
  readonly parts: ReadonlyMap<string, Reading>;
}

const WHOLE = '';

export function createHistory(): History {
  const points = new Map<string, Point[]>();
  /** The latest reading of each process. */
  const latest = new Map<number, Split>();
  const processes = new Set<number>();
  let hasAnswered = false;

  function addPoint(version: string, earlier: Reading, later: Reading, atMs: number): void {
    const known = points.get(version) ?? [];
    points.set(version, known);
    known.push({ atMs, values: readCharts(compareReadings(earlier, later), version === WHOLE) });
  }

  return {
    add: (reading, nowMs) => {
      const process = reading.samples.get('process_start_time_seconds')?.[0]?.value ?? 0;
      processes.add(process);
      hasAnswered ||=
        reading.samples.get('ternion_requests_total')?.some(({ labels }) => labels.model) ?? false;
      for (const [key, { whole }] of latest) {
        if (reading.atMs - whole.atMs > LONGEST_PAIR_MS) latest.delete(key);
      }
      for (const [version, known] of points) {
        const kept = known.filter(({ atMs }) => nowMs - atMs <= KEPT_MS);
        if (kept.length > 0) points.set(version, kept);
        else points.delete(version);
      }
      const before = latest.get(process);
      const now: Split = { whole: reading, parts: splitByVersion(reading) };
      latest.set(process, now);
      if (!before) return;
      addPoint(WHOLE, before.whole, reading, nowMs);
      for (const [version, part] of now.parts) {
        // A new version has no samples in any part, nor in the whole.
        addPoint(version, before.parts.get(version) ?? before.whole, part, nowMs);
      }
    },
    get hasAnswered() {
      return hasAnswered;
    },
    get versions() {
      return [...points.keys()].filter((version) => version !== WHOLE).sort();
    },
    get processes() {
      return processes.size;
    },
    pointsOf: (version = WHOLE) => points.get(version) ?? [],
  };
}

/** The samples of each version, so that no version looks through those of all others. */
function splitByVersion({ atMs, samples }: Reading): ReadonlyMap<string, Reading> {
  const parts = new Map<string, Map<string, Sample[]>>();
  for (const [name, all] of samples) {
    for (const sample of all) {
      const { model, version } = sample.labels;
      if (!model || !version) continue;
      const key = `${model}/${version}`;
      const part = parts.get(key) ?? new Map<string, Sample[]>();
      parts.set(key, part);
      const known = part.get(name) ?? [];
      part.set(name, known);
      known.push(sample);
    }
  }
  return new Map([...parts].map(([key, part]) => [key, { atMs, samples: part }]));
}
