import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildModel, buildNode, FLOAT, INT64, initializer, tensorValue } from '../../support/build-model.ts';
import { MODELS } from '../../support/project.ts';
import { findLoadGenerator, type LoadRequest } from '../load/load.ts';
import { createRandom } from '../models/random.ts';
import { FLOWER, get, postJson } from '../requests.ts';
import type { Bench, Scenario } from '../scenario.ts';
import { ask, type MeasuredServer, serveCommand, startServer } from '../servers.ts';
import { mixedRequests } from './mixed.ts';

const NAME = 'ternion serve';
const BOUND = 'SESSION_CACHE_BYTES + 10 % + 32 MB';
/** Ternion collects garbage after a second without requests. */
const IDLE_MS = 15_000;

export const memory: Scenario = {
  name: 'memory',
  title: 'Memory of many models, and of much traffic',
  about:
    'A server that may keep models of 64 MB in memory (`SESSION_CACHE_BYTES`) gets one request for each of many models: 600 ' +
    'forests, 1,537 networks of 1.5 KB, or 200 times one of 20 graphs of 1 to 100 MB (there it may keep 256 MB). The ' +
    'resident set above that of the started server shows what they really take. Then 16 connections send 200,000 mixed ' +
    'requests to a new server; "before" is the resident set after the models were loaded, or in the middle of the traffic.',
  contenders: [
    { name: NAME, role: 'ours' },
    { name: BOUND, role: 'limit' },
    { name: 'before', role: 'limit' },
  ],
  plot: 'resident',
  run: async (bench) => {
    const { isQuick, folder } = bench;
    // Fewer models reach a smaller limit.
    const cacheMegabytes = isQuick ? 16 : 64;
    await measureLoads(
      bench,
      'forests of 73 KB',
      cacheMegabytes,
      await makeCopies(folder, 'iris/1', isQuick ? 100 : 600),
    );
    await measureLoads(
      bench,
      'tiny models',
      cacheMegabytes,
      await makeCopies(folder, 'iris/2', isQuick ? 200 : 1537),
    );
    await measureLoads(bench, 'random loads', 256, await makeLarge(bench));
    await measureTraffic(bench, isQuick ? 10_000 : 200_000);
  },
};

interface Loads {
  readonly repository: string;
  /** In their order; each loads a model. */
  readonly requests: readonly LoadRequest[];
}

async function measureLoads(
  bench: Bench,
  condition: string,
  cacheMegabytes: number,
  { repository, requests }: Loads,
): Promise<void> {
  bench.progress(`${requests.length} loads of ${condition}`);
  const environment = { SESSION_CACHE_BYTES: String(cacheMegabytes * 1e6) };
  const server = await startServer({ command: serveCommand(repository), environment }, get('/health'));
  const agent = new Agent({ keepAlive: true });
  try {
    const before = server.usage().residentMegabytes;
    for (const request of requests) {
      const { status, body } = await ask(server.port, request, agent);
      if (status !== 200) throw new Error(`the answer for ${request.path} is ${status}: ${body}`);
    }
    bench.record(condition, 'resident', NAME, server.usage().residentMegabytes - before);
    bench.record(condition, 'resident', BOUND, cacheMegabytes * 1.1 + 32);
    bench.note(`${condition}: ${requests.length} loads.`);
  } finally {
    agent.destroy();
    await server.stop();
  }
}

/** @param count requests */
async function measureTraffic(bench: Bench, count: number): Promise<void> {
  const environment = { PRELOAD_MODELS: '*' };
  const server = await startServer({ command: serveCommand(MODELS), environment }, FLOWER);
  try {
    const loaded = server.usage().residentMegabytes;
    const first = await send(bench, server, count / 2);
    const middle = server.usage().residentMegabytes;
    const second = await send(bench, server, count / 2);
    bench.record('the second half of the traffic', 'settled', NAME, server.usage().residentMegabytes);
    bench.record('the second half of the traffic', 'settled', 'before', middle);
    await sleep(IDLE_MS);
    bench.record('idle after traffic', 'settled', NAME, server.usage().residentMegabytes);
    bench.record('idle after traffic', 'settled', 'before', loaded);
    bench.note(`The traffic had ${(first + second).toLocaleString('en-US')} requests.`);
  } finally {
    await server.stop();
  }
}

/** @returns how many requests were sent: at least as many as asked for */
async function send(bench: Bench, { port }: MeasuredServer, count: number): Promise<number> {
  const generator = findLoadGenerator();
  let sent = 0;
  while (sent < count) {
    bench.progress(`${sent} of ${count} mixed requests`);
    const seconds = bench.isQuick ? 1 : 5;
    sent += (await generator.run({ port, requests: mixedRequests(), connections: 16, seconds })).requests;
  }
  return sent;
}

/** Copies of a version of the iris model, each as a model of its own. */
async function makeCopies(parent: string, version: 'iris/1' | 'iris/2', count: number): Promise<Loads> {
  const repository = join(parent, version);
  const names = Array.from({ length: count }, (_, index) => `copy${index}`);
  for (const name of names) {
    const folder = join(repository, name, '1');
    await mkdir(folder, { recursive: true });
    for (const file of ['model.onnx', 'model.json'])
      await copyFile(join(MODELS, version, file), join(folder, file));
  }
  return { repository, requests: names.map((name) => ({ ...FLOWER, path: `/models/${name}/predict` })) };
}

async function makeLarge(bench: Bench): Promise<Loads> {
  const repository = join(bench.folder, 'large');
  const random = createRandom(7);
  const names = Array.from({ length: bench.isQuick ? 8 : 20 }, (_, index) => `large${index}`);
  for (const name of names) {
    await mkdir(join(repository, name, '1'), { recursive: true });
    await writeFile(join(repository, name, '1/model.onnx'), tableModel(1 + random() * 99));
  }
  const input = { name: 'row', shape: [1], datatype: 'INT64', data: [0] };
  const pick = () => names[Math.floor(random() * names.length)] ?? '';
  return {
    repository,
    requests: Array.from({ length: bench.isQuick ? 16 : 200 }, () =>
      postJson(`/v2/models/${pick()}/infer`, { inputs: [input] }),
    ),
  };
}

/** A graph that takes one row of a large table. */
function tableModel(megabytes: number): Uint8Array {
  const columns = 256;
  const rows = Math.round((megabytes * 1e6) / 4 / columns);
  const table = new Uint8Array(rows * columns * 4);
  return buildModel({
    nodes: [buildNode('Gather', ['table', 'row'], ['values'])],
    inputs: [tensorValue('row', INT64, ['n'])],
    outputs: [tensorValue('values', FLOAT, ['n', columns])],
    initializers: [initializer('table', FLOAT, [rows, columns], table)],
  });
}
