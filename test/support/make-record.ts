import { InferenceError } from '../../shared/errors.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';

/** The record of a request to a small model, with some of its members as they are given. */
export function makeRecord(own: Partial<RequestRecord> = {}): RequestRecord {
  return {
    requestId: 'r-1',
    trace: {
      traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
      spanId: '00f067aa0ba902b7',
      parentSpanId: undefined,
      isSampled: undefined,
      state: undefined,
    },
    method: 'POST',
    path: '/predict',
    forwardedTo: undefined,
    route: '/predict',
    protocol: 'ternion',
    model: 'iris',
    version: '2',
    variant: 'live',
    sticky: undefined,
    status: 200,
    error: undefined,
    coldStart: false,
    startedMs: 1_700_000_000_000,
    totalMs: 8,
    steps: { receive: 0.5, match: 1, decode: 2, resolve: 0, preprocess: 0.5, run: 3, encode: 1, reply: 0.25 },
    queueMs: 0,
    runs: 1,
    instances: 3,
    embedding: undefined,
    bytesIn: 30,
    bytesOut: 245,
    counts: undefined,
    observations: undefined,
    quality: undefined,
    errorCode: own.error?.code,
    ...own,
  };
}

/** A request that has all that a record can have. */
export const FULL_RECORD: RequestRecord = makeRecord({
  status: 500,
  error: new InferenceError('INTERNAL_ERROR', 'A made-up error.'),
  coldStart: true,
  queueMs: 1,
  counts: new Map([['a', 1]]),
  observations: new Map([['a', { count: 1, sum: 1, least: 1, largest: 1 }]]),
  quality: {
    rows: 3,
    features: new Map([
      ['a', { out_of_range: 2, missing: 1 }],
      ['b', { unseen: 1 }],
    ]),
    summary: {
      rows: 3,
      missing: 1,
      out_of_range: 2,
      unseen: 1,
      features: { a: { out_of_range: 2, missing: 1 }, b: { unseen: 1 } },
    },
  },
});
