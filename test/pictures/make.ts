// Makes the pictures of docs/observe.md with a real server, a real Prometheus and a browser: npm run generate:pictures
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Moment } from '../../shared/playground/curves/geometry.ts';
import { post } from '../contracts/exchanges.ts';
import { withValues } from '../infra/build/promql.ts';
import { ensureInstalled } from '../real/installation.ts';
import { counterpart } from '../real/prometheus/counterpart.ts';
import { sendLoad } from '../real/prometheus/load.ts';
import { type Prometheus, startPrometheus } from '../real/prometheus/prometheus-server.ts';
import { type ChildHost, openLocalServer } from '../support/hosts/child-process.ts';
import { MODELS, PROJECT } from '../support/project.ts';
import { drawPanel } from './draw-panel.ts';
import { drawTerminal } from './draw-terminal.ts';
import { originOf, PANEL_PICTURES, PICTURES, panelOf, TERMINAL_PICTURE } from './pictures.ts';
import { openPages } from './take-pages.ts';

/** The pages and the panels show two minutes. The first requests of a process take longer, so they come before. */
const SECONDS = 108;
const WARM_UP_SECONDS = 10;
/** How often the load grows and shrinks, and how many rounds of requests a second has. */
const WAVE_SECONDS = 40;
const MEAN_ROUNDS = 4;
const WAVE_ROUNDS = 3;
const STEP_SECONDS = 2;
const RATE_INTERVAL = '10s';
const OBJECTIVE = { availability: 0.999, latency: { ms: 20, percentile: 95 } };
const ROW = [5.1, 3.5, 1.4, 0.2];

const folder = join(PROJECT, PICTURES);
const models = await mkdtemp(join(tmpdir(), 'ternion-pictures-'));
await mkdir(folder, { recursive: true });
await ensureInstalled(counterpart);
await cp(MODELS, models, { recursive: true });
const description = join(models, 'iris/2/model.json');
const config: unknown = JSON.parse(await readFile(description, 'utf8'));
await writeFile(description, JSON.stringify({ ...Object(config), objective: OBJECTIVE }));

const host = await openLocalServer({ MODEL_REPOSITORY: models });
const url = `http://127.0.0.1:${host.port}`;
const prometheus = await startPrometheus(
  JSON.stringify({
    global: { scrape_interval: '1s' },
    scrape_configs: [
      {
        job_name: 'ternion',
        static_configs: [{ targets: [`127.0.0.1:${host.port}`], labels: { instance: 'ternion' } }],
      },
    ],
  }),
);
const pages = await openPages(url);
try {
  await send(host, AbortSignal.timeout(WARM_UP_SECONDS * 1000));
  await pages.begin();
  const end = new AbortController();
  const sending = send(host, end.signal);
  await wait((SECONDS * 1000) / 2);
  await writeFile(join(folder, TERMINAL_PICTURE), await pictureOfTop());
  await wait((SECONDS * 1000) / 2);
  // Each page takes a moment, in which requests still come.
  await pages.take(folder);
  end.abort();
  await sending;
  const endMs = (await prometheus.readAfter(Date.now() / 1000)) * 1000;
  const startMs = endMs - 120_000;
  for (const picture of PANEL_PICTURES) {
    const panel = panelOf(picture.dashboard, picture.panel);
    const moments = await askPanel(prometheus, panel.queries, startMs, endMs);
    const { title, unit, isStacked = false } = panel;
    const drawing = drawPanel({
      title,
      unit,
      isStacked,
      origin: originOf(picture),
      moments,
      startMs,
      endMs,
    });
    await writeFile(join(folder, picture.file), drawing);
  }
} finally {
  await pages.close();
  await prometheus.close();
  await host.close();
  await rm(models, { recursive: true });
}

/** A load that comes in waves: all kinds of requests, those with mistakes among them. */
async function send(to: ChildHost, end: AbortSignal): Promise<void> {
  for (let second = 0; !end.aborted; second += 1) {
    const began = Date.now();
    const rounds = Math.round(MEAN_ROUNDS + WAVE_ROUNDS * Math.sin((2 * Math.PI * second) / WAVE_SECONDS));
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all([sendLoad(to, 1), askEachVersion(to)]);
      await wait(Math.max(0, 1000 / rounds - 20));
    }
    await wait(Math.max(0, 1000 - (Date.now() - began)));
  }
}

async function askEachVersion(to: ChildHost): Promise<void> {
  for (const version of ['1', '2'])
    await to.send(post(`/models/iris/versions/${version}/predict`, { features: ROW }));
}

async function pictureOfTop(): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(PROJECT, 'dist/cli/index.mjs'),
    'top',
    url,
    '--once',
  ]);
  // The port of this run says nothing.
  return drawTerminal('ternion top --once', stdout.replace(url, 'http://localhost:8080'));
}

/** The answers of Prometheus to the queries of a panel, by the names in its legend. */
async function askPanel(
  server: Prometheus,
  queries: ReturnType<typeof panelOf>['queries'],
  startMs: number,
  endMs: number,
): Promise<readonly Moment[]> {
  const moments = new Map<number, Map<string, number>>();
  for (const { expr, legend } of queries) {
    const range = { start: startMs / 1000, end: endMs / 1000, step: STEP_SECONDS };
    for (const { metric, values } of await server.queryRange(withValues(expr, RATE_INTERVAL), range)) {
      const line = legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? '') || '(none)';
      for (const [seconds, value] of values) {
        const known = moments.get(seconds) ?? new Map<string, number>();
        moments.set(seconds, known);
        if (Number.isFinite(value)) known.set(line, value);
      }
    }
  }
  return [...moments]
    .sort(([a], [b]) => a - b)
    .map(([seconds, values]) => ({ atMs: seconds * 1000, values }));
}
