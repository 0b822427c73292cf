import type { MetricsName } from '../../config.ts';
import { boundKey, boundName, countedName } from '../../measurement-keys.ts';
import { addMeasured } from '../../usage.ts';
import type { ModelLoad } from '../model-load.ts';
import type { RequestRecord } from '../request-record.ts';
import { addValue, createHistogram, type Histogram } from './histogram.ts';
import { loadNames } from './names.ts';
import {
  BATCH_BOUNDS,
  type Collector,
  DURATION_BOUNDS,
  type FeatureSeries,
  LOAD_BOUNDS,
  type LoadSeries,
  type MetricNames,
  type ObjectiveSeries,
  type OwnSeries,
  type QualitySeries,
  type RequestSeries,
  type RunSeries,
  type ShadowSeries,
  TOKEN_BOUNDS,
} from './series.ts';

/** Clients can send any method, and each would be a series of its own. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** @param chosen the servers whose names are used */
export async function createCollector(chosen: readonly MetricsName[]): Promise<Collector> {
  const names = await loadNames(chosen);
  return createNumbers(names, names);
}

/**
 * Counts without names of its own. Each histogram has the bounds of all those who read it, so that the buckets of each
 * are exact.
 *
 * @param names those that a reader finds with the numbers
 */
export function createNumbers(
  readers: readonly Pick<MetricNames, 'durationBounds' | 'batchBounds'>[],
  names: readonly MetricNames[] = [],
): Collector {
  const bounds = {
    duration: join(DURATION_BOUNDS, ...readers.map(({ durationBounds = [] }) => durationBounds)),
    batch: join(BATCH_BOUNDS, ...readers.map(({ batchBounds = [] }) => batchBounds)),
  };
  const requests = new Map<string, RequestSeries>();
  const own = new Map<string, OwnSeries>();
  const loads = new Map<string, LoadSeries>();
  const shadows = new Map<string, ShadowSeries>();
  const objectives = new Map<string, ObjectiveSeries>();
  const quality = new Map<string, QualitySeries>();
  let coldStarts = 0;

  /** The series of the latest request: the next one is often for the same. */
  let latest: RequestSeries | undefined;

  function seriesOf(record: RequestRecord): RequestSeries {
    const { protocol = '', route = '', model = '', version = '', status, errorCode: code = '' } = record;
    const method = METHODS.includes(record.method) ? record.method : 'other';
    const isSame =
      latest?.route === route &&
      latest.model === model &&
      latest.version === version &&
      latest.status === status &&
      latest.code === code &&
      latest.method === method &&
      latest.protocol === protocol;
    if (latest && isSame) return latest;
    const key = `${protocol}\n${method}\n${route}\n${model}\n${version}\n${status}\n${code}`;
    latest = requests.get(key);
    if (latest) return latest;
    const series: RequestSeries = {
      protocol,
      method,
      route,
      model,
      version,
      status,
      code,
      count: 0,
      duration: createHistogram(bounds.duration),
      runs: undefined,
      tokens: undefined,
      bytesIn: 0,
      bytesOut: 0,
    };
    requests.set(key, series);
    latest = series;
    return series;
  }

  function addRun(series: RequestSeries, record: RequestRecord): void {
    const { steps, queueMs, startedMs } = record;
    const last = { steps, queueMs, startedMs };
    series.runs ??= {
      steps: makeSteps(() => createHistogram(bounds.duration)),
      batch: createHistogram(bounds.batch),
      count: 0,
      latest: last,
    };
    const { runs } = series;
    runs.latest = last;
    runs.count += record.runs;
    addValue(runs.batch, record.instances);
    addSteps(runs.steps, record);
  }

  return {
    names,
    request: (record) => {
      const { totalMs, trace } = record;
      const series = seriesOf(record);
      series.count += 1;
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
        addRun(series, record);
        countSlow(record);
      }
      if (record.embedding) {
        series.tokens ??= createHistogram(TOKEN_BOUNDS);
        const { tokens } = record.embedding;
        if (tokens !== undefined) addValue(series.tokens, tokens);
      }
      if (record.counts || record.observations) addOwn(record);
      if (record.quality) addQuality(record);
    },
    load: ({ reference: { name, version }, durationMs, succeeded, isReleased, objective, features }) => {
      const key = `${name}\n${version}`;
      const series = loads.get(key) ?? {
        model: name,
        version,
        duration: createHistogram(LOAD_BOUNDS),
        latest: undefined,
        failures: 0,
        releaseFailures: 0,
      };
      loads.set(key, series);
      if (succeeded) {
        series.latest = durationMs / 1000;
        addValue(series.duration, series.latest);
      } else {
        series.failures += 1;
        if (isReleased) series.releaseFailures += 1;
      }
      if (objective && !objectives.has(key)) {
        objectives.set(key, { model: name, version, objective, slow: 0 });
      }
      if (features && !quality.has(key)) {
        quality.set(key, { model: name, version, rows: 0, features: seriesOfFeatures(features) });
      }
    },
    shadow: ({ reference: { name, version }, outcome, durationMs }) => {
      const key = `${name}\n${version}`;
      const series = shadows.get(key) ?? {
        model: name,
        version,
        counts: { agreed: 0, differed: 0, failed: 0, dropped: 0 },
        duration: createHistogram(bounds.duration),
      };
      shadows.set(key, series);
      series.counts[outcome] += 1;
      if (durationMs !== undefined) addValue(series.duration, durationMs / 1000);
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
    get shadows() {
      return [...shadows.values()];
    },
    get objectives() {
      return [...objectives.values()];
    },
    get quality() {
      return [...quality.values()];
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

  function addQuality({ model = '', version = '', quality: given }: RequestRecord): void {
    const series = quality.get(`${model}\n${version}`);
    if (!series || !given) return;
    series.rows += given.rows;
    for (const [name, { missing = 0, out_of_range: outOfRange = 0, unseen = 0 }] of given.features ?? []) {
      const feature = series.features.get(name);
      if (!feature) continue;
      feature.missing += missing;
      feature.out_of_range += outOfRange;
      feature.unseen += unseen;
    }
  }

  function addOwn({ model = '', version = '', counts, observations }: RequestRecord): void {
    const key = `${model}\n${version}`;
    const series = own.get(key) ?? {
      model,
      version,
      names: new Set<string>(),
      counts: new Map(),
      observations: new Map(),
    };
    own.set(key, series);
    for (const [whole, count] of counts ?? []) {
      const key = boundKey(boundName(whole, series.names), series.counts);
      series.counts.set(key, (series.counts.get(key) ?? 0) + count);
    }
    for (const [whole, measured] of observations ?? []) {
      const key = boundKey(boundName(whole, series.names), series.observations);
      const known = series.observations.get(key);
      series.observations.set(key, known ? addMeasured(known, measured) : measured);
    }
  }
}

function seriesOfFeatures(features: NonNullable<ModelLoad['features']>): ReadonlyMap<string, FeatureSeries> {
  const series = new Map<string, FeatureSeries>();
  for (const index of features.keys()) {
    const name = countedName(features, index);
    const known = series.get(name) ?? { perRow: 0, missing: 0, out_of_range: 0, unseen: 0 };
    known.perRow += 1;
    series.set(name, known);
  }
  return series;
}

/** Written out, because it is done for each request. */
function addSteps(series: RunSeries['steps'], { steps, queueMs }: RequestRecord): void {
  addValue(series.receive, steps.receive / 1000);
  addValue(series.match, steps.match / 1000);
  addValue(series.decode, steps.decode / 1000);
  addValue(series.resolve, steps.resolve / 1000);
  addValue(series.preprocess, steps.preprocess / 1000);
  addValue(series.queue, queueMs / 1000);
  addValue(series.run, steps.run / 1000);
  addValue(series.encode, steps.encode / 1000);
  addValue(series.reply, steps.reply / 1000);
}

function makeSteps(make: () => Histogram): RunSeries['steps'] {
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

/** All bounds in their order. */
function join(...lists: readonly (readonly number[])[]): readonly number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}
