import { InferenceError } from '../../shared/errors.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';
import { readTraceContext } from '../../shared/monitoring/trace-context.ts';

/** A request that has all that a record can have. */
export const FULL_RECORD: RequestRecord = {
  requestId: 'a',
  trace: readTraceContext(new Headers(), 'a'),
  method: 'POST',
  path: '/models/m/predict',
  forwardedTo: undefined,
  route: '/models/{model}/predict',
  protocol: 'predict',
  model: 'm',
  version: '1',
  status: 500,
  error: new InferenceError('INTERNAL_ERROR', 'A made-up error.'),
  coldStart: true,
  startedMs: 0,
  totalMs: 1,
  steps: { receive: 0, match: 0, decode: 0, resolve: 0, preprocess: 0, run: 1, encode: 0, reply: 0 },
  queueMs: 1,
  runs: 1,
  instances: 1,
  bytesIn: 1,
  bytesOut: 1,
  counts: new Map([['a', 1]]),
  observations: new Map([['a', { count: 1, sum: 1, least: 1, largest: 1 }]]),
};
