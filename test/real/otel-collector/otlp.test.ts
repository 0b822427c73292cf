import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get, post } from '../../contracts/exchanges.ts';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { OWN_RUNTIME } from '../../support/hosts/lambda-bundle.ts';
import { fromResult, toEvent } from '../../support/hosts/lambda-events.ts';
import { sendOverHttp, type TestRequest } from '../../support/hosts/test-host.ts';
import { openLambdaEnvironment } from '../../support/lambda-environment.ts';
import { type SentPoint, valuesOf } from '../../support/otlp-collector.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { startCommand } from '../../support/run-command.ts';
import { RUNNABLE } from '../../support/targets.ts';
import { startCollector, type Taken } from './collector.ts';

const DURATION = 'http.server.request.duration';
const ROW = [5.1, 3.5, 1.4, 0.2];

/** Requests of several kinds, with how often each status must be counted. */
const CALLS: readonly TestRequest[] = [
  post('/models/iris/predict', { features: ROW }),
  post('/v1/models/iris:predict', { instances: [ROW, ROW, ROW] }),
  post('/models/iris/predict', { features: ['a', 'b', 'c', 'd'] }),
  get('/health'),
  get('/no/such/path'),
];

/** What the side that sent the requests has counted. */
interface Books {
  readonly byStatus: Map<number, number>;
  ran: number;
  instances: number;
}

const newBooks = (): Books => ({ byStatus: new Map(), ran: 0, instances: 0 });

function enter(books: Books, index: number, status: number): void {
  books.byStatus.set(status, (books.byStatus.get(status) ?? 0) + 1);
  const kind = index % CALLS.length;
  if (kind > 1) return;
  books.ran += 1;
  books.instances += kind === 0 ? 1 : 3;
}

function callOf(index: number): TestRequest {
  const call = CALLS[index % CALLS.length];
  if (call === undefined) throw new Error('there are requests of each kind');
  return call;
}

function sumBy(points: readonly SentPoint[], key: string): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { attributes, count } of points) {
    const value = Number(attributes[key]);
    sums.set(value, (sums.get(value) ?? 0) + count);
  }
  return sums;
}

function countOf(points: readonly SentPoint[]): number {
  return points.reduce((sum, { count }) => sum + count, 0);
}

function sumOf(points: readonly SentPoint[]): number {
  return points.reduce((total, { sum = 0 }) => total + sum, 0);
}

/** The latest point of each series. */
function latestOf(points: readonly SentPoint[]): readonly SentPoint[] {
  return [...new Map(points.map((point) => [JSON.stringify(point.attributes), point])).values()];
}

/** One span for each request, each with its own id, and none without the span that it is below. */
async function expectSpans(taken: Taken, { byStatus }: Books): Promise<void> {
  const total = [...byStatus.values()].reduce((sum, count) => sum + count, 0);
  const servers = () => taken.spans().filter(({ kind }) => kind === 2);
  await expect.poll(() => servers().length, { timeout: 10_000 }).toBe(total);
  const ids = new Set(taken.spans().map(({ spanId }) => spanId));
  expect(ids.size).toBe(taken.spans().length);
  const statuses = new Map<number, number>();
  for (const { attributes } of servers()) {
    const status = Number(valuesOf(attributes)['http.response.status_code']);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect(statuses).toEqual(byStatus);
  for (const { kind, parentSpanId = '' } of taken.spans()) {
    if (kind === 1) expect(ids).toContain(parentSpanId);
  }
}

/** Sends requests with several connections. */
async function load(port: number, count: number): Promise<Books> {
  const books = newBooks();
  let next = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) {
      enter(books, index, (await sendOverHttp(port, callOf(index))).status);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return books;
}

describe('a real collector', () => {
  it.each([
    ['sums', 'cumulative', 'none'],
    ['deltas', 'delta', 'gzip'],
  ])('gets %s of a server that equal what was sent', async (_, temporality, compression) => {
    const [port, collectorPort] = [await findFreePort(), await findFreePort()];
    const taken = await startCollector(collectorPort);
    const serve = startCommand(['serve', '-r', MODELS, '--port', String(port), '--grace', '0'], '', {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      OTEL_METRIC_EXPORT_INTERVAL: '100',
    });
    await serve.seen(/Ternion serves/);
    const books = await load(port, 1000);
    serve.process.kill('SIGTERM');
    await serve.outcome;
    await expectSpans(taken, books);
    const read = (name: string) =>
      temporality === 'delta' ? taken.points(name) : latestOf(taken.points(name));
    const total = () => countOf(read(DURATION));
    await expect.poll(total).toBe(1000);
    expect(sumBy(read(DURATION), 'http.response.status_code')).toEqual(books.byStatus);
    expect([countOf(read('ternion.batch.size')), sumOf(read('ternion.batch.size'))]).toEqual([
      books.ran,
      books.instances,
    ]);
    expect(countOf(read('ternion.runs'))).toBe(books.ran);
    const messages = new Set(taken.points(DURATION).map(({ message }) => message));
    expect(messages.size).toBeGreaterThan(1);
    const expected = temporality === 'delta' ? 1 : 2;
    expect(taken.points(DURATION).every((point) => point.temporality === expected)).toBe(true);
  });

  for (const { name } of RUNNABLE.filter((target) => target.name.startsWith('aws'))) {
    it(`gets deltas of dist/${name} that equal what was sent, also while it was away`, async () => {
      const port = await findFreePort();
      const lambda = await openLambdaEnvironment({
        folder: join(PROJECT, 'dist', name),
        runtime: OWN_RUNTIME,
        environment: {
          LOG_LEVEL: 'silent',
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        },
      });
      const books = newBooks();
      const invoke = async (from: number, to: number) => {
        for (let index = from; index < to; index++) {
          const request = callOf(index);
          const { payload } = await lambda.invoke(toEvent('http-api', request));
          await lambda.frozen();
          const answer = fromResult('http-api', request.method, JSON.parse(payload.toString()));
          enter(books, index, answer.status);
        }
      };
      // Nobody listens yet.
      await invoke(0, 15);
      const taken = await startCollector(port);
      await invoke(15, 40);
      await lambda.shutdown();
      await expectSpans(taken, books);
      await expect.poll(() => countOf(taken.points(DURATION))).toBe(40);
      const durations = taken.points(DURATION);
      expect(sumBy(durations, 'http.response.status_code')).toEqual(books.byStatus);
      expect(durations.every(({ temporality }) => temporality === 1)).toBe(true);
      expect(countOf(taken.points('faas.invocations'))).toBe(40);
      expect(countOf(taken.points('faas.coldstarts'))).toBe(1);
      expect(countOf(taken.points('faas.init_duration'))).toBe(1);
      expect(sumOf(taken.points('ternion.batch.size'))).toBe(books.instances);
      // Each delta begins where the one before ended.
      const times = [...new Set(durations.map(({ startNano, endNano }) => `${startNano} ${endNano}`))];
      const pairs = times.map((time) => time.split(' '));
      expect(pairs.slice(1).map(([start]) => start)).toEqual(pairs.slice(0, -1).map(([, end]) => end));
    });
  }
});
