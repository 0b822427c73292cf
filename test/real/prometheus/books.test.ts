// Three servers under mixed load, as the runbook wants them: alerts fire and end, and the books balance.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { get, post, raw } from '../../contracts/exchanges.ts';
import { type ChildHost, openServerBundle } from '../../support/hosts/child-process.ts';
import { readRequest, type TestRequest } from '../../support/hosts/test-host.ts';
import { portOf } from '../../support/port-of.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { RUNNABLE } from '../../support/targets.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';
import { scaleRules } from './scaled-rules.ts';

/** A minute of the rules is a second here. */
const DIVISOR = 60;
const SERVERS = 3;
const PAUSE_MS = 15;
const QUIET_MS = 6000;
const MOST_WAIT_MS = 60_000;

/** What must not be found anywhere but in requests: secrets, and parts of inputs. */
const SECRETS = {
  metricsToken: 'secret-of-prometheus',
  clientKey: 'secret-of-a-client',
  cookie: 'secret-cookie',
  collectorKey: 'secret-of-the-collector',
  query: 'secret-in-a-query',
  number: '4.815162342',
  text: 'secret-word-in-a-body',
};
const ROW = [Number(SECRETS.number), 3.5, 1.4, 0.2];
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/00-label-0.png'));

interface Call {
  readonly request: TestRequest;
  readonly status: number;
  /** Instances that a run gets. */
  readonly instances?: number;
}

const oip = { name: 'features', shape: [2, 4], datatype: 'FP32', data: [...ROW, ...ROW] };
const CALLS: readonly Call[] = [
  { request: post('/models/iris/predict', { features: ROW }), status: 200, instances: 1 },
  { request: post('/v1/models/iris:predict', { instances: [ROW, ROW, ROW] }), status: 200, instances: 3 },
  { request: post('/v2/models/iris/infer', { inputs: [oip] }), status: 200, instances: 2 },
  { request: raw('/predictions/digits', PNG, { 'content-type': 'image/png' }), status: 200, instances: 1 },
  { request: post('/models/iris/predict', { features: [SECRETS.text, 1, 2, 3] }), status: 400 },
  { request: raw('/v1/models/iris:predict', `{"${SECRETS.text}":`, {}), status: 400 },
  { request: raw('/predictions/digits', SECRETS.text, {}), status: 415 },
  { request: post('/v2/models/nothing/infer', { inputs: [oip] }), status: 404 },
  { request: get(`/no/such/path?key=${SECRETS.query}`), status: 404 },
  { request: get('/v2/models/iris'), status: 200 },
];
/** A model that cannot be loaded, and one that is never as fast as its objective. */
const TROUBLE: readonly Call[] = [
  { request: post('/models/broken/predict', { features: ROW }), status: 503 },
  { request: post('/models/late/predict', { features: ROW }), status: 200, instances: 1 },
  { request: post('/models/broken/predict', { features: ROW }), status: 503 },
];

let folder: string;
let collector: Server;
let prometheus: Prometheus;
const hosts: ChildHost[] = [];

/** What the load generator knows: the status of each request by its id, and the instances that were run. */
const sent = new Map<string, number>();
let instances = 0;
let bytesSent = 0;
let bytesReceived = 0;
/** What the collector got. */
let spans = '';

const alertsSeen: Record<'before' | 'during' | 'after', ReadonlySet<string>> = {
  before: new Set(),
  during: new Set(),
  after: new Set(),
};

let isTrouble = false;
let isOver = false;

async function keepSending(host: ChildHost, name: string): Promise<void> {
  for (let round = 0; !isOver; round += 1) {
    for (const [index, call] of [...CALLS, ...(isTrouble ? TROUBLE : [])].entries()) {
      const id = `${name}-${round}-${index}`;
      const { status, body } = await host.send({
        ...call.request,
        headers: {
          ...call.request.headers,
          'x-request-id': id,
          authorization: `Bearer ${SECRETS.clientKey}`,
          cookie: `session=${SECRETS.cookie}`,
        },
      });
      if (status !== call.status) throw new Error(`${call.request.path}: ${status} ${body.toString()}`);
      sent.set(id, status);
      instances += call.instances ?? 0;
      bytesSent += call.request.body.length;
      bytesReceived += body.length;
      await wait(PAUSE_MS);
    }
  }
}

