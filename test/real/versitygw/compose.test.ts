// The processes of compose.yaml without their containers, with its commands, variables and configurations.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { load as parseYaml, YAML11_SCHEMA } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { compileConfig } from '../../../functions/cli/project/compile-config.ts';
import { OWN_CODE_FILE } from '../../../functions/own-code.ts';
import { post } from '../../contracts/exchanges.ts';
import { withValues } from '../../infra/build/promql.ts';
import { type ChildHost, openServerBundle } from '../../support/hosts/child-process.ts';
import { PROJECT } from '../../support/project.ts';
import { RUNNABLE } from '../../support/targets.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { type Prometheus, startPrometheus } from '../prometheus/prometheus-server.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart, programOf } from './counterpart.ts';

const LOAD_MS = 12_000;

const serviceSchema = z.object({
  image: z.optional(z.string()),
  command: z.optional(z.array(z.string())),
  environment: z.optional(z.record(z.string(), z.string())),
  volumes: z.optional(z.array(z.string())),
});
type Service = z.infer<typeof serviceSchema>;
const composeSchema = z.object({
  services: z.object({
    server: serviceSchema,
    s3: serviceSchema,
    'copy-models': serviceSchema,
    load: serviceSchema,
    prometheus: serviceSchema,
    grafana: serviceSchema,
  }),
});
const { services } = composeSchema.parse(parseYaml(readProject('compose.yaml'), { schema: YAML11_SCHEMA }));

const dashboardSchema = z.object({
  title: z.string(),
  panels: z.array(
    z.object({
      title: z.string(),
      targets: z.optional(z.array(z.object({ expr: z.string() }))),
    }),
  ),
});

/** Each dashboard that compose.yaml mounts where Grafana looks for them. */
const QUERIES = ['ternion-server', 'ternion-models'].flatMap((name) => {
  const dashboard = dashboardSchema.parse(JSON.parse(readProject(`infra/grafana/${name}.json`)));
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ name: `${dashboard.title}: ${title}`, expr })),
  );
});

/** The image of a project has its own code; that of compose.yaml has none. */
const OWN_CODE = `
import { defineConfig, defineProcessor } from 'ternion';

const measured = defineProcessor({
  name: 'measured',
  takes: 'features',
  before: (rows, { count, observe }) => {
    count('rows', { source: 'test' }, rows.length);
    observe('rows_of_a_request', rows.length);
    return rows;
  },
});

export default defineConfig({ processors: [measured] });
`;

let folder: string;
let s3: RunningServer;
let server: ChildHost;
let prometheus: Prometheus;

function readProject(path: string): string {
  return readFileSync(join(PROJECT, path), 'utf8');
}

/** The variables of a service, for a process of this machine. */
function environmentOf({ environment = {} }: Service): Record<string, string> {
  const entries = Object.entries(environment).map(([name, value]) => [
    name,
    value.replace('http://s3:7070', `http://127.0.0.1:${s3.port}`),
  ]);
  return { PATH: process.env.PATH ?? '', ...Object.fromEntries(entries) };
}

