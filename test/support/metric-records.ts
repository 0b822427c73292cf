import type { MetricsName } from '../../shared/config.ts';
import { InferenceError } from '../../shared/errors.ts';
import { createCollector } from '../../shared/monitoring/metrics/collector.ts';
import type { Family } from '../../shared/monitoring/metrics/family.ts';
import type { ServerState } from '../../shared/monitoring/metrics/series.ts';
import { writePrometheus } from '../../shared/monitoring/metrics/write-text.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';
import { makeRecord as makePrediction } from './make-record.ts';

const NO_TIME = {
  receive: 0,
  match: 0,
  decode: 0,
  resolve: 0,
  preprocess: 0,
  run: 0,
  encode: 0,
  reply: 0,
};

/** The record of a request to an unknown path, or of another one that the properties describe. */
export function makeRecord(properties: Partial<RequestRecord> = {}): RequestRecord {
  return makePrediction({
    path: '/',
    route: undefined,
    protocol: undefined,
    model: undefined,
    version: undefined,
    startedMs: 1000,
    totalMs: 1,
    steps: NO_TIME,
    runs: 0,
    instances: 0,
    bytesIn: 100,
    bytesOut: 200,
    ...properties,
  });
}

const IRIS = { model: 'iris', version: '1' };
const DIGITS = { model: 'digits', version: '2' };
const PREDICT = { protocol: 'tensorflow-serving', route: '/v1/models/{model}:predict' };

/** Three requests that succeeded with six instances, two that failed, and two that are for no inference. */
export const RECORDS: readonly RequestRecord[] = [
  makeRecord({
    ...IRIS,
    ...PREDICT,
    runs: 1,
    instances: 3,
    totalMs: 12,
    queueMs: 0.5,
    steps: { ...NO_TIME, preprocess: 1, run: 8, encode: 2 },
  }),
  makeRecord({
    ...IRIS,
    protocol: 'open-inference',
    route: '/v2/models/{model}/infer',
    runs: 1,
    instances: 1,
    totalMs: 4,
    queueMs: 0.25,
    steps: { ...NO_TIME, preprocess: 0.5, run: 3, encode: 0.125 },
  }),
  makeRecord({
    ...DIGITS,
    protocol: 'ternion',
    route: '/models/{model}/predict',
    runs: 2,
    instances: 2,
    totalMs: 600,
    startedMs: 3000,
    steps: { ...NO_TIME, preprocess: 90, run: 500, encode: 4 },
  }),
  makeRecord({
    ...IRIS,
    ...PREDICT,
    status: 400,
    error: new InferenceError('INVALID_PARAMETER_VALUE', 'bad'),
  }),
  makeRecord({
    ...DIGITS,
    protocol: 'ternion',
    route: '/models/{model}/predict',
    status: 500,
    error: new InferenceError('PROCESSOR_FAILED', 'bad'),
    totalMs: 3,
  }),
  makeRecord({ ...IRIS, method: 'GET', protocol: 'open-inference', route: '/v2/models/{model}' }),
  makeRecord({ method: 'GET', status: 404, error: new InferenceError('ENDPOINT_NOT_FOUND', 'where?') }),
];

/** A server under one server's names that had these requests, and loaded a model in a fifth of a second. */
export async function collect(
  name: MetricsName,
  records: readonly RequestRecord[] = RECORDS,
): Promise<{ readonly state: ServerState; readonly families: readonly Family[] }> {
  const collector = await createCollector([name]);
  for (const record of records) collector.request(record);
  if (records.length > 0) {
    collector.load({ reference: { name: 'iris', version: '1' }, durationMs: 200, succeeded: true });
    collector.load({ reference: { name: 'digits', version: '2' }, durationMs: 100, succeeded: false });
  }
  const sessions = { count: 1, bytes: 1000 };
  const state: ServerState = { collector, inProgress: 1, sessions, waiting: 4, version: '1.2.3' };
  return { state, families: collector.names.flatMap((names) => names.families(state)) };
}

/** The text of some families, without the buckets of their histograms. */
export function writeWithoutBuckets(families: readonly Family[]): string {
  return writePrometheus(
    families.map((family) => ({
      ...family,
      samples: family.samples.filter(({ suffix }) => suffix !== '_bucket'),
    })),
  );
}

/** The `le` and the value of each bucket of a histogram with one set of labels. */
export function bucketsOf(families: readonly Family[], name: string): readonly (readonly [string, number])[] {
  const samples = families.find((family) => family.name === name)?.samples ?? [];
  return samples.flatMap(({ suffix, labels, value }) =>
    suffix === '_bucket' ? [[labels.le ?? '', value] as const] : [],
  );
}
