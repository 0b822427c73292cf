import { partsOf } from '../../measurement-keys.ts';
import { mergeBy, ranIn, sumBy } from '../metrics/group.ts';
import { bucketsOf, createHistogram, type Histogram } from '../metrics/histogram.ts';
import {
  BATCH_BOUNDS,
  type Collector,
  DURATION_BOUNDS,
  exponential,
  LOAD_BOUNDS,
  type RequestSeries,
  TOKEN_BOUNDS,
} from '../metrics/series.ts';
import { STEPS } from '../request-record.ts';
import type { Attributes } from './any-value.ts';
import { embeddingAttributes } from './gen-ai.ts';

/** Values by their size. */
export interface Buckets {
  /** Upper ends; the last bucket has none. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A sum that only grows, or a histogram. */
export type Measure = number | Buckets;

export interface Point {
  readonly attributes: Attributes;
  readonly measure: Measure;
}

/** A metric with all its points, since the start of the process. */
export interface Metric {
  readonly name: string;
  /** Source: UCUM, as the semantic conventions write it. */
  readonly unit: string;
  readonly description: string;
  readonly points: readonly Point[];
}

/** What functions count beside their requests. */
export interface FunctionNumbers {
  /** Seconds of requests, of the first one of the process apart from the others. */
  readonly warm: Histogram;
  readonly cold: Histogram;
  /** Seconds from the start of the process until it could answer. */
  readonly init: Histogram;
  succeeded: number;
  /** Failures of the server, and not mistakes of clients. */
  errors: number;
}

/** Seconds. Source: semantic conventions 1.44, HTTP server and FaaS metrics. */
export const HTTP_BOUNDS = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** Seconds. Source: semantic conventions for generative AI 1.37, metrics. */
export const GEN_AI_BOUNDS = exponential(0.01, 2, 14);

/** What the histograms of requests must have, so that the buckets here are exact. */
export const NEEDED_BOUNDS = { durationBounds: [...HTTP_BOUNDS, ...GEN_AI_BOUNDS] };

export function createFunctionNumbers(): FunctionNumbers {
  const seconds = () => createHistogram(HTTP_BOUNDS);
  return { warm: seconds(), cold: seconds(), init: seconds(), succeeded: 0, errors: 0 };
}

/** @param functions undefined for a server */
export function describeMetrics(
  collector: Collector,
  functions: FunctionNumbers | undefined,
): readonly Metric[] {
  const all = [
    ...requestMetrics(collector.requests),
    ...embeddingMetrics(collector.requests),
    ...runMetrics(collector.requests),
    ...loadMetrics(collector.loads),
    ...qualityMetrics(collector.quality),
    ...ownMetrics(collector.own),
    ...(functions ? functionMetrics(collector, functions) : []),
  ];
  return all.flatMap((metric) => {
    const points = metric.points.filter(({ measure }) => countOf(measure) !== 0);
    return points.length === 0 ? [] : [{ ...metric, points }];
  });
}

function requestMetrics(requests: readonly RequestSeries[]): readonly Metric[] {
  return [
    {
      name: 'http.server.request.duration',
      unit: 's',
      description: 'Duration of HTTP server requests.',
      points: histograms(
        requests,
        ({ method, route, status, code }) => ({
          'http.request.method': method === 'other' ? '_OTHER' : method,
          ...(route !== '' && { 'http.route': route }),
          'http.response.status_code': String(status),
          ...(code !== '' && { 'error.type': code }),
        }),
        ({ duration }) => duration,
        HTTP_BOUNDS,
      ).map(withStatus),
    },
    {
      name: 'ternion.request.duration',
      unit: 's',
      description: 'Time from the arrival of a request to a model until its answer was made.',
      points: histograms(
        requests.filter(({ model }) => model !== ''),
        ({ protocol, code, ...each }) => ({
          'ternion.protocol': protocol,
          ...modelOf(each),
          ...(code !== '' && { 'error.type': code }),
        }),
        ({ duration }) => duration,
        DURATION_BOUNDS,
      ),
    },
  ];
}

/** Series are found by texts, and the conventions want a number. */
function withStatus({ attributes, measure }: Point): Point {
  const key = 'http.response.status_code';
  return { attributes: { ...attributes, [key]: Number(attributes[key]) }, measure };
}

function embeddingMetrics(requests: readonly RequestSeries[]): readonly Metric[] {
  const all = requests.flatMap(({ tokens, ...each }) => (tokens ? [{ ...each, tokens }] : []));
  const labelsOf = ({ code, ...each }: RequestSeries) => ({
    ...textsOf(embeddingAttributes(each)),
    ...(code !== '' && { 'error.type': code }),
  });
  return [
    {
      name: 'gen_ai.server.request.duration',
      unit: 's',
      description: 'Duration of requests for the vectors of texts.',
      points: histograms(all, labelsOf, ({ duration }) => duration, GEN_AI_BOUNDS),
    },
    {
      name: 'ternion.token.usage',
      unit: '{token}',
      description: 'Tokens of a request for the vectors of texts.',
      points: histograms(
        all,
        (each) => ({ ...labelsOf(each), 'gen_ai.token.type': 'input' }),
        ({ tokens }) => tokens,
        TOKEN_BOUNDS,
      ),
    },
  ];
}

function runMetrics(requests: readonly RequestSeries[]): readonly Metric[] {
  const ran = ranIn(requests);
  return [
    {
      name: 'ternion.step.duration',
      unit: 's',
      description: 'Time in each step of a request that ran a model.',
      points: [...STEPS, 'queue' as const].flatMap((step) =>
        histograms(
          ran,
          (each) => ({ 'ternion.step': step, ...modelOf(each) }),
          ({ runs }) => runs.steps[step],
          DURATION_BOUNDS,
        ),
      ),
    },
    {
      name: 'ternion.batch.size',
      unit: '{instance}',
      description: 'Instances in a request that ran a model.',
      points: histograms(ran, modelOf, ({ runs }) => runs.batch, BATCH_BOUNDS),
    },
    {
      name: 'ternion.runs',
      unit: '{run}',
      description: 'Runs of the graph of a model.',
      points: sums(ran, modelOf, ({ runs }) => runs.count),
    },
  ];
}

function loadMetrics(loads: Collector['loads']): readonly Metric[] {
  return [
    {
      name: 'ternion.model.load.duration',
      unit: 's',
      description: 'Time to load a version of a model.',
      points: histograms(loads, modelOf, ({ duration }) => duration, LOAD_BOUNDS),
    },
    {
      name: 'ternion.model.load.failures',
      unit: '{load}',
      description: 'Loads of a version of a model that failed.',
      points: sums(loads, modelOf, ({ failures }) => failures),
    },
  ];
}

function qualityMetrics(quality: Collector['quality']): readonly Metric[] {
  return [
    {
      name: 'ternion.feature.values',
      unit: '{value}',
      description: 'Values of each feature of a tabular model, and those that the model does not expect.',
      points: quality.flatMap(({ features, rows, ...each }) =>
        [...features].flatMap(([feature, { perRow, ...counts }]) =>
          Object.entries({ seen: rows * perRow, ...counts }).map(([kind, measure]) => ({
            attributes: { ...modelOf(each), 'ternion.feature': feature, 'ternion.kind': kind },
            measure,
          })),
        ),
      ),
    },
  ];
}

/** Each name of own code is a metric of its own, with its labels as attributes. */
function ownMetrics(own: Collector['own']): readonly Metric[] {
  const points = new Map<string, { readonly isCount: boolean; readonly points: Point[] }>();
  const add = (prefix: string, key: string, each: Collector['own'][number], measure: Measure) => {
    const { name, labels } = partsOf(key);
    const metric = `ternion.${prefix}.${name}`;
    const known = points.get(metric) ?? { isCount: typeof measure === 'number', points: [] };
    points.set(metric, known);
    known.points.push({ attributes: { ...modelOf(each), ...labels }, measure });
  };
  for (const each of own) {
    for (const [key, count] of each.counts) add('counts', key, each, count);
    for (const [key, { count, sum }] of each.observations) {
      add('observations', key, each, { bounds: [], counts: [count], sum });
    }
  }
  return [...points].map(([name, { isCount, points }]) => ({
    name,
    unit: isCount ? '{count}' : '1',
    description: isCount ? 'What steps of own code counted.' : 'What steps of own code measured.',
    points,
  }));
}

function functionMetrics(
  { coldStarts }: Collector,
  { warm, cold, init, succeeded, errors }: FunctionNumbers,
): readonly Metric[] {
  const trigger = { 'faas.trigger': 'http' };
  const durations = [
    { attributes: { ...trigger, 'faas.coldstart': false }, measure: measureOf(warm, HTTP_BOUNDS) },
    { attributes: { ...trigger, 'faas.coldstart': true }, measure: measureOf(cold, HTTP_BOUNDS) },
  ];
  const of = (measure: Measure): readonly Point[] => [{ attributes: trigger, measure }];
  return [
    {
      name: 'faas.invocations',
      unit: '{invocation}',
      description: 'Invocations that succeeded.',
      points: of(succeeded),
    },
    { name: 'faas.errors', unit: '{error}', description: 'Invocations that failed.', points: of(errors) },
    {
      name: 'faas.coldstarts',
      unit: '{coldstart}',
      description: 'Invocations that were the first one of a process.',
      points: of(coldStarts),
    },
    {
      name: 'faas.invoke_duration',
      unit: 's',
      description: 'Time of an invocation, without what is done after the answer.',
      points: durations,
    },
    {
      name: 'faas.init_duration',
      unit: 's',
      description: 'Time from the start of a process until it could answer.',
      points: of(measureOf(init, HTTP_BOUNDS)),
    },
  ];
}

type Texts = Readonly<Record<string, string>>;

function modelOf({ model, version }: Pick<RequestSeries, 'model' | 'version'>): Texts {
  return { 'ternion.model': model, 'ternion.model_version': version };
}

function textsOf(attributes: Attributes): Texts {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

function histograms<T>(
  items: readonly T[],
  labelsOf: (item: T) => Texts,
  histogramOf: (item: T) => Histogram,
  bounds: readonly number[],
): readonly Point[] {
  return mergeBy(items, labelsOf, histogramOf).map(([attributes, histogram]) => ({
    attributes,
    measure: measureOf(histogram, bounds),
  }));
}

function sums<T>(
  items: readonly T[],
  labelsOf: (item: T) => Texts,
  numberOf: (item: T) => number,
): readonly Point[] {
  return sumBy(items, (item) => [labelsOf(item), numberOf(item)]).map(([attributes, measure]) => ({
    attributes,
    measure,
  }));
}

/** Prometheus counts in each bucket what is below its end, and OTLP what is in it alone. */
function measureOf(histogram: Histogram, bounds: readonly number[]): Buckets {
  const below = bucketsOf(histogram, bounds).map(({ count }) => count);
  return {
    bounds,
    counts: below.map((count, index) => count - (below[index - 1] ?? 0)),
    sum: histogram.sum,
  };
}

/** A sum itself, or the number of values in a histogram. */
export function countOf(measure: Measure): number {
  return typeof measure === 'number' ? measure : measure.counts.reduce((sum, count) => sum + count, 0);
}
