import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { findFreePort } from '../support/hosts/child-process.ts';

const BODY = Buffer.from(JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] }));
const MOST_START_MS = 60_000;

/** A server of the iris model in a process of its own. */
export interface MeasuredServer {
  /** Milliseconds from the start of the process to its first answer. */
  readonly firstAnswerMs: number;
  /** Answers per second over a number of connections at once. */
  load(connections: number, seconds: number): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server with Node and waits for its first answer. */
export async function startMeasured(
  command: (port: number) => readonly string[],
  folder: string,
): Promise<MeasuredServer> {
  const port = await findFreePort();
  const startMs = performance.now();
  const child = spawn(process.execPath, command(port), {
    cwd: folder,
    env: {
      ...process.env,
      LOG_LEVEL: 'silent',
      INTRA_OP_THREADS: '1',
      NODE_ENV: 'production',
      PRELOAD_MODELS: 'iris',
    },
    stdio: 'ignore',
  });
  const first = new Agent({ keepAlive: true });
  while (!(await post(port, first).catch(() => false))) {
    if (child.exitCode !== null || performance.now() - startMs > MOST_START_MS) {
      await stop(child);
      throw new Error(`no answer from ${command(port).join(' ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const firstAnswerMs = performance.now() - startMs;
  first.destroy();
  return {
    firstAnswerMs,
    load: async (connections, seconds) => {
      const agent = new Agent({ keepAlive: true, maxSockets: connections });
      const answered = await load(port, agent, connections, seconds);
      agent.destroy();
      return answered / seconds;
    },
    stop: () => stop(child),
  };
}

async function load(port: number, agent: Agent, connections: number, seconds: number): Promise<number> {
  const endMs = performance.now() + seconds * 1000;
  let answered = 0;
  const worker = async () => {
    while (performance.now() < endMs) if (await post(port, agent)) answered++;
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return answered;
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
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The functions framework with the function of a built folder. */
export function frameworkCommand(project: string, target: string) {
  return (port: number): readonly string[] => [
    `${project}/node_modules/@google-cloud/functions-framework/build/src/main.js`,
    `--source=${project}/dist/${target}/index.mjs`,
    '--target=ternion',
    `--port=${port}`,
  ];
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