/** The alerts that fire, such as `TernionLatencyBurn 1h`. */
async function firing(): Promise<ReadonlySet<string>> {
  const alerts = await prometheus.query('ALERTS{alertstate="firing"}', Date.now() / 1000);
  return new Set(
    alerts.map(({ metric: { alertname = '', window } }) => [alertname, window].filter(Boolean).join(' ')),
  );
}

/** Waits until the alerts are as expected, or for as long as they have time for it; gives the last ones. */
async function firingWhen(isExpected: (names: ReadonlySet<string>) => boolean): Promise<ReadonlySet<string>> {
  const lastMs = performance.now() + MOST_WAIT_MS;
  for (;;) {
    const names = await firing();
    if (isExpected(names) || performance.now() > lastMs) return names;
    await wait(200);
  }
}

const DURING = [
  'TernionDown',
  'TernionErrorRate',
  'TernionLatency',
  'TernionLatencyBurn 1h',
  'TernionLatencyBurn 3d',
  'TernionLatencyBurn 6h',
  'TernionModelLoadFailure',
];

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    spans += (await readRequest(request)).body.toString();
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  folder = await mkdtemp(join(tmpdir(), 'ternion-books-'));
  const objective = (ms: number) => ({ availability: 0.99, latency: { ms, percentile: 95 } });
  const graph = readFileSync(join(MODELS, 'iris/2/model.onnx'));
  const config = JSON.parse(readFileSync(join(MODELS, 'iris/2/model.json'), 'utf8'));
  await writeFiles(folder, {
    'models/iris/1/model.onnx': graph,
    'models/iris/1/model.json': JSON.stringify({ ...config, objective: objective(60_000) }),
    'models/late/1/model.onnx': graph,
    'models/late/1/model.json': JSON.stringify({ ...config, objective: objective(0.001) }),
    'models/digits/1/model.onnx': readFileSync(join(MODELS, 'digits/1/model.onnx')),
    'models/digits/1/model.json': readFileSync(join(MODELS, 'digits/1/model.json')),
    'models/broken/1/model.onnx': 'not a graph',
    'alerts.yml': scaleRules(DIVISOR),
  });
  const [target] = RUNNABLE.filter(({ name }) => name.startsWith('container'));
  for (let index = 0; index < SERVERS; index += 1) {
    hosts.push(
      await openServerBundle(target?.name ?? 'container', {
        MODEL_REPOSITORY: join(folder, 'models'),
        PRELOAD_MODELS: 'iris,digits',
        LOG_LEVEL: 'info',
        METRICS_TOKEN: SECRETS.metricsToken,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${portOf(collector)}`,
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${SECRETS.collectorKey}`,
      }),
    );
  }
  const scrape = {
    job_name: 'ternion',
    authorization: { credentials: SECRETS.metricsToken },
    static_configs: [{ targets: hosts.map(({ port }) => `127.0.0.1:${port}`) }],
  };
  const intervals = { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' };
  prometheus = await startPrometheus(
    JSON.stringify({ global: intervals, rule_files: [join(folder, 'alerts.yml')], scrape_configs: [scrape] }),
  );
  const loads = hosts.map((host, index) => keepSending(host, `server${index}`));
  const load = Promise.all(loads);

  await Promise.race([load, wait(QUIET_MS)]);
  alertsSeen.before = await firing();

  isTrouble = true;
  const [stopped] = hosts;
  stopped?.process.kill('SIGSTOP');
  await firingWhen((names) => names.has('TernionDown'));
  const down = await firing();
  stopped?.process.kill('SIGCONT');
  const others = DURING.filter((name) => name !== 'TernionDown');
  const rest = await firingWhen((names) => others.every((name) => names.has(name)));
  alertsSeen.during = new Set([...down, ...rest]);

  isTrouble = false;
  alertsSeen.after = await firingWhen((names) => [...names].every((name) => name.endsWith(' 3d')));
  isOver = true;
  await load;
}, 240_000);
afterAll(async () => {
  await prometheus?.close();
  for (const host of hosts) await host.close();
  collector?.close();
  await rm(folder, { recursive: true });
});

