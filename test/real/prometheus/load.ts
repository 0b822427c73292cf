import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { get, post, raw } from '../../contracts/exchanges.ts';
import type { TestHost, TestRequest } from '../../support/hosts/test-host.ts';
import { PROJECT } from '../../support/project.ts';

/** What a request is expected to count for. */
interface Call {
  readonly request: TestRequest;
  readonly status: number;
  /** Instances that a run gets; undefined if the request is for no inference of a known model. */
  readonly instances?: number;
}

/** What was sent, counted by the side that sent it. */
export interface Books {
  /** Requests for an inference of a known model. */
  inferences: number;
  succeeded: number;
  failed: number;
  /** Instances of those that succeeded. */
  instances: number;
  /** Instances of those that succeeded, and one for each that failed. */
  inputs: number;
  /** Each of these graphs runs once for all instances of a request. */
  runs: number;
  answered2xx: number;
  answered4xx: number;
  answered5xx: number;
  /** Requests to known paths. */
  routed: number;
}

const ROW = [5.1, 3.5, 1.4, 0.2];
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/00-label-0.png'));

/** Two models, seven protocols, batches, and mistakes of several kinds. */
const CALLS: readonly Call[] = [
  { request: post('/models/iris/predict', { features: ROW }), status: 200, instances: 1 },
  { request: post('/v1/models/iris:predict', { instances: [ROW, ROW, ROW] }), status: 200, instances: 3 },
  {
    request: post('/v2/models/iris/infer', {
      inputs: [{ name: 'features', shape: [2, 4], datatype: 'FP32', data: [...ROW, ...ROW] }],
    }),
    status: 200,
    instances: 2,
  },
  {
    request: raw('/models/iris/invoke', '5.1,3.5,1.4,0.2\n5.1,3.5,1.4,0.2', { 'content-type': 'text/csv' }),
    status: 200,
    instances: 2,
  },
  {
    request: raw('/predictions/digits', PNG, { 'content-type': 'image/png' }),
    status: 200,
    instances: 1,
  },
  {
    request: raw('/models/digits/predict', PNG, { 'content-type': 'image/png' }),
    status: 200,
    instances: 1,
  },
  {
    request: post('/serving-endpoints/iris/invocations', { inputs: [ROW, ROW, ROW, ROW] }),
    status: 200,
    instances: 4,
  },
  { request: post('/models/iris/predict', { features: [1] }), status: 400, instances: 0 },
  {
    request: raw('/v1/models/iris:predict', '{"instances":', { 'content-type': 'application/json' }),
    status: 400,
    instances: 0,
  },
  { request: raw('/predictions/digits', 'hello', {}), status: 415, instances: 0 },
  { request: post('/v2/models/nothing/infer', { inputs: [] }), status: 404 },
  { request: get('/v2/models/iris'), status: 200 },
  { request: get('/v1/models/digits'), status: 200 },
  { request: get('/health'), status: 200 },
  { request: get('/no/such/path'), status: 404 },
];

/**
 * Sends all kinds of requests several times, side by side.
 *
 * @param without a model that gets none of them
 * @throws Error if one has another status than it should have
 */
export async function sendLoad(host: TestHost, times: number, without?: string): Promise<Books> {
  const calls = CALLS.filter(({ request }) => without === undefined || !request.path.includes(without));
  const books: Books = {
    inferences: 0,
    succeeded: 0,
    failed: 0,
    instances: 0,
    inputs: 0,
    runs: 0,
    answered2xx: 0,
    answered4xx: 0,
    answered5xx: 0,
    routed: 0,
  };
  for (let round = 0; round < times; round += 1) {
    await Promise.all(
      calls.map(async (call) => {
        const { method, path } = call.request;
        const { status, body } = await host.send(call.request);
        if (status !== call.status) throw new Error(`${method} ${path}: ${status} ${body.toString()}`);
        enter(books, call);
      }),
    );
  }
  return books;
}

function enter(books: Books, { request, status, instances }: Call): void {
  if (status < 300) books.answered2xx += 1;
  else if (status < 500) books.answered4xx += 1;
  else books.answered5xx += 1;
  if (request.path !== '/no/such/path') books.routed += 1;
  if (instances === undefined) return;
  const isGood = status < 300;
  books.inferences += 1;
  books.instances += instances;
  books.inputs += isGood ? instances : 1;
  if (isGood) {
    books.succeeded += 1;
    books.runs += 1;
  } else books.failed += 1;
}
