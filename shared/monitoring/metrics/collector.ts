import type { MetricsName } from '../../config.ts';
import type { Measured } from '../../usage.ts';
import { type RequestRecord, STEPS } from '../request-record.ts';
import { addValue, createHistogram, type Histogram } from './histogram.ts';
import { loadNames } from './names.ts';
import {
  BATCH_BOUNDS,
  type Collector,
  DURATION_BOUNDS,
  LOAD_BOUNDS,
  type LoadSeries,
  type ObjectiveSeries,
  type OwnSeries,
  type RequestSeries,
} from './series.ts';

/** Clients can send any method, and each would be a series of its own. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * Each histogram has the bounds of all names under which it is given, so that the buckets of each are exact.
 *
 * @param chosen the servers whose names are used
 */
export async function createCollector(chosen: readonly MetricsName[]): Promise<Collector> {
  const names = await loadNames(chosen);
  const bounds = {
    duration: join(DURATION_BOUNDS, ...names.map(({ durationBounds = [] }) => durationBounds)),
    batch: join(BATCH_BOUNDS, ...names.map(({ batchBounds = [] }) => batchBounds)),
  };
  const requests = new Map<string, RequestSeries>();
  const own = new Map<string, OwnSeries>();
  const loads = new Map<string, LoadSeries>();
  const objectives = new Map<string, ObjectiveSeries>();
  let coldStarts = 0;

  function seriesOf({
    protocol = '',
    route = '',
    model = '',
    version = '',
    ...record
  }: RequestRecord): RequestSeries {
    const method = METHODS.includes(record.method) ? record.method : 'other';
    const key = `${protocol}\n${method}\n${route}\n${model}\n${version}`;
    const known = requests.get(key);
    if (known) return known;
    const series: RequestSeries = {
      protocol,
      method,
      route,
      model,
      version,
      statuses: new Map(),
      errors: new Map(),
      duration: createHistogram(bounds.duration),
      steps: makeSteps(() => createHistogram(bounds.duration)),
      batch: createHistogram(bounds.batch),
      runs: 0,
      bytesIn: 0,
      bytesOut: 0,
    };
    requests.set(key, series);
    return series;
  }

  return {
    names,
    request: (record) => {
      const { status, error, totalMs, trace } = record;
      const series = seriesOf(record);
      series.statuses.set(status, (series.statuses.get(status) ?? 0) + 1);
      if (error) series.errors.set(error.code, (series.errors.get(error.code) ?? 0) + 1);
      const seconds = totalMs / 1000;
      const bucket = addValue(series.duration, seconds);
      // A trace that nobody records cannot be looked at.
      if (trace.isSampled) {
        const atMs = record.startedMs + totalMs;
        series.duration.exemplars[bucket] = { traceId: trace.traceId, value: seconds, atMs };
      }
      series.bytesIn += record.bytesIn ?? 0;
      series.bytesOut += record.bytesOut ?? 0;
      if (record.coldStart) coldStarts += 1;
      if (record.runs > 0) {
        series.runs += record.runs;
        addValue(series.batch, record.instances);
        for (const step of STEPS) addValue(series.steps[step], record.steps[step] / 1000);
        addValue(series.steps.queue, record.queueMs / 1000);
        countSlow(record);
      }
      if (record.counts || record.observations) addOwn(record);
    },
    load: ({ reference: { name, version }, durationMs, succeeded, objective }) => {
      const key = `${name}\n${version}`;
      const series = loads.get(key) ?? {
        model: name,
        version,
        duration: createHistogram(LOAD_BOUNDS),
        failures: 0,
      };
      loads.set(key, series);
      if (succeeded) addValue(series.duration, durationMs / 1000);
      else series.failures += 1;
      if (objective && !objectives.has(key)) {
        objectives.set(key, { model: name, version, objective, slow: 0 });
      }
    },
    get requests() {
      return [...requests.values()];
    },
    get own() {
      return [...own.values()];
    },
    get loads() {
      return [...loads.values()];
    },
    get objectives() {
      return [...objectives.values()];
    },
    get coldStarts() {
      return coldStarts;
    },
  };

  /** A request that failed is missed by the availability, and must not count twice. */
  function countSlow({ model = '', version = '', status, totalMs }: RequestRecord): void {
    const series = objectives.get(`${model}\n${version}`);
    const mostMs = series?.objective.latency?.ms;
    if (series && mostMs !== undefined && status < 400 && totalMs > mostMs) series.slow += 1;
  }

  function addOwn({ model = '', version = '', counts, observations }: RequestRecord): void {
    const key = `${model}\n${version}`;
    const series = own.get(key) ?? { model, version, counts: new Map(), observations: new Map() };
    own.set(key, series);
    for (const [name, count] of counts ?? []) series.counts.set(name, (series.counts.get(name) ?? 0) + count);
    for (const [name, measured] of observations ?? []) {
      const known = series.observations.get(name);
      series.observations.set(name, known ? addMeasured(known, measured) : measured);
    }
  }
}

function makeSteps(make: () => Histogram): RequestSeries['steps'] {
  return {
    receive: make(),
    match: make(),
    decode: make(),
    resolve: make(),
    preprocess: make(),
    queue: make(),
    run: make(),
    encode: make(),
    reply: make(),
  };
}

function addMeasured(a: Measured, b: Measured): Measured {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    least: Math.min(a.least, b.least),
    largest: Math.max(a.largest, b.largest),
  };
}

/** All bounds in their order. */
function join(...lists: readonly (readonly number[])[]): readonly number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}