/** Starts a command of a service that Node runs. */
function start(service: Service, replace: (word: string) => string = (word) => word) {
  const [node, ...words] = service.command ?? [];
  expect(node).toBe('node');
  const child = spawn(process.execPath, words.map(replace), {
    cwd: PROJECT,
    env: environmentOf(service),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, ended: once(child, 'close').then(() => output) };
}

/** Of twenty rows that are sent, 18 have a sepal_width out of its range, and no petal_length. */
const GOOD = [5.1, 3.5, 1.4, 0.2];
const BAD = [5.1, 30, null, 0.2];

async function send(...rows: readonly unknown[]): Promise<number> {
  const body = { instances: rows.map((features) => ({ features })) };
  return (await server.send(post('/models/measured/predict', body))).status;
}

/** Copies a model to the bucket, as the service for it does, with more members in its configuration. */
async function putModel(name: string, members: object): Promise<void> {
  const config: object = JSON.parse(readProject('models/iris/2/model.json'));
  const files = {
    'model.onnx': readFileSync(join(PROJECT, 'models/iris/2/model.onnx')),
    'model.json': JSON.stringify({ ...config, ...members }),
  };
  const {
    AWS_ACCESS_KEY_ID = '',
    AWS_SECRET_ACCESS_KEY = '',
    AWS_REGION = '',
  } = environmentOf(services.server);
  const client = new S3Client({
    forcePathStyle: true,
    endpoint: `http://127.0.0.1:${s3.port}`,
    region: AWS_REGION,
    credentials: { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY },
  });
  for (const [file, Body] of Object.entries(files)) {
    await client.send(new PutObjectCommand({ Bucket: 'models', Key: `${name}/1/${file}`, Body }));
  }
  client.destroy();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-compose-'));
  await mkdir(join(folder, 'data'));
  s3 = await startServer({
    ...counterpart,
    start: (installed, port) => [
      programOf(installed),
      ...(services.s3.command ?? []).map((word) =>
        word.replace(':7070', `127.0.0.1:${port}`).replace('/data', join(folder, 'data')),
      ),
    ],
  });
  expect(await start(services['copy-models']).ended).toBe('copied 9 files to s3://models\n');
  const [target] = RUNNABLE.filter(({ name }) => name.startsWith('container'));
  await putModel('measured', { processors: [{ step: 'measured' }] });
  server = await openServerBundle(
    target?.name ?? 'container',
    environmentOf(services.server),
    async (bundle) => {
      const project = join(folder, 'project');
      await writeFiles(project, { 'ternion.config.ts': OWN_CODE });
      await symlink(join(PROJECT, 'node_modules'), join(project, 'node_modules'));
      await compileConfig(join(project, 'ternion.config.ts'), join(bundle, OWN_CODE_FILE));
    },
  );
  // The rules and the targets are those of this machine, and a test cannot wait for five seconds each time.
  prometheus = await startPrometheus(
    readProject('infra/prometheus/prometheus.yml')
      .replace('server:8080', `127.0.0.1:${server.port}`)
      .replace('alerts.yml', join(PROJECT, 'infra/prometheus/alerts.yml'))
      .replaceAll('interval: 5s', 'interval: 1s'),
  );
  const load = start(services.load, (word) => word.replace('server:8080', `127.0.0.1:${server.port}`));
  const lastMs = performance.now() + LOAD_MS;
  while (performance.now() < lastMs) {
    expect(await send(GOOD, GOOD)).toBe(200);
    expect(await send(...new Array<unknown>(18).fill(BAD))).toBe(400);
    await wait(100);
  }
  load.child.kill('SIGTERM');
  expect(await load.ended).toMatch(/^200: \d+, 400: \d+$/m);
  for (const _ of [1, 2]) await prometheus.evaluatedAfter(await prometheus.readAfter(Date.now() / 1000));
}, 120_000);
afterAll(async () => {
  await prometheus?.close();
  await server?.close();
  await s3?.close();
  await rm(folder, { recursive: true });
});

describe('the processes of compose.yaml', () => {
  it('have the version of the S3 server that is tested', () => {
    expect(services.s3.image).toBe(`docker.io/versity/${counterpart.pin.replace(' ', ':v')}`);
  });

  it('give Grafana the dashboards that are asked here', () => {
    expect(services.grafana.volumes).toContain('./infra/grafana:/etc/dashboards:ro');
    expect(readProject('infra/grafana/provisioning/dashboards/ternion.yml')).toContain(
      'path: /etc/dashboards',
    );
    expect(QUERIES.length).toBeGreaterThan(50);
  });

  it.each(QUERIES)('have an answer for $name: $expr', async ({ expr }) => {
    const results = await prometheus.query(withValues(expr), Date.now() / 1000);
    const values = results.map(({ value }) => value).filter((value) => Number.isFinite(value));
    expect(values.length, JSON.stringify(results.slice(0, 3))).toBeGreaterThan(0);
  });

  it.each([
    ['Missing values', { petal_length: 0.9 }],
    ['Values out of range', { sepal_width: 0.9 }],
    ['Unseen categories', {}],
  ])('have the share of each feature in the panel "%s"', async (title, bad) => {
    const { expr = '' } = QUERIES.find(({ name }) => name === `Ternion models: ${title}`) ?? {};
    const results = await prometheus.query(
      withValues(expr.replaceAll('$model', 'measured')),
      Date.now() / 1000,
    );
    const shares = Object.fromEntries(results.map(({ metric, value }) => [metric.feature, value]));
    const none = { sepal_length: 0, sepal_width: 0, petal_length: 0, petal_width: 0 };
    // Prometheus reads in the middle of a round.
    const closeTo = (share: number): unknown => expect.closeTo(share, 1);
    expect(shares).toEqual(
      Object.fromEntries(Object.entries({ ...none, ...bad }).map(([name, share]) => [name, closeTo(share)])),
    );
  });

  it('show the mistakes of the load', async () => {
    const query = 'ternion_feature_values_total{kind!="seen",model!="measured"} > 0';
    const bad = await prometheus.query(query, Date.now() / 1000);
    expect(
      bad
        .map(({ metric: { model, version, feature, kind } }) => [model, version, feature, kind].join(' '))
        .sort(),
    ).toEqual([
      'iris 1 petal_width missing',
      'iris 1 sepal_width out_of_range',
      'iris 2 petal_width missing',
      'iris 2 sepal_width out_of_range',
    ]);
  });

  it('ring for the model with other values than it should have, and for nothing else', async () => {
    const alerts = await prometheus.query('ALERTS', Date.now() / 1000);
    const rung = alerts.map(({ metric: { alertname, model, feature } }) =>
      [alertname, model, feature].join(' '),
    );
    // Values that were missing for as long as anybody looked are as usual.
    expect(rung).toEqual(['TernionDataQuality measured sepal_width']);
  });
});
