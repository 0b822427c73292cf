import { partsOf } from '../../measurement-keys.ts';
import { mergeBy, ranIn, sumBy } from '../metrics/group.ts';
import type { Histogram } from '../metrics/histogram.ts';
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
import { type FunctionNumbers, functionMetrics } from './function-metrics.ts';
import { embeddingAttributes } from './gen-ai.ts';
import { countOf, HTTP_BOUNDS, type Measure, type Metric, measureOf, type Point } from './points.ts';

/** Seconds. Source: semantic conventions for generative AI 1.37, metrics. */
export const GEN_AI_BOUNDS = exponential(0.01, 2, 14);

/** What the histograms of requests must have, so that the buckets here are exact. */
export const NEEDED_BOUNDS = { durationBounds: [...HTTP_BOUNDS, ...GEN_AI_BOUNDS] };

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
    ...shadowMetrics(collector.shadows),
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
    {
      name: 'ternion.release.load.failures',
      unit: '{load}',
      description: 'Loads of a version that failed and by which a release was held back.',
      points: sums(loads, modelOf, ({ releaseFailures }) => releaseFailures),
    },
  ];
}

function shadowMetrics(shadows: Collector['shadows']): readonly Metric[] {
  return [
    {
      name: 'ternion.shadow.requests',
      unit: '{request}',
      description: 'Copies of requests that a version got without a say in any answer.',
      points: shadows.flatMap(({ counts, ...each }) =>
        Object.entries(counts).map(([outcome, measure]) => ({
          attributes: { ...modelOf(each), 'ternion.outcome': outcome },
          measure,
        })),
      ),
    },
    {
      name: 'ternion.shadow.duration',
      unit: 's',
      description: 'Time of the copies of requests that a version ran.',
      points: histograms(shadows, modelOf, ({ duration }) => duration, DURATION_BOUNDS),
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
