import { createNumbers } from '../metrics/collector.ts';
import { addValue } from '../metrics/histogram.ts';
import { attributesOf, doubleOf, toNanoseconds } from './any-value.ts';
import { createCollectorClient, type Report, SCOPE } from './collector-client.ts';
import type { Exporter } from './exporter.ts';
import { createFunctionNumbers } from './function-metrics.ts';
import { describeMetrics, NEEDED_BOUNDS } from './metrics.ts';
import { countOf, type Measure, type Metric } from './points.ts';
import type { MetricSettings, SignalSettings, Temporality } from './settings.ts';

export interface MetricExporterOptions extends MetricSettings {
  readonly settings: SignalSettings;
  /** The attributes of the process, as OTLP has them. */
  readonly resource: object;
  readonly isFrozen: boolean;
  readonly report: Report;
}

/** How often servers send metrics. Source: OpenTelemetry specification, periodic exporting reader. */
const INTERVAL_MS = 60_000;
/** How long sending may keep a function, or a server that ends. */
const BUDGET_MS = 500;
const CLOSE_MS = 2_000;

/** Source: OTLP 1.x, metrics.proto. */
const TEMPORALITY: Readonly<Record<Temporality, number>> = { delta: 1, cumulative: 2 };

/**
 * Sends metrics to a collector. They are made of numbers since the start of the process, so nothing is lost while the
 * collector is away: with deltas, the message that it did not take is sent again as it was, and what came since follows.
 */
export function createMetricExporter(options: MetricExporterOptions): Exporter {
  const { settings, isFrozen, resource, report } = options;
  const temporality = options.temporality ?? (isFrozen ? 'delta' : 'cumulative');
  const intervalMs = options.intervalMs ?? (isFrozen ? 0 : INTERVAL_MS);
  const client = createCollectorClient(settings, 'metrics', report);
  const collector = createNumbers([NEEDED_BOUNDS]);
  const functions = isFrozen ? createFunctionNumbers() : undefined;
  const subtract = temporality === 'delta' ? createDelta() : undefined;
  const timer = isFrozen ? undefined : setInterval(tick, intervalMs).unref();
  const ending = new AbortController();
  let fromMs = Date.now();
  let toMs = fromMs;
  /** When the last message was made, on a clock that nobody sets; undefined before the first one. */
  let madeMs: number | undefined;
  let initSeconds: number | undefined;
  let isDirty = false;
  /** A delta that the collector has not taken. */
  let pending: string | undefined;
  let sending: Promise<void> | undefined;
  let queued: Promise<void> | undefined;

  function make(): string {
    // A clock can be set back, and backends refuse a point that is not later than the one before.
    toMs = Math.max(Date.now(), toMs + 1);
    const all = describeMetrics(collector, functions);
    const metrics = subtract ? subtract(all) : all;
    const written = metrics.map((metric) => write(metric, temporality, fromMs, toMs));
    // The next delta begins where this one ends.
    if (subtract) fromMs = toMs;
    isDirty = false;
    madeMs = performance.now();
    const scopeMetrics = [{ scope: SCOPE, metrics: written }];
    return JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics }] });
  }

  /** Sends the delta that waits, and then what has come since. A sum since the start has all that an older one has. */
  async function send(): Promise<void> {
    if (pending !== undefined) {
      if (await client.send(pending, 'metrics', ending.signal)) return;
      pending = undefined;
    }
    if (!isDirty) return;
    const message = make();
    if (!(await client.send(message, 'metrics', ending.signal))) return;
    if (subtract) pending = message;
    else isDirty = true;
  }

  /**
   * Sends one message at a time. All who come meanwhile wait for one further sending, however many they are. A host that
   * does not wait any more for an answer does not end the request: whether the collector took the message is read from
   * a late answer, too.
   */
  function flush(): Promise<void> {
    if (sending === undefined) {
      sending = send().finally(() => {
        sending = undefined;
      });
      return sending;
    }
    queued ??= sending.then(() => {
      queued = undefined;
      return flush();
    });
    return queued;
  }

  /** Series since the start are sent again although they are the same: others would take them for ended. */
  function tick(): void {
    isDirty ||= !subtract && madeMs !== undefined;
    void flush();
  }

  return {
    ready: () => {
      initSeconds = performance.now() / 1000;
    },
    request: (record, { waitUntil }) => {
      collector.request(record);
      isDirty = true;
      if (!functions) return;
      addValue(record.coldStart ? functions.cold : functions.warm, record.totalMs / 1000);
      if (record.status >= 500) functions.errors += 1;
      else functions.succeeded += 1;
      if (record.coldStart && initSeconds !== undefined) addValue(functions.init, initSeconds);
      if (madeMs === undefined || performance.now() - madeMs >= intervalMs)
        waitUntil(flush, { budgetMs: BUDGET_MS });
    },
    load: (load) => {
      collector.load(load);
      isDirty = true;
    },
    shadow: (run) => {
      collector.shadow(run);
      isDirty = true;
    },
    close: async () => {
      clearInterval(timer);
      setTimeout(() => ending.abort(), CLOSE_MS).unref();
      await flush();
    },
  };
}

/** A function that subtracts from all numbers what they were when it was called before, and leaves out what is the same. */
function createDelta(): (metrics: readonly Metric[]) => readonly Metric[] {
  const known = new Map<string, Measure>();
  return (metrics) =>
    metrics.flatMap((metric) => {
      const points = metric.points.flatMap(({ attributes, measure }) => {
        const key = `${metric.name} ${JSON.stringify(attributes)}`;
        const change = minus(measure, known.get(key));
        known.set(key, measure);
        return countOf(change) === 0 ? [] : [{ attributes, measure: change }];
      });
      return points.length === 0 ? [] : [{ ...metric, points }];
    });
}

function minus(measure: Measure, before: Measure | undefined): Measure {
  if (typeof measure === 'number') return measure - (typeof before === 'number' ? before : 0);
  if (typeof before !== 'object') return measure;
  return {
    bounds: measure.bounds,
    counts: measure.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    sum: measure.sum - before.sum,
  };
}

/** A metric in the JSON of OTLP, which has 64-bit numbers as texts. */
function write(
  { name, unit, description, points }: Metric,
  temporality: Temporality,
  fromMs: number,
  toMs: number,
): object {
  const startTimeUnixNano = toNanoseconds(fromMs);
  const timeUnixNano = toNanoseconds(toMs);
  const dataPoints = points.map(({ attributes, measure }) => ({
    attributes: attributesOf(attributes),
    startTimeUnixNano,
    timeUnixNano,
    ...writeMeasure(measure),
  }));
  const aggregationTemporality = TEMPORALITY[temporality];
  const isSum = typeof points[0]?.measure === 'number';
  const data = isSum
    ? { sum: { aggregationTemporality, isMonotonic: true, dataPoints } }
    : { histogram: { aggregationTemporality, dataPoints } };
  return { name, unit, description, ...data };
}

function writeMeasure(measure: Measure): object {
  if (typeof measure === 'number') {
    return Number.isSafeInteger(measure) ? { asInt: String(measure) } : { asDouble: doubleOf(measure) };
  }
  return {
    count: String(countOf(measure)),
    sum: doubleOf(measure.sum),
    bucketCounts: measure.counts.map(String),
    explicitBounds: measure.bounds,
  };
}
