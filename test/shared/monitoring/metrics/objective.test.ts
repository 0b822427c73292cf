import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TestHost, TestResponse } from '../../../support/hosts/test-host.ts';
import { MODELS } from '../../../support/project.ts';
import { serveModels } from '../../../support/serve-models.ts';

const GRAPH = readFileSync(join(MODELS, 'iris/1/model.onnx'));
const CONFIG = JSON.parse(readFileSync(join(MODELS, 'iris/1/model.json'), 'utf8'));
const LATENCY = { availability: 0.999, latency: { ms: 0.0001, percentile: 95 } };

/** Models that are too slow, fast enough, without an objective, and with one for their availability alone. */
async function serveAll(): Promise<TestHost> {
  const objectives = {
    late: LATENCY,
    early: { ...LATENCY, latency: { ms: 600_000, percentile: 99 } },
    plain: undefined,
    steady: { availability: 0.99 },
  };
  const names = Object.keys(objectives);
  return serveModels(
    Object.fromEntries(names.map((name) => [name, GRAPH])),
    {},
    Object.fromEntries(
      Object.entries(objectives).map(([name, objective]) => [name, { ...CONFIG, objective }]),
    ),
  );
}

async function predict(host: TestHost, model: string, features: unknown): Promise<TestResponse> {
  const body = Buffer.from(JSON.stringify({ features }));
  return await host.send({ method: 'POST', path: `/models/${model}/predict`, headers: {}, body });
}

async function read(host: TestHost, path: string): Promise<TestResponse> {
  return await host.send({ method: 'GET', path, headers: {}, body: Buffer.alloc(0) });
}

/** The lines of the metrics whose name begins like this. */
async function linesOf(host: TestHost, prefix: string): Promise<readonly string[]> {
  const { body } = await read(host, '/metrics');
  return body
    .toString()
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .sort();
}

const FEATURES = [5.1, 3.5, 1.4, 0.2];

describe('the objective of a model', () => {
  it('is in the metrics, with the members that it has', async () => {
    const host = await serveAll();
    for (const model of ['late', 'early', 'plain', 'steady']) await predict(host, model, FEATURES);
    expect(await linesOf(host, 'ternion_objective_')).toEqual([
      'ternion_objective_availability_ratio{model="early",version="1"} 0.999',
      'ternion_objective_availability_ratio{model="late",version="1"} 0.999',
      'ternion_objective_availability_ratio{model="steady",version="1"} 0.99',
      'ternion_objective_latency_ratio{model="early",version="1"} 0.99',
      'ternion_objective_latency_ratio{model="late",version="1"} 0.95',
      'ternion_objective_latency_seconds{model="early",version="1"} 600',
      'ternion_objective_latency_seconds{model="late",version="1"} 1e-7',
    ]);
  });

  it('counts each request that took longer, and begins with 0', async () => {
    const host = await serveAll();
    for (const model of ['late', 'early', 'late'])
      expect((await predict(host, model, FEATURES)).status).toBe(200);
    expect(await linesOf(host, 'ternion_slow_requests_total')).toEqual([
      'ternion_slow_requests_total{model="early",version="1"} 0',
      'ternion_slow_requests_total{model="late",version="1"} 2',
    ]);
  });

  it('does not count requests that failed, and those that ran no model', async () => {
    const host = await serveAll();
    expect((await predict(host, 'late', ['a', 'b', 'c', 'd'])).status).toBe(400);
    expect((await read(host, '/v2/models/late')).status).toBe(200);
    expect(await linesOf(host, 'ternion_slow_requests_total')).toEqual([
      'ternion_slow_requests_total{model="late",version="1"} 0',
    ]);
  });

  it.each([
    [{ availability: 1 }, 'objective.availability: the number 1; expected less than 1'],
    [{ latency: { ms: 0, percentile: 95 } }, 'objective.latency.ms: the number 0; expected more than 0'],
    [
      { latency: { ms: 5, percentile: 100 } },
      'objective.latency.percentile: the number 100; expected less than 100',
    ],
    [{ latency: { ms: 5 } }, 'objective.latency.percentile: missing; expected a number'],
    [{ latencyMs: 5 }, 'objective: unknown member "latencyMs", perhaps meant as "latency"'],
  ])('is refused if it is %j', async (objective, message) => {
    const host = await serveModels({ iris: GRAPH }, {}, { iris: { ...CONFIG, objective } });
    const answer = await predict(host, 'iris', FEATURES);
    expect(answer.body.toString()).toContain(JSON.stringify(message).slice(1, -1));
    expect(answer.status).toBe(503);
  });
});
