import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALERTS_FILE, DASHBOARDS } from '../../../infra/build/monitoring/monitoring-files.ts';
import { withValues } from '../../infra/build/promql.ts';
import { findFreePort } from '../../support/hosts/child-process.ts';
import { MODELS } from '../../support/project.ts';
import { type Running, startCommand } from '../../support/run-command.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { type Prometheus, startPrometheus } from './prometheus-server.ts';

const GRAPH = readFileSync(join(MODELS, 'iris/2/model.onnx'));
const CONFIG = JSON.parse(readFileSync(join(MODELS, 'iris/2/model.json'), 'utf8'));
const OBJECTIVE = { availability: 0.999, latency: { ms: 0.001, percentile: 95 } };

/** Series that need own code, or that servers do not give yet. */
const WITHOUT_DATA = [
  'Own counts',
  'Own values',
  'Missing values',
  'Values out of range',
  'Unseen categories',
];

let folder: string;
let ternion: Running;
let prometheus: Prometheus;

const ask = (query: string) => prometheus.query(query, Date.now() / 1000);

async function send(port: number, model: string, features: unknown): Promise<number> {
  const body = JSON.stringify({ features });
  const answer = await fetch(`http://127.0.0.1:${port}/models/${model}/predict`, { method: 'POST', body });
  await answer.arrayBuffer();
  return answer.status;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-prometheus-'));
  await writeFiles(folder, {
    'models/iris/1/model.onnx': GRAPH,
    'models/iris/1/model.json': JSON.stringify({ ...CONFIG, objective: OBJECTIVE }),
    'models/broken/1/model.onnx': 'not a graph',
  });
  const port = await findFreePort();
  ternion = startCommand(['serve', '-r', join(folder, 'models'), '--port', String(port)]);
  await ternion.seen(/Ternion serves/);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [ALERTS_FILE],
    scrape_configs: [{ job_name: 'ternion', static_configs: [{ targets: [`127.0.0.1:${port}`] }] }],
  };
  prometheus = await startPrometheus(JSON.stringify(config));
  // A counter needs two readings in which it is there before it can grow.
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round += 1) {
      expect(await send(port, 'iris', [5.1, 3.5, 1.4, 0.2])).toBe(200);
      expect(await send(port, 'iris', ['a', 'b', 'c', 'd'])).toBe(400);
      expect(await send(port, 'broken', [1])).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await rounds(60);
  // Alerts read what rules have recorded, so they come with the second evaluation.
  for (const _ of [1, 2]) await prometheus.evaluatedAfter(await prometheus.readAfter(Date.now() / 1000));
}, 120_000);
afterAll(async () => {
  await prometheus?.close();
  ternion?.process.kill('SIGINT');
  await ternion?.outcome;
  await rm(folder, { recursive: true });
});

describe('a real Prometheus', () => {
  const panels = DASHBOARDS.flatMap(({ title, rows }) =>
    rows.flatMap((row) => row.panels.map((panel) => ({ ...panel, name: `${title}: ${panel.title}` }))),
  );

  it.each(panels)('has values for the panel $name', async ({ title, queries }) => {
    for (const { expr } of queries) {
      const result = await ask(withValues(expr));
      const numbers = result.filter(({ value }) => !Number.isNaN(value));
      expect([expr, numbers.length > 0]).toEqual([expr, !WITHOUT_DATA.includes(title)]);
    }
  });

  it('rings for requests that are late, and for a model that cannot be loaded', async () => {
    const states = await ask('ALERTS');
    const names = new Set(states.map(({ metric }) => metric.alertname));
    expect([...names].sort()).toEqual([
      'TernionErrorRate',
      'TernionLatency',
      'TernionLatencyBurn',
      'TernionModelLoadFailure',
    ]);
  });
});
