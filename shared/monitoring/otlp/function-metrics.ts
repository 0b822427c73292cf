import { createHistogram, type Histogram } from '../metrics/histogram.ts';
import type { Collector } from '../metrics/series.ts';
import { HTTP_BOUNDS, type Measure, type Metric, measureOf, type Point } from './points.ts';

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

export function createFunctionNumbers(): FunctionNumbers {
  const seconds = () => createHistogram(HTTP_BOUNDS);
  return { warm: seconds(), cold: seconds(), init: seconds(), succeeded: 0, errors: 0 };
}

/** Source: semantic conventions 1.44, FaaS metrics. */
export function functionMetrics(
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