const lineSchema = z.looseObject({
  request_id: z.string(),
  path: z.string(),
  method: z.string(),
  status: z.number(),
  protocol: z.optional(z.string()),
  model: z.optional(z.string()),
  model_version: z.optional(z.string()),
  error_code: z.optional(z.string()),
  batch_size: z.optional(z.number()),
  bytes_in: z.optional(z.number()),
  bytes_out: z.optional(z.number()),
});
type Line = z.infer<typeof lineSchema>;

/** The lines of all requests but those of Prometheus. */
function logged(): readonly Line[] {
  return hosts
    .flatMap((host) => host.output().split('\n'))
    .filter((line) => line.includes('"request_id"'))
    .map((line) => lineSchema.parse(JSON.parse(line)))
    .filter(({ path }) => path !== '/metrics');
}

/** How many there are of each kind. */
function countBy<T>(items: readonly T[], kindOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[kindOf(item)] = (counts[kindOf(item)] ?? 0) + 1;
  return counts;
}

async function countedBy(query: string, labels: readonly string[]): Promise<Record<string, number>> {
  const results = await prometheus.query(query, await prometheus.readAfter(Date.now() / 1000));
  return Object.fromEntries(
    results.map(({ metric, value }) => [labels.map((label) => metric[label] ?? '').join(' '), value]),
  );
}

const sumOf = (lines: readonly Line[], sizeOf: (line: Line) => number | undefined) =>
  lines.reduce((sum, line) => sum + (sizeOf(line) ?? 0), 0);

describe('three servers under mixed load', () => {
  it('have alerts that fire and end', () => {
    expect([...alertsSeen.before]).toEqual([]);
    expect([...alertsSeen.during].sort()).toEqual(DURING);
    // Three days of the objective are six minutes here.
    expect([...alertsSeen.after].filter((name) => name !== 'TernionLatencyBurn 3d')).toEqual([]);
  });

  it('log each request once, with the status that its client got', () => {
    const ofClient = logged().filter(({ request_id: id }) => id.startsWith('server'));
    expect(countBy(ofClient, ({ request_id: id }) => id)).toEqual(
      Object.fromEntries([...sent.keys()].map((id) => [id, 1])),
    );
    const wrong = ofClient.filter(({ request_id: id, status }) => sent.get(id) !== status);
    expect(wrong).toEqual([]);
    expect(sent.size).toBeGreaterThan(1000);
  });

  it('count in metrics what is in the log', async () => {
    const lines = logged();
    const labels = ['protocol', 'method', 'model', 'version', 'status'];
    expect(
      await countedBy(`sum by (${labels}) (ternion_requests_total{protocol!="metrics"})`, labels),
    ).toEqual(
      countBy(lines, ({ protocol = '', method, model = '', model_version: version = '', status }) =>
        [protocol, method, model, version, status].join(' '),
      ),
    );
    const failed = lines.filter(({ error_code: code }) => code !== undefined);
    expect(await countedBy('sum by (code) (ternion_errors_total)', ['code'])).toEqual(
      countBy(failed, ({ error_code: code = '' }) => code),
    );
  });

  it('count instances and bytes as the load generator does', async () => {
    const ofClient = logged().filter(({ request_id: id }) => id.startsWith('server'));
    const runs = (lines: readonly Line[]) => sumOf(lines, ({ batch_size: size }) => size);
    expect(runs(ofClient)).toBe(instances);
    expect(await countedBy('sum(ternion_batch_size_sum)', [])).toEqual({ '': runs(logged()) });
    expect(sumOf(ofClient, ({ bytes_in: bytes }) => bytes)).toBe(bytesSent);
    expect(sumOf(ofClient, ({ bytes_out: bytes }) => bytes)).toBe(bytesReceived);
  });

  it('write no input and no secret into logs, metrics or spans', async () => {
    const metrics = await Promise.all(
      hosts.map((host) =>
        host.send({
          ...get('/metrics'),
          headers: {
            accept: 'application/openmetrics-text',
            authorization: `Bearer ${SECRETS.metricsToken}`,
          },
        }),
      ),
    );
    const places = {
      log: hosts.map((host) => host.output()).join('\n'),
      metrics: metrics.map(({ body }) => body.toString()).join('\n'),
      spans,
    };
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.includes('iris')]).toEqual([place, true]);
      for (const [name, secret] of Object.entries(SECRETS)) {
        expect([place, name, text.includes(secret)]).toEqual([place, name, false]);
      }
    }
  });
});
