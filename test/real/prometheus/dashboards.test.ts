import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METRICS_NAMES } from '../../../shared/config.ts';
import { get } from '../../contracts/exchanges.ts';
import { type ChildHost, openLocalServer } from '../../support/hosts/child-process.ts';
import { parseOpenMetrics, parsePrometheus } from '../../support/metrics-text.ts';
import { folderOf } from '../installation.ts';
import { counterpart, programOf } from './counterpart.ts';
import { type Books, sendLoad } from './load.ts';
import { fill, PANELS } from './panels.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';

const TOKEN = 'a-token';
/** Each part of the load. Rates need two readings of a series. */
const TIMES = 10;

let host: ChildHost;
let prometheus: Prometheus;
let before: number;
let after: number;
let books: Books;

/** Two jobs, as the dashboards of TensorFlow Serving want a name of their own. */
function configurationOf(port: number): string {
  const targets = `    authorization: { credentials: ${TOKEN} }
    static_configs:
      - targets: ["127.0.0.1:${port}"]`;
  return `
global: { scrape_interval: 1s, evaluation_interval: 1s }
scrape_configs:
  - job_name: ternion
${targets}
  - job_name: integrations/tensorflow
    metrics_path: /monitoring/prometheus/metrics
${targets}
`;
}

beforeAll(async () => {
  host = await openLocalServer({ METRICS: METRICS_NAMES.join(','), METRICS_TOKEN: TOKEN });
  prometheus = await startPrometheus(configurationOf(host.port));
  before = await prometheus.readAfter(Date.now() / 1000);
  // One of the models is loaded later, so that the loads grow as well.
  const first = await sendLoad(host, TIMES, 'digits');
  await prometheus.readAfter(Date.now() / 1000);
  const second = await sendLoad(host, TIMES);
  // Two more readings, for the queries that look at whole seconds.
  after = await prometheus.readAfter(Date.now() / 1000 + 2);
  books = { ...first };
  for (const name of Object.keys(books) as (keyof Books)[]) books[name] += second[name];
});
afterAll(async () => {
  await prometheus?.close();
  await host?.close();
});

/** By how much counters have grown from one reading to another, without any estimate. */
async function growth(series: string, job: string): Promise<number> {
  const [, name, matchers] = /^([^{]+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const selector = `{${[`__name__="${name}"`, `job="${job}"`, ...(matchers ? [matchers] : [])].join(',')}}`;
  const [sumBefore, sumAfter] = await Promise.all(
    [before, after].map(async (seconds) => (await prometheus.query(`sum(${selector})`, seconds))[0]?.value),
  );
  return (sumAfter ?? Number.NaN) - (sumBefore ?? 0);
}

async function read(accept: string): Promise<string> {
  const headers = { accept, authorization: `Bearer ${TOKEN}` };
  const { body } = await host.send({ ...get('/metrics'), headers });
  return body.toString();
}

describe('a real Prometheus', () => {
  it('counts what was sent, to the last request', async () => {
    // Prometheus asks for the metrics while the load runs.
    const asked = await growth('ternion_requests_total{protocol="metrics"}', 'ternion');
    const askedThere = await growth(
      'ternion_requests_total{route="/monitoring/prometheus/metrics"}',
      'ternion',
    );
    expect(asked).toBeGreaterThan(2);
    const expected = { ...books, answered2xx: books.answered2xx + asked, routed: books.routed + askedThere };
    const series = new Map(PANELS.flatMap(({ counts }) => counts));
    const counted = new Map<string, number>();
    for (const name of series.keys()) counted.set(name, await growth(name, 'ternion'));
    expect(Object.fromEntries(counted)).toEqual(
      Object.fromEntries([...series].map(([name, book]) => [name, expected[book]])),
    );
    expect(series.size).toBeGreaterThan(15);
  });

  it('counts the same at the path of TensorFlow Serving', async () => {
    const count = ':tensorflow:serving:request_count';
    expect(await growth(count, 'integrations/tensorflow')).toBe(books.inferences);
    expect(await growth(`${count}{status!="OK"}`, 'integrations/tensorflow')).toBe(books.failed);
  });

  it.each(PANELS.filter(({ missing }) => missing.length === 0))(
    'has an answer for "$title" of $dashboard ($server): $query',
    async (panel) => {
      const { text, afterSeconds } = fill(panel);
      const results = await prometheus.query(text, after + afterSeconds);
      const values = results.map(({ value }) => value).filter((value) => Number.isFinite(value));
      expect(values.length, JSON.stringify(results.slice(0, 3))).toBeGreaterThan(0);
    },
  );

  it('has no series that the table calls missing', async () => {
    for (const name of new Set(PANELS.flatMap(({ missing }) => missing))) {
      expect(await prometheus.query(`{__name__="${name}"}`, after), name).toEqual([]);
    }
  });

  it('reads OpenMetrics with exemplars, and keeps a type for each family', async () => {
    expect(parseOpenMetrics(await read('application/openmetrics-text')).length).toBeGreaterThan(80);
    const response = await fetch(`${prometheus.url}/api/v1/targets/metadata?metric=nv_inference_count`);
    expect(await response.json()).toMatchObject({ status: 'success', data: [{ type: 'unknown' }] });
  });
});

/** Names that are not Ternion's own, which nobody can change here. */
const FOREIGN =
  /^(nv_|te_|ts_|:tensorflow:|Requests|QueueTime|HandlerTime|PredictionTime|CPU|Memory|Disk|model_infer_|rest_server_|request_)/;

/** What promtool says about them: their case, their units and their endings. */
const LINTS = [
  'counter metrics should have "_total" suffix',
  `label names should be written in 'snake_case' not 'camelCase'`,
  `metric name should not include type 'histogram'`,
  `metric names should be written in 'snake_case' not 'camelCase'`,
  `metric names should not contain ':'`,
  'metric names should not contain abbreviated units',
  'non-histogram and non-summary metrics should not have "_count" suffix',
  'use base unit "seconds" instead of "microseconds"',
];

it('satisfies promtool, except for the names of other servers', async () => {
  const text = await read('text/plain');
  const promtool = spawn(programOf(folderOf(counterpart), 'promtool'), ['check', 'metrics']);
  promtool.stdin.end(text);
  let output = '';
  for (const stream of [promtool.stdout, promtool.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(promtool, 'close');
  const lines = output.split('\n').filter((line) => line !== '');
  expect(lines.filter((line) => !FOREIGN.test(line))).toEqual([]);
  const said = lines.map((line) => line.replace(/^\S+ /, ''));
  expect([...new Set(said)].sort()).toEqual(LINTS);
  expect(parsePrometheus(text).length).toBeGreaterThan(80);
});
