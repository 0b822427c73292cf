import { Agent } from 'node:http';
import { findLoadGenerator } from '../load/load.ts';
import { type ServerContender, serverOf, startAll } from '../measure-load.ts';
import { makeJpeg } from '../models/photo.ts';
import { writeResnet50 } from '../models/resnet50.ts';
import { runProcess } from '../processes/run-process.ts';
import { get } from '../requests.ts';
import { type Bench, inTurn, type Scenario } from '../scenario.ts';
import { ask, benchCommand, serveCommand } from '../servers.ts';
import { latenciesOf } from '../statistics.ts';
import { imageRequest } from './images.ts';

const UPLOADS = 200;
/** Between two requests for the health. */
const PAUSE_MS = 5;

export const health: Scenario = {
  name: 'health',
  title: '`/health` while the server works',
  about:
    'Every 5 ms a load balancer asks for `/health`, while four connections send images of 1 MP to a graph of the size of ' +
    'ResNet50, and while 200 clients send 1 MB of an upload each and disconnect at once. The limit is the bare image server, ' +
    'which keeps all that it receives.',
  contenders: [
    { name: 'ternion serve', role: 'ours' },
    { name: 'sharp + resize + run', role: 'limit' },
  ],
  plot: 'p99',
  run: async (bench) => {
    const model = await writeResnet50(bench.folder);
    const image = imageRequest(await makeJpeg(1200, 900));
    const contenders: readonly ServerContender[] = [
      {
        name: 'ternion serve',
        command: serveCommand(bench.folder),
        environment: { PRELOAD_MODELS: 'resnet50' },
        requests: [image],
      },
      {
        name: 'sharp + resize + run',
        command: benchCommand('limits/image-server.ts', model),
        requests: [image],
      },
    ];
    const servers = await startAll(bench, contenders, []);
    const generator = findLoadGenerator();
    const actions: Readonly<Record<string, (port: number) => Promise<unknown>>> = {
      idle: () => new Promise((resolve) => setTimeout(resolve, bench.seconds * 1000)),
      'images of 1 MP on 4 connections': (port) =>
        generator.run({ port, requests: [image], connections: 4, seconds: bench.seconds }),
      '200 uploads aborted at once': (port) =>
        runProcess('abort-uploads.ts', [String(port), image.path, String(UPLOADS)]),
    };
    for (const [condition, action] of Object.entries(actions)) {
      for (let round = 0; round < bench.rounds; round++) {
        bench.progress(`${condition}, round ${round + 1} of ${bench.rounds}`);
        for (const { name } of inTurn(contenders, round)) {
          await measureHealth(bench, { condition, name, port: serverOf(servers, name).port, action });
        }
      }
    }
  },
};

interface Measured {
  readonly condition: string;
  readonly name: string;
  readonly port: number;
  readonly action: (port: number) => Promise<unknown>;
}

/** Asks until the action is done, and once more. */
async function measureHealth(bench: Bench, { condition, name, port, action }: Measured): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const running = { isDone: false };
  const acting = action(port).finally(() => (running.isDone = true));
  for (let isLast = false; !isLast; ) {
    isLast = running.isDone;
    const { status, ms } = await ask(port, get('/health'), agent);
    if (status !== 200) bench.note(`${name}, ${condition}: /health answered ${status}.`);
    times.push(ms);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await acting;
  agent.destroy();
  const { p50, p95, p99 } = latenciesOf(times);
  bench.record(condition, 'p50', name, p50);
  bench.record(condition, 'p95', name, p95);
  bench.record(condition, 'p99', name, p99);
}
