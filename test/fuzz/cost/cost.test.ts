import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeRepository } from './models.ts';
import { listRoutes, nameOf } from './routes.ts';
import { createSearch } from './search.ts';
import { SEEDS } from './seeds.ts';
import { createKitchen, findGaps, type Kitchen, prepare, type Trial } from './trials.ts';

const LIMIT_BYTES = 65_536;

let folder: string;
let kitchen: Kitchen;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-cost-'));
  writeRepository(folder);
  kitchen = createKitchen(await listRoutes(folder));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('has something to send to every route, for each of its media types', () => {
  expect(findGaps(kitchen)).toEqual([]);
  expect(kitchen.routes.map(nameOf)).toEqual(
    expect.arrayContaining(['POST /v2/models/{model}/infer', 'GET /openapi.json']),
  );
});

it('reports a new route that nothing can be sent to', () => {
  const route = { method: 'POST', path: '/new/{thing}', types: ['application/json', 'audio/wav'] };
  expect(findGaps({ ...kitchen, routes: [route] })).toEqual([
    'POST /new/{thing}: nothing makes audio/wav',
    'POST /new/{thing}: nothing is known for {thing}',
  ]);
});

it('reaches every route, and proposes the same with the same seed', () => {
  const propose = (seed: number) => {
    const search = createSearch(kitchen, seed, SEEDS);
    return Array.from({ length: 1200 }, () => search.next());
  };
  const trials = propose(1);
  const reached = new Set(trials.map(({ route }) => route));
  expect(kitchen.routes.map(nameOf).filter((name) => !reached.has(name))).toEqual([]);
  expect(propose(1)).toEqual(trials);
  expect(propose(2)).not.toEqual(trials);
});

it('makes a body of every kind, the same each time, and never too large to be sent', async () => {
  const trials: Trial[] = kitchen.makers.map(({ name }) => ({
    route: 'POST /invocations',
    model: 'iris',
    maker: name,
    bytes: 100_000,
    codings: [],
  }));
  for (const trial of trials) {
    const { request } = await prepare(trial, kitchen, LIMIT_BYTES);
    expect(request.body.length, trial.maker).toBeLessThanOrEqual(LIMIT_BYTES);
    const again = await prepare(trial, kitchen, LIMIT_BYTES);
    expect(again.request.body.equals(request.body), trial.maker).toBe(true);
  }
});

it('makes the same request from a seed', async () => {
  const [seed] = SEEDS;
  expect(seed && (await prepare({ ...seed, bytes: 11 }, kitchen, LIMIT_BYTES)).request).toMatchObject({
    method: 'POST',
    path: '/predictions/iris',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  });
});
