// Measures the built server side by side with the least server there can be: npm run bench
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { findFreePort } from '../hosts/child-process.ts';
import { PROJECT } from '../hosts/environment.ts';

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 4;
const BODY = Buffer.from(JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] }));

interface Contender {
  readonly name: string;
  readonly command: (port: number) => string[];
}

const framework = join(PROJECT, 'node_modules/@google-cloud/functions-framework/build/src/main.js');
const contenders: readonly Contender[] = [
  {
    name: 'Ternion in the functions framework',
    command: (port) => [
      framework,
      `--source=${join(PROJECT, 'dist/local/index.mjs')}`,
      '--target=ternion',
      `--port=${port}`,
    ],
  },
  {
    name: 'bare node:http + onnxruntime',
    command: (port) => [join(PROJECT, 'test/bench/bare-server.ts'), String(port)],
  },
];

const results = contenders.map(() => ({ firstAnswerMs: [] as number[], perSecond: [] as number[] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, contender] of contenders.entries()) {
    const measured = await measure(contender);
    results[index]?.firstAnswerMs.push(measured.firstAnswerMs);
    results[index]?.perSecond.push(measured.perSecond);
  }
}
for (const [index, { name }] of contenders.entries()) {
  const { firstAnswerMs = [], perSecond = [] } = results[index] ?? {};
  console.log(
    `${name}: first answer ${median(firstAnswerMs).toFixed(0)} ms after start, ${median(perSecond).toFixed(0)} requests/s`,
  );
}
const [ours, bare] = results;
if (ours && bare) {
  console.log(
    `ratio: ${(median(ours.firstAnswerMs) / median(bare.firstAnswerMs)).toFixed(2)} x the time to the first answer, ${(median(ours.perSecond) / median(bare.perSecond)).toFixed(2)} x the requests`,
  );
}

async function measure({ command }: Contender): Promise<{ firstAnswerMs: number; perSecond: number }> {
  const port = await findFreePort();
  const startMs = performance.now();
  const child = spawn(process.execPath, command(port), {
    cwd: PROJECT,
    env: {
      ...process.env,
      LOG_LEVEL: 'silent',
      INTRA_OP_THREADS: '1',
      NODE_ENV: 'production',
      PRELOAD_MODELS: 'iris',
    },
    stdio: 'ignore',
  });
  try {
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    while (!(await post(port, agent).catch(() => false)))
      await new Promise((resolve) => setTimeout(resolve, 5));
    const firstAnswerMs = performance.now() - startMs;
    await load(port, agent, 0.5);
    return { firstAnswerMs, perSecond: await load(port, agent, SECONDS) };
  } finally {
    await stop(child);
  }
}

async function load(port: number, agent: Agent, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  let answered = 0;
  const worker = async () => {
    while (performance.now() < endMs) if (await post(port, agent)) answered++;
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return answered / seconds;
}

function post(port: number, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': BODY.length };
    const outgoing = request(
      { host: '127.0.0.1', port, path: '/predict', method: 'POST', headers, agent },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => resolve(incoming.statusCode === 200));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(BODY);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
